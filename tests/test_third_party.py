"""Two foreign exports, mapped as a new user would, are reviewed from end to end: totals stated, traps named, nothing guessed.

Known answers were counted from the public files themselves: Olist's marketing funnel (Kaggle, 2018) and the CRM sales
opportunities of Maven Analytics. The files are not part of this repository.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.review.build import Request, review

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
AS_OF = {"olist_funnel": "2018-11-30", "maven_crm_sales": "2017-12-31"}
REPORTS = (
    "00_executive_review",
    "01_foundation_audit",
    "02_process_alignment",
    "03_optimization",
    "04_predictive_intelligence",
    "05_growth_planning",
)


def text_of(page: Path) -> str:
    """What a reader reads: no styles, no marks, single plain spaces."""
    plain = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    plain = html.unescape(re.sub(r"<[^>]+>", " ", plain))
    return re.sub(r" ([,.;:])", r"\1", re.sub(r"\s+", " ", plain))


def published(name: str, out: Path) -> Path:
    """The folder of the review of one data set; skipped where the files are not."""
    if not (DATA / name).is_dir():
        pytest.skip(f"third-party data folder is absent: ../shared/data/{name}")
    review(Request(data=str(ROOT / "tests" / "mappings" / name), as_of=AS_OF[name], out=out))
    return out / AS_OF[name]


@pytest.fixture(scope="module")
def olist(tmp_path_factory) -> Path:
    return published("olist_funnel", tmp_path_factory.mktemp("olist"))


@pytest.fixture(scope="module")
def maven(tmp_path_factory) -> Path:
    return published("maven_crm_sales", tmp_path_factory.mktemp("maven"))


def says(folder: Path, report: str, *phrases: str) -> None:
    page = text_of(folder / f"{report}.html")
    missing = [phrase for phrase in phrases if phrase not in page]
    assert not missing, f"{report} does not say {missing}"


def test_olist_totals_are_stated(olist):
    says(olist, "01_foundation_audit", "842 of 8,000 leads are won: 10.5%")
    says(olist, "03_optimization", "842 of 8,000 leads on record are won: 10.5%")
    for source in (
        "Paid search 1,586 195 12.3%",
        "Organic search 2,296 271 11.8%",
        "Social 1,350 75 5.6%",
        "Unknown 1,099 179 16.3%",
    ):
        says(olist, "03_optimization", source)


def test_olist_traps_are_named(olist):
    says(
        olist,
        "01_foundation_audit",
        "No deal is won before 5 Dec 2017, although leads go back to 14 Jun 2017",
        "write records_start: {leads: 2017-12-05}",
        "The leads of May 2018 are not complete",
        "1 deal was won before its lead was created",
        "No lost deal is on record",
        "797 of 842 won deals have no amount or zero (94.7%)",
    )
    says(olist, "03_optimization", "The best “source” is “unknown”, which is none", "field cannot steer spend")


def test_olist_shows_no_win_rate_and_no_deal_size(olist):
    rows = metrics(olist).set_index("metric")
    assert rows.loc["win_rate", ["status", "reason"]].tolist() == ["not_applicable", "no lost deal on record"]
    assert rows.loc["win_rate_value", "reason"] == "no lost deal on record"
    assert rows.loc["deal_size", "reason"] == "most won deals have no amount"
    assert rows.loc[["win_rate", "win_rate_value", "deal_size"], "value"].isna().all()


def test_the_headline_tells_what_can_be_told(olist, maven):
    told = "842 of 8,000 leads were won; the gap to plan needs subscriptions"
    assert f"<h1>{told}</h1>" in (olist / "00_executive_review.html").read_text(encoding="utf-8").replace("\xa0", " ")
    assert "4,238 of 6,711 decided deals were won" in text_of(maven / "03_optimization.html")


def test_maven_totals_are_stated(maven):
    says(maven, "01_foundation_audit", "Deals 8,800", "Deals won 4,238", "Deals lost 2,473", "US$ 10,005,534.00", "51.78 d")
    says(
        maven,
        "03_optimization",
        "Won 4,238 4,238 US$ 10,005,534.00",
        "Lost 2,473 0",
        "All 8,800",
        "4,238 of 6,711 decided new-business deals are won: 63.2%",
        "The won took 51.8 d",
        "leaves out the deals still open",
    )


def test_maven_traps_are_named(maven):
    says(
        maven,
        "01_foundation_audit",
        "opportunities.account_id is empty only on open deals: on 1,425 of 2,089",
        "comparing won with open deals by it is biased",
        "No lost deal has an amount, of 2,473",
        "No open deal has an amount, of 2,089",
        "No deal is closed before 1 Mar 2017, although deals go back to 20 Oct 2016",
    )


def test_maven_pipeline_is_unknown_and_not_zero(maven):
    rows = metrics(maven).set_index("metric")
    assert rows.loc["pipeline", ["status", "reason"]].tolist() == ["not_applicable", "no open deal has an amount"]
    assert rows.loc["win_rate_value", "reason"] == "no lost deal has an amount"
    assert rows.loc["win_rate", "status"] == "ok"


@pytest.mark.parametrize("name", AS_OF)
def test_what_is_missing_is_said_and_never_shown_as_zero(name, request):
    folder = request.getfixturevalue(name.partition("_")[0])
    says(folder, "00_executive_review", "Not available: needs ")
    says(folder, "01_foundation_audit", "Not available: needs subscriptions, financials")
    says(folder, "03_optimization", "which would unlock how far from plan the company is, and why")
    says(folder, "03_optimization", "Not available: needs opportunity_history")
    rows = metrics(folder).set_index("metric")
    assert rows.loc[["arr", "nrr", "cac"], "value"].isna().all()
    assert set(rows.loc[["arr", "nrr", "cac"], "status"]) == {"not_applicable"}


@pytest.mark.parametrize("name", AS_OF)
def test_ledger_and_manifest_balance(name, request):
    folder = request.getfixturevalue(name.partition("_")[0])
    ledger = pd.read_csv(next(folder.rglob("ledger.csv")))
    assert (ledger.read == ledger.accepted + ledger.quarantined + ledger.excluded).all()
    rows = ledger[ledger.unit == "rows"]
    counted = {"olist_funnel": 8_842, "maven_crm_sales": 8_800 + 85 + 35}[name]
    assert int(rows.read.sum()) == counted
    manifest = json.loads((folder / "manifest.json").read_text())
    assert all(gate["held"] for gate in manifest["gates"])
    assert {(row["table"], row["unit"]): row["read"] for row in manifest["ledger"]} == {
        (row.table, row.unit): row.read for row in ledger.itertuples()
    }
    assert {name for name in manifest["parameters"] if not name.startswith("dashboards/")} == set(REPORTS)


def metrics(folder: Path) -> pd.DataFrame:
    """The totals of the whole period from tables/metrics.csv."""
    rows = pd.read_csv(folder / "tables" / "metrics.csv", keep_default_na=False, na_values={"value": [""]})
    whole = rows[(rows.dimension == "") & (rows.period_start.str.endswith("01-01"))]
    return whole.sort_values("period_end").groupby("metric").tail(1)
