"""How text becomes numbers, days and times: every accepted way to write them, and what is none of them."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.model import formats
from revops_helpers.model.formats import Format
from tests.folders import company_folder

CLOCK = Format(dates="dmy", zone="America/Manaus", home="America/Sao_Paulo")  # 1 hour apart: UTC-4 and UTC-3


@pytest.fixture(scope="module")
def engine():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read(engine, expression, text):
    """The value of an SQL expression over the trimmed text, as text."""
    sql = f"SELECT CAST({expression('x')} AS VARCHAR) FROM (SELECT {formats.text('raw')} AS x FROM (SELECT ?::VARCHAR AS raw))"
    return engine.execute(sql, [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1234.56", 123456, None),
        ("1234,56", None, 123456),
        ("1,234.56", 123456, None),
        ("1.234,56", None, 123456),
        ("1.234.567,8", None, 123456780),
        ("1.234", 123, 123400),
        ("1,234", 123400, 123),
        ("0.005", 1, None),
        ("1.005", 101, 100500),
        ("-1.005", -101, -100500),
        ("7", 700, 700),
        ("-7", -700, -700),
        ("−7", -700, -700),
        ("7-", -700, -700),
        ("(7)", -700, -700),
        ("+7", 700, 700),
        ("R$ 1.234,50", None, 123450),
        ("R$\u00a01234.50", 123450, None),
        ("US$7", 700, 700),
        ("BRL 7", 700, 700),
        ("7 EUR", 700, 700),
        ("1\u202f234,5", None, 123450),
        ("1e3", 100000, 100000),
        (".5", 50, None),
        ("5.", 500, None),
        ("12%", None, None),
        ("abc", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("--7", None, None),
        ("1.2.3", None, None),
        ("12,34,56", None, None),
        ("R$", None, None),
        ("9" * 40, None, None),
        ("9" * 25, None, None),
        ("1" + "0" * 13, None, None),
        ("9" * 12, 99999999999900, 99999999999900),
        ("", None, None),
    ],
)
def test_money_is_read_by_its_decimal_mark_to_the_cent_half_up(engine, text, point, comma):
    for mark, cents in ((".", point), (",", comma)):
        assert read(engine, lambda x, mark=mark: formats.cents(x, mark), text) == (None if cents is None else str(cents))


@settings(max_examples=60, deadline=None)
@given(cents=st.integers(-(10**14), 10**14), mark=st.sampled_from(".,"), grouped=st.booleans(), sign=st.sampled_from(["", "R$ "]))
def test_any_amount_that_is_written_is_read_back(engine, cents, mark, grouped, sign):
    text = (
        f"{cents / 100:,.2f}"
        if abs(cents) < 10**12
        else f"{cents // 100 if cents >= 0 else -(-cents // 100)}.{abs(cents) % 100:02d}"
    )
    text = text if grouped else text.replace(",", "")
    if mark == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    assert read(engine, lambda x: formats.cents(x, mark), sign + text) == str(cents)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12,5%", "0.125"), ("0,5", "0.5"), ("1.000", "1000.0"), ("1e-3", "0.001"), ("x", None)],
)
def test_numbers_take_percent_signs(engine, text, value):
    assert read(engine, lambda x: formats.number(x, ","), text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("5", "5"), ("5.0", "5"), ("1,234", "1234"), ("5.5", None), ("5%", None), ("5 people", None)]
)
def test_whole_numbers_have_no_fraction(engine, text, value):
    assert read(engine, lambda x: formats.integer(x, "."), text) == value


@pytest.mark.parametrize(
    ("text", "moment", "day"),
    [
        ("2026-03-04T10:00:00Z", "2026-03-04 10:00:00", "2026-03-04"),
        ("2026-03-04T10:00:00.000+0000", "2026-03-04 10:00:00", "2026-03-04"),
        ("2026-03-04T10:00:00.250-03:00", "2026-03-04 13:00:00.25", "2026-03-04"),
        ("2026-03-04 10:00:00 -03", "2026-03-04 13:00:00", "2026-03-04"),
        ("2026-03-04 10:00:00 UTC", "2026-03-04 10:00:00", "2026-03-04"),
        ("2026-03-04 10:00:00", "2026-03-04 14:00:00", "2026-03-04"),
        ("2026-03-04 10:00", "2026-03-04 14:00:00", "2026-03-04"),
        ("2026-03-04", "2026-03-04 03:00:00", "2026-03-04"),
        ("2026/3/4", "2026-03-04 03:00:00", "2026-03-04"),
        ("20260304", "2026-03-04 03:00:00", "2026-03-04"),
        ("2026-03", "2026-03-01 03:00:00", "2026-03-01"),
        ("03/2026", "2026-03-01 03:00:00", "2026-03-01"),
        ("31/12/2025", "2025-12-31 03:00:00", "2025-12-31"),
        ("31.12.25", "2025-12-31 03:00:00", "2025-12-31"),
        ("31/12/2025 10:30", "2025-12-31 14:30:00", "2025-12-31"),
        ("1/2/2026 1:05 PM", "2026-02-01 17:05:00", "2026-02-01"),
        ("1772611200000", "2026-03-04 08:00:00", "2026-03-04"),
        ("1772582400000", "2026-03-04 00:00:00", "2026-03-04"),
        ("1772586000000", "2026-03-04 01:00:00", "2026-03-03"),
        ("1772611200", "2026-03-04 08:00:00", "2026-03-04"),
        ("2026-03-04T00:00:00Z", "2026-03-04 00:00:00", "2026-03-04"),
        ("2026-03-05T01:00:00Z", "2026-03-05 01:00:00", "2026-03-04"),
        ("2018-11-04", "2018-11-04 03:00:00", "2018-11-04"),
        ("2026-02-30", None, None),
        ("12/31/2025", None, None),
        ("2026-03-04T10:00:00 BRT", None, None),
        ("45000", None, None),
        ("soon", None, None),
        ("", None, None),
    ],
)
def test_days_and_moments_in_every_way_to_write_them(engine, text, moment, day):
    """Times without a zone are the source's, days alone the company's; instants give the company's day."""
    assert read(engine, lambda x: formats.moment(x, CLOCK), text) == moment
    assert read(engine, lambda x: formats.day(x, CLOCK), text) == day


def amount(before: str, sign: str, whole: int, grouped: bool, rest: str, turned: bool) -> str:
    text = f"{before}{sign}{whole:{',' if grouped else ''}}{rest}"
    return text.translate(str.maketrans(",.", ".,")) if turned else text


AMOUNTS = st.builds(
    amount,
    st.sampled_from(["", "R$ ", "R$", "US$ ", "$", "-"]),
    st.sampled_from(["", "-", "0"]),
    st.integers(0, 10**7),
    st.booleans(),
    st.sampled_from(["", ".5", ",50", ".123", ",1234"]),
    st.booleans(),
)
TIMES = st.tuples(
    st.sampled_from(["31/12/2025", "12/31/2025", "2025-02-30", "2025-02-28", "01/02/2025", "1/2/25"]),
    st.sampled_from(["", " 10:05", "T10:05:06", " 10:05:06.123", " 25:00", "T10:05:06.5Z", " 10:05:06-03:00", "Z"]),
).map("".join) | st.integers(10**11, 10**13).map(str)


NUMBERS = [(kind, mark) for kind in ("number", "cents") for mark in ".,"]
CLOCKS = [(kind, order) for kind in ("moment", "day") for order in ("ymd", "dmy", "mdy")]


@pytest.mark.parametrize(("kind", "way"), [*NUMBERS, *CLOCKS])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_common_ways_of_writing_are_read_as_the_expression_for_all_ways_reads_them(engine, kind, way, data):
    text = data.draw(AMOUNTS if way in ".," else TIMES)
    given = way if way in ".," else Format(dates=way, zone="America/Manaus", home="America/Sao_Paulo")
    quick = read(engine, lambda x: getattr(formats, kind)(x, given), text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "_cases", lambda x, *_common, other: formats._rarely(x, other))
        assert quick == read(engine, lambda x: getattr(formats, kind)(x, given), text), text


@pytest.mark.parametrize(("text", "value"), [("Sim", "true"), ("NÃO", "false"), ("1", "true"), ("f", "false"), ("2", None)])
def test_flags_in_both_languages(engine, text, value):
    assert read(engine, formats.flag, text) == value


@pytest.mark.parametrize(
    ("text", "value"), [(" Sales-Led ", "sales_led"), ("sales led", "sales_led"), ("WON", "won"), ("wonn", None)]
)
def test_words_meet_whatever_their_case_blanks_and_hyphens(engine, text, value):
    assert read(engine, lambda x: formats.word(x, ("sales_led", "won")), text) == value


@pytest.mark.parametrize("text", ["  a  ", "\u00a0a\t", "\ufeffa", "a\r\n", "a"])
def test_blanks_around_text_go(engine, text):
    assert read(engine, lambda x: x, text) == "a"


def test_one_table_is_the_same_from_every_kind_of_file(tmp_path, monkeypatch):
    from revops_helpers.workspace import open_company

    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    frame = pd.DataFrame(
        {"tool_id": ["t1", "t2"], "annual_cost": [1.234, 2000.5], "renews_on": pd.to_datetime(["2026-01-02", None])}
    )
    texts = frame.assign(renews_on=["2026-01-02", None])
    files = {
        "csv": lambda file: texts.assign(annual_cost=["1.234", "2000.50"]).to_csv(file, index=False),
        "jsonl": lambda file: texts.to_json(file, orient="records", lines=True),
        "parquet": lambda file: frame.to_parquet(file),
        "xlsx": lambda file: frame.to_excel(file, index=False),
    }
    for ending, write in files.items():
        folder = company_folder(tmp_path / ending, {})
        write(folder / f"tools.{ending}")
        company = open_company(folder, as_of="2026-01-31")
        found = company.table("tools").order_by("tool_id").execute()
        assert found.annual_cost.tolist() == [1_23, 2000_50], ending
        assert [str(day)[:10] for day in found.renews_on] == ["2026-01-02", "NaT"], ending
