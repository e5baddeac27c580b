"""A source that has not been exported for long is said, and stops the review where company.yml says so."""

from datetime import date

import pandas as pd
import pytest

from revops_helpers.model.freshness import freshness
from revops_helpers.settings import InputError, Settings
from revops_helpers.words.below import translated
from revops_helpers.words.messages import use
from tests.folders import COMPANY

AS_OF = date(2026, 3, 31)
NEWEST = pd.DataFrame(
    [("leads", "crm", "2026-03-21"), ("users", "crm", "2026-01-31"), ("spend", "sheets", "2026-03-31")],
    columns=["table", "source", "day"],
).assign(day=lambda rows: pd.to_datetime(rows["day"]))
LEADS = {"leads.csv": "lead_id,created_at\nl1,2026-03-01 10:00\nl2,2026-03-21 10:00\nl3,2026-04-30 10:00\n"}


def judged(declared: dict, sources=("crm", "sheets"), newest=NEWEST) -> dict:
    agreed = Settings(name="T", currency="BRL", freshness=declared)
    return {fresh.what: (fresh.days, fresh.status) for fresh in freshness(agreed, newest, list(sources), AS_OF)}


def test_without_thresholds_ages_are_told_and_nothing_is_judged():
    assert judged({}) == {"crm": (10, "free"), "sheets": (0, "free")}


def test_a_source_a_table_and_a_table_of_a_source_are_judged_by_their_newest_record():
    found = judged({"crm": {"warn": 10, "fail": 11}, "users": {"fail": 59}, "crm.leads": {"warn": 11}})
    assert found == {"crm": (10, "warn"), "sheets": (0, "free"), "users": (59, "fail"), "crm.leads": (10, "ok")}


def test_nothing_on_record_is_older_than_any_limit():
    assert judged({"jira": {"warn": 2}, "crm": {"fail": 300}}, (), NEWEST[:0]) == {"jira": (None, "warn"), "crm": (None, "fail")}


def test_records_after_the_day_do_not_make_a_source_new(opened):
    company = opened(LEADS, COMPANY + "freshness: {leads: {warn: 10}}\n", as_of=AS_OF)
    assert company.newest[["table", "source"]].to_numpy().tolist() == [["leads", "files"]]
    assert company.notes == ("leads: the newest record is of 2026-03-21, 10 days old, where 10 are allowed",)
    use("pt_BR")
    assert translated(company.notes[0]) == "leads: o registro mais novo é de 21/03/2026, com 10 dias, e o limite é de 10"
    use("en")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("{lead: {warn: 2}}", "line 3: freshness of neither .* 'lead'; did you mean 'leads'"),
        ("{leads: {warn: 0}}", "greater than 0"),
    ],
)
def test_a_threshold_of_nothing_and_one_of_no_days_are_refused(opened, said, error):
    with pytest.raises(InputError, match=error):
        opened(LEADS, COMPANY + f"freshness: {said}\n", as_of=AS_OF)
