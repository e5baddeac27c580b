"""What engines say differently, on rows made for it: half cents, minutes begun, letters, what is absent, ties of time."""

from __future__ import annotations

from uuid import uuid4

import ibis
import pandas as pd
import pytest

from revops_helpers.address import address_of
from revops_helpers.foundation.alike import _plain
from revops_helpers.foundation.duplicates import _LEGAL_FORMS, _strip_accents, jaro_winkler
from revops_helpers.model.as_of import latest
from revops_helpers.model.keys import plain_domain, plain_tax
from revops_helpers.warehouse import tables_of
from tests.engines.test_scorecard import ADDRESSES

pytestmark = pytest.mark.engines
ROWS = pd.DataFrame(
    {
        "k": ["a", "a", "b", "b", "c", "c"],
        "n": [1, 2, 3, -3, 0, 7],
        "x": [2.5, -2.5, 1.5, 0.49999999999999994, 1e15 + 0.5, -0.5],
        "flag": [True, False, True, True, False, True],
        "name": ["ÉCLAIR Ltda", "São João S.A.", "café 5", None, "", "Ümlaut-2 & Co"],
        "other": ["eclair", "sao joao", "cafe", "x", "", "umlaut"],
        "tax": ["12.345.678/0001-90", "ab", None, "", "99", "1"],
        "site": ["https://www.É.com/x?y", " HTTP://b.c:80", None, "www.d", "", "e f"],
        "at": pd.to_datetime(
            [
                "2026-01-01 10:00:59.999",
                "2026-01-01 10:01:00",
                "2026-03-29 00:00:00.5",
                "2026-03-29 23:59:59",
                "2026-01-31",
                None,
            ],
            format="ISO8601",
        ),
        "until": pd.to_datetime(
            ["2026-01-01 10:01:00", "2026-01-01 10:00:59.999", "2026-03-30", "2026-03-29 00:00:01", "2026-03-01 12:00", None],
            format="ISO8601",
        ),
    }
)


def asked(t: ibis.Table) -> dict[str, ibis.Table]:
    """Name → a query that the analyses could ask."""
    day = t.at.date()
    scalars = t.select(
        "n", "x", half=t.x.round(), whole=t.x.round().cast("int64"), floor=t.n // 2, share=t.n / (t.n - 4),
        parts=(1.0 / (t.n + 10)) * (1.0 / (t.n + 10)),
        flag=t.flag.cast("int64"),
        minutes=t.until.delta(t.at, unit="minute"), days=t.until.delta(t.at, unit="day"), seconds=t.until.epoch_seconds(),
        tenths=(t.until.epoch_seconds() - t.at.epoch_seconds()) // 8_640 / 10, month=t.at.truncate("M").cast("date"),
        next=(day + ibis.interval(months=1)).cast("date"), year=t.at.year() * 12 + t.at.month(), quarter=t.at.quarter(),
        weekday=t.at.day_of_week.index(), hour=t.at.hour(), least=ibis.least(t.n, 2), most=ibis.greatest(t.n, t.n - 1),
        low=t.name.lower(), bare=_strip_accents(t.name.lower()), plain=_plain(t.name), tax=plain_tax(t.tax),
        site=plain_domain(t.site), legal=t.name.lower().re_replace(_LEGAL_FORMS, " "), alike=jaro_winkler(t.other, t.k + t.other),
        joined=t.k + "-" + t.n.cast("string"), first=t.other.left(2), last=t.other.right(2), long=t.name.length(),
        named=t.name.isnull(), code=t.other.substr(0, 3), known=t.k.isin(["a", "b"]), same=t.name.identical_to(t.site),
    )  # fmt: skip
    kept = ibis.struct({"n": t.n, "name": t.name, "at": t.at, "x": t.x, "flag": t.flag})
    grouped = t.group_by("k").agg(
        newest=latest(t.name, t.at, t.n > -5), state=latest(kept, ibis.struct({"x": t.x.abs(), "n": t.n}), t.n > -5),
        top=t.name.argmax(t.n), bottom=t.n.argmin(t.x), sum=t.n.sum(), mean=t.n.mean(), flags=t.flag.sum(), any=t.flag.any(),
        middle=t.x.median(), most=t.x.quantile(0.9), distinct=t.name.nunique(), some=t.n.sum(where=t.flag),
        none=t.x.sum(where=t.n > 99),
    )  # fmt: skip
    state = grouped.select(
        "k", *(grouped.state[name].name(f"state_{name}") for name in kept.names), *grouped.drop("k", "state").columns
    )
    until = ibis.cumulative_window(group_by="k", order_by="n")
    order = ibis.window(group_by="k", order_by="n")
    beside = {"after": t.n.lead(), "before": t.n.lag(), "place": ibis.row_number()}
    windows = t.select("k", "n", so_far=t.n.sum().over(until), **{name: value.over(order) for name, value in beside.items()})
    return {
        "scalars": scalars,
        "groups": state,
        "windows": windows,
        "sorted": t.select("name", "n").order_by(ibis.desc("name"), "n").limit(4),
    }


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The rows as ingest would have written them."""
    folder = tmp_path_factory.mktemp(uuid4().hex)
    ROWS.astype({"at": "datetime64[us]", "until": "datetime64[us]"}).to_parquet(folder / "rows.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def queries(stored):
    return asked(tables_of(address_of("duckdb://"), stored).find("rows", list(ROWS), "rows"))


@pytest.fixture(scope="module", params=sorted(ADDRESSES))
def theirs(request, stored):
    return asked(tables_of(address_of(ADDRESSES[request.param]), stored).find("rows", list(ROWS), "rows"))


@pytest.mark.parametrize("name", ["scalars", "groups", "windows", "sorted"])
def test_the_same_rows_give_the_same_answers(queries, theirs, name):
    ours, other = (found[name].to_pandas() for found in (queries, theirs))
    if name != "sorted":
        ours, other = (frame.sort_values(list(frame)[:2], ignore_index=True) for frame in (ours, other))
    pd.testing.assert_frame_equal(other, ours, check_dtype=False, rtol=0, atol=0)
