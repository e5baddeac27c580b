"""Words, numbers and dates: the house style in both languages, and the guard that keeps data from becoming markup."""

from datetime import date

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.checks import CRITICAL
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period
from revops_helpers.settings import InputError
from revops_helpers.words import extract, messages, names
from revops_helpers.words import language as say
from revops_helpers.words.language import _, n_, use
from revops_helpers.words.markup import esc, plain, rich


@pytest.fixture(autouse=True)
def in_english():
    use("en")
    yield
    use("en")


def shown(text: str) -> str:
    """With ordinary spaces, to read the expectations."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("cents", "english", "portuguese"),
    [
        (0, "R$ 0", "R$ 0"),
        (220_000_000, "R$ 2.2 M", "R$ 2,2 mi"),
        (-82_400_000, "−R$ 824 k", "−R$ 824 mil"),
        (96_400_000, "R$ 964 k", "R$ 964 mil"),
        (99_996_000, "R$ 1.0 M", "R$ 1,0 mi"),
        (950_000, "R$ 9.5 k", "R$ 9,5 mil"),
        (64_000, "R$ 640", "R$ 640"),
        (1_250_000_000_000, "R$ 12.5 B", "R$ 12,5 bi"),
    ],
)
def test_money_is_compact_with_the_sign_before_the_symbol(cents, english, portuguese):
    assert shown(say.money(cents, "BRL")) == english
    use("pt_BR")
    assert shown(say.money(cents, "BRL")) == portuguese


def test_the_unit_of_an_axis_is_that_of_its_largest_amount():
    assert [shown(say.money_unit(cents, "BRL")) for cents in (-82_400_000, 220_000_000, 64_000)] == ["R$ k", "R$ M", "R$"]


@pytest.mark.parametrize(
    ("minutes", "bounds", "text"),
    [
        (45, (40, 50), "45 min [40–50]"),
        (119, (None, None), "119 min"),
        (261, (244, 279), "4.3 h [4.1–4.7]"),
        (2234, (1810, 2478), "37 h [30–41]"),
        (4320, (2880, 5760), "3.0 d [2.0–4.0]"),
        (-150, (None, None), "−2.5 h"),
    ],
)
def test_a_wait_reads_in_the_unit_of_its_size(minutes, bounds, text):
    low, high = bounds
    assert shown(say.with_interval(Measurement(minutes, n=30, low=low, high=high, unit="minutes"))) == text


def test_a_target_of_a_wait_is_in_hours_where_the_wait_is():
    assert shown(say.in_unit_of(Measurement(261, unit="minutes"), 180)) == "3 h"


def test_places_are_ordinals():
    assert [say.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd",
    ]  # fmt: skip
    use("pt_BR")
    assert say.ordinal(3) == "3º"


@pytest.mark.parametrize(
    ("value", "english", "portuguese"),
    [
        ("paid_search", "Paid search", "Busca paga"),
        ("PAID_SEARCH", "Paid search", "Busca paga"),
        ("partner", "Partner", "Parceiros"),
        ("trade_fair", "Trade fair", "Trade fair"),
        *((own, own, own) for own in ("SMB", "smb", "Mid-market", "Paid_search", "0055f0000000034AAA", "acme", "_", "")),
        ("*a*_b", "*a*_b", "*a*_b"),
        (NOT_RECORDED, "(not recorded)", "(não registrado)"),
    ],
)
def test_a_code_word_reads_as_words_and_other_data_as_it_is(value, english, portuguese):
    assert plain(names.member(value)) == english
    use("pt_BR")
    assert plain(names.member(value)) == portuguese


def test_fields_and_tables_have_words_and_others_their_own_name():
    assert names.field("opportunities", "next_step") == "Next step of the deal" and names.field("x", "y*") == say.data("x.y*")
    assert names.table_words("opportunities") == "deals" and names.table_words("x_*") == say.data("x_*")
    assert set(names.TABLES) == set(TABLES)
    assert {tuple(name.split(".")) for name in names.FIELDS} <= {(t.name, c.name) for t in TABLES.values() for c in t.columns}
    assert {*CRITICAL} <= set(names.FIELDS)


def test_an_interval_is_never_broken_between_two_lines():
    gap = "\u00a0"
    assert rich(f"**5% [1–9]** and [−2{gap}to{gap}3{gap}M]") == (
        f'<strong>5% <span class="n">[1–9]</span></strong> and <span class="n">[−2{gap}to{gap}3{gap}M]</span>'
    )
    for kept in ("[link](x)", "[1]", "[a–b]", "a [2026-01-01 to 2026-12-31, all of it, whatever it holds]"):
        assert rich(kept) == kept


def test_quantities_hold_no_breaking_space_and_no_hyphen_for_a_minus():
    texts = [say.money(-5_000_000, "BRL"), say.points(-0.016), say.duration(12.1, "hours"), say.exact_money(-123456, "USD")]
    assert texts == ["−R$\u00a050\u00a0k", "−1.6\u00a0pp", "12.1\u00a0h", "−US$\u00a01,234.56"]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (0.088, "8.8%"),
        (0.34, "34%"),
        (0.0001, "< 0.1%"),
        (-0.0001, "−< 0.1%"),
        (0.997, "99.7%"),
        (1, "100%"),
        (1.005, "100.5%"),
    ],
)
def test_a_share_never_reads_as_nothing_or_all_unless_it_is(share, text):
    assert shown(say.percent(share)) == text


def test_the_second_language_changes_every_number_and_date_without_a_catalogue():
    use("pt_BR")
    texts = [say.percent(0.088), say.points(-0.016), say.count(6300), say.ratio(3.1), say.day(date(2026, 9, 30))]
    assert [shown(text) for text in texts] == ["8,8%", "−1,6 p.p.", "6.300", "3,1×", "30/09/2026"]


@pytest.mark.parametrize(
    ("start", "end", "english", "portuguese"),
    [
        ((2026, 1, 1), (2026, 9, 30), "January–September 2026", "janeiro–setembro de 2026"),
        ((2026, 9, 1), (2026, 9, 30), "September 2026", "setembro de 2026"),
        ((2025, 10, 1), (2026, 9, 30), "Oct 2025–Sep 2026", "out. 2025–set. 2026"),
        ((2026, 1, 1), (2026, 12, 31), "2026", "2026"),
        ((2026, 9, 2), (2026, 9, 30), "2 Sep 2026 – 30 Sep 2026", "02/09/2026 – 30/09/2026"),
    ],
)
def test_a_period_is_named_by_its_months(start, end, english, portuguese):
    period = Period(date(*start), date(*end))
    assert shown(say.span(period)) == english
    use("pt_BR")
    assert shown(say.span(period)) == portuguese


PERCENT = {"unit": "percent", "n": 100}
MONEY = {"unit": "money", "currency": "BRL"}


@pytest.mark.parametrize(
    ("m", "value", "interval"),
    [
        (Measurement(0.088, low=0.081, high=0.095, **PERCENT), "8.8%", "8.1–9.5"),
        (Measurement(0.235, low=0.201, high=0.272, **PERCENT), "23.5%", "20.1–27.2"),
        (Measurement(0.6123, low=0.53, high=0.69, **PERCENT), "61%", "53–69"),
        (Measurement(-82_400_000, low=-130_000_000, high=-34_000_000, **MONEY), "−R$ 824 k", "−1,300 to −340 k"),
        (Measurement(17_000_000, low=-2_000_000, high=36_000_000, **MONEY), "R$ 170 k", "−20 to 360 k"),
        (Measurement(584_000_000, **MONEY), "R$ 5.8 M", "exact"),
        (Measurement(584_000_000, n=1, status="insufficient", **MONEY), "R$ 5.8 M", "unknown"),  # the mean of one deal
        (Measurement(7.0, low=6.2, status="censored", unit="months"), "> 7 mo", "≥ 6.2 mo"),
        (Measurement(0.175, low=0.163, high=0.188, status="censored", unit="percent"), "17.5%", "16.3–18.8"),
        (Measurement(19, low=16, high=24, unit="months"), "19 mo", "16–24"),
        (Measurement(None, status="not_applicable", reason="needs spend", unit="ratio"), "n/a", ""),
    ],
)
def test_a_measurement_shows_the_digits_that_its_interval_supports(m, value, interval):
    assert (shown(say.value_of(m)), shown(say.interval_of(m))) == (value, interval)


def test_an_interval_that_crosses_zero_is_written_with_a_word_in_both_languages():
    m = Measurement(0.01, low=-0.02, high=0.04, unit="percent")
    gap = Measurement(0.114, low=0.087, high=0.14, unit="points")
    assert [shown(say.with_interval(x)) for x in (m, gap)] == ["1.0% [−2.0 to 4.0]", "11.4 pp [8.7–14.0]"]
    use("pt_BR")
    assert [shown(say.with_interval(x)) for x in (m, gap)] == ["1,0% [−2,0 a 4,0]", "11,4 p.p. [8,7–14,0]"]


def test_an_unknown_language_is_refused_and_none_means_english():
    with pytest.raises(InputError, match="use one of en, pt_BR"):
        use("fr")
    use(None)
    assert say.current() == "en"


def test_the_second_language_needs_only_a_catalogue(tmp_path, monkeypatch):
    catalogue = Catalog(locale="pt_BR")
    catalogue.add("Plan {value}", "Plano {value}")
    catalogue.add("# Question\n\nWhy?", "# Pergunta\n\nPor quê?")
    catalogue.add(("{n} deal", "{n} deals"), ("{n} negócio", "{n} negócios"))
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "revops.mo").open("wb") as out:
        write_mo(out, catalogue)
    monkeypatch.setattr(messages, "FOLDER", tmp_path)
    messages._catalogue.cache_clear()
    use("pt_BR")
    try:
        assert _("Plan {value}", value=say.number(8)) == "Plano 8"
        assert say.translate_markdown("# Question\n\nWhy?\n") == "# Pergunta\n\nPor quê?"
        assert [n_("{n} deal", "{n} deals", n) for n in (1, 2000)] == ["1 negócio", "2.000 negócios"]
    finally:
        messages._catalogue.cache_clear()


def test_data_inside_a_sentence_never_becomes_bold():
    sentence = _("**{name}** is late", name="A**B** *C")
    assert rich(sentence) == "<strong>A**B** *C</strong> is late"
    assert plain(sentence) == "A**B** *C is late"


def test_a_sentence_inside_a_sentence_keeps_its_bold():
    assert rich(_("So: {inner}", inner=_("**now**"))) == "So: <strong>now</strong>"


def test_what_is_not_recorded_is_said_in_the_readers_language():
    assert messages.NOT_RECORDED == NOT_RECORDED and say.data(NOT_RECORDED) == NOT_RECORDED
    use("pt_BR")
    assert say.data(NOT_RECORDED) == "(não registrado)"


def test_data_with_braces_is_not_a_field():
    assert _("Deal {name}", name="{value.__class__}") == "Deal {value.__class__}"


def test_right_to_left_text_is_isolated_and_direction_marks_are_taken_out():
    assert say.data("abc \u202egpj.exe") == "abc gpj.exe"
    assert say.data("شركة") == "\u2068شركة\u2069"
    assert say.data("a\x00b\x1b[31m\ud800") == "ab[31m"


@given(st.text())
def test_any_data_shows_as_text_only(text):
    shown_text = rich(_("{x}", x=text))
    assert "<" not in shown_text
    assert plain(say.data(text)).strip("\u2068\u2069") == esc_back(esc(say.data(text))).strip("\u2068\u2069")


def esc_back(html: str) -> str:
    from html import unescape

    return unescape(html)


def test_the_template_of_messages_is_up_to_date_with_code_notebooks_and_metrics():
    """Fails after a text was changed: run `python -m revops_helpers.words.extract`."""
    with extract.POT.open("rb") as file:
        written = {message.id for message in read_po(file) if message.id}
    found = {message.id for message in extract.collected() if message.id}
    assert found - written == set(), "messages that the .pot lacks"
    assert written - found == set(), "messages that are no longer in the product"
    assert "Skip to the report" in written and ("{n} row", "{n} rows")[0] not in written
