"""What comes after a date never changes what is shown as of it: rows, fields, states and references, for every table."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_helpers.model.as_of import as_it_stood, cut_off
from revops_helpers.model.tables import TABLES, Column, Table
from revops_helpers.settings import Settings
from tests.support import company_of, table_of

AS_OF = date(2026, 3, 31)
AGREED = Settings(name="T", currency="BRL")
CUT = cut_off(AS_OF, AGREED)
MOMENTS = [CUT - timedelta(days=40), CUT - timedelta(microseconds=1), CUT, CUT + timedelta(days=40)]
DAYS = [AS_OF - timedelta(days=40), AS_OF, AS_OF + timedelta(days=1), AS_OF + timedelta(days=40)]


def come(value) -> bool:
    """Whether a moment or day had come by the end of the as-of day."""
    return value is not None and (value < CUT if isinstance(value, datetime) else value <= AS_OF)


class World:
    """Rows of one table, its history and what it refers to, as they were exported on AS_OF; and a later export of the same."""

    def __init__(self, spec: Table, random):
        self.spec, self.random = spec, random
        others = {c.refers.partition(".")[0] for c in spec.columns if c.later} | ({spec.history} - {""})
        self.rows = {name: self._rows(TABLES[name], 3) for name in {spec.name, *others}}
        if spec.history:
            self.rows[spec.history] += [self._row(TABLES[spec.history], i) | {"changed_at": MOMENTS[0]} for i in range(3)]
            self.rows[spec.history] = _first_of_each_key(self.rows[spec.history], TABLES[spec.history].key)
        if spec.name == "opportunities":
            self.rows[spec.name] = [_agreeing(row) for row in self.rows[spec.name]]

    def _rows(self, spec: Table, n: int) -> list[dict]:
        return _first_of_each_key([self._row(spec, i) for i in range(n)], spec.key)

    def _row(self, spec: Table, i: int) -> dict:
        return {c.name: self._value(c, i, c.name in spec.key) for c in spec.columns}

    def _value(self, column: Column, i: int, is_key: bool):
        if column.type in ("date", "time"):
            choices = MOMENTS if column.type == "time" else DAYS
            return self.random.choice(choices if column.required or is_key else [None, *choices])
        if is_key or column.later:
            return f"k{i}" if column.type == "text" else i
        if column.allowed:
            return self.random.choice(column.allowed)
        return {"text": f"t{self.random.randint(0, 3)}", "flag": self.random.choice([True, False, None])}.get(
            column.type, self.random.randint(0, 9)
        )

    def later(self) -> dict[str, list[dict]]:
        """The export some time later: new rows, and everything about the old ones that could have changed since."""
        found = {name: [dict(row) for row in rows] for name, rows in self.rows.items()}
        for row in found[self.spec.name]:
            self._live_on(row)
        for name, rows in found.items():
            rows += [row for i in range(2) if (row := self._born_later(TABLES[name], 7 + i))]
        return found

    def _live_on(self, row: dict) -> None:
        spec = self.spec
        for column in spec.columns:
            if column.stamped and not come(row[column.name]):
                row[column.name] = self.random.choice(
                    [None, *(v for v in (MOMENTS if column.type == "time" else DAYS) if not come(v))]
                )
        for column in spec.columns:
            if column.known_with and not come(row[column.known_with]):
                row[column.name] = self._value(column, 0, False)
            if column.later and row[column.name] not in self._known_keys(column):
                row[column.name] = self.random.choice([None, "k7"])
        self._change_state(row)
        if spec.name == "opportunities" and not come(row["closed_at"]):
            row["status"] = "open" if row["closed_at"] is None else self.random.choice(["won", "lost"])

    def _known_keys(self, column: Column) -> set:
        other = TABLES[column.refers.partition(".")[0]]
        return {row[other.key[0]] for row in self.rows[other.name] if come(row[other.stamp[0]]) or row[other.stamp[0]] is None}

    def _change_state(self, row: dict) -> None:
        """The export's state moves on, and the history has a row for it."""
        spec = self.spec
        if not spec.history or not any(self._is_history(h, row) and come(h["changed_at"]) for h in self.rows[spec.history]):
            return
        called = dict(spec.history_as)
        for column in spec.columns:
            if column.name != spec.key[0] and called.get(column.name, column.name) in TABLES[spec.history].names:
                row[column.name] = self._value(column, 5, False)

    def _is_history(self, history: dict, row: dict) -> bool:
        return history[TABLES[self.spec.history].key[0]] == row[self.spec.key[0]]

    def _born_later(self, spec: Table, i: int) -> dict | None:
        if not spec.stamp:
            return None
        row = self._row(spec, i)
        for name in spec.stamp:
            row[name] = MOMENTS[-1] if spec[name].type == "time" else DAYS[-1]
        if spec.name == self.spec.history:
            row[spec.key[0]] = "k0"
        return row


def _first_of_each_key(rows: list[dict], key: tuple[str, ...]) -> list[dict]:
    return list({tuple(row[c] for c in key): row for row in reversed(rows)}.values())


def _agreeing(row: dict) -> dict:
    """A deal is open until it closed."""
    return row | {"status": "open" if row["closed_at"] is None else "won"}


def shown(name: str, rows: dict[str, list[dict]]) -> pd.DataFrame:
    accepted = {table: table_of(table, content) for table, content in rows.items()}
    table = as_it_stood(name, accepted, AS_OF, AGREED)
    return table.execute().sort_values(list(TABLES[name].key)).reset_index(drop=True)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_what_comes_later_changes_nothing_as_of_a_date(name, random):
    world = World(TABLES[name], random)
    pd.testing.assert_frame_equal(shown(name, world.rows), shown(name, world.later()), check_dtype=False)


def test_the_day_ends_at_midnight_where_the_company_is():
    company = company_of(
        AS_OF,
        leads=[{"lead_id": "in", "created_at": "2026-04-01 02:59:59"}, {"lead_id": "out", "created_at": "2026-04-01 03:00"}],
    )
    assert company.table("leads").lead_id.execute().tolist() == ["in"]


def test_totals_of_a_month_are_known_when_it_is_over():
    rows = [{"month": "2026-03-01", "function": "sales", "category": "people", "amount": 1}]
    assert company_of("2026-03-30", spend=rows).table("spend").count().execute() == 0
    assert company_of("2026-03-31", spend=rows).table("spend").count().execute() == 1


DEAL = {
    "opportunity_id": "d",
    "created_at": "2026-01-01",
    "stage": "closed",
    "status": "won",
    "close_date": "2026-05-01",
    "amount": 900,
}
DEAL |= {"closed_at": "2026-05-01 12:00", "lost_reason": "none", "forecast_category": "closed"}


def deal_on(as_of: str, **tables) -> dict:
    (row,) = company_of(as_of, opportunities=[DEAL], **tables).table("opportunities").execute().astype(object).to_dict("records")
    return {name: None if pd.isna(value) else value for name, value in row.items()}


def test_a_deal_closed_later_is_open_and_without_history_its_stage_and_date_are_unknown():
    deal = deal_on("2026-03-31")
    assert (deal["status"], deal["stage"], deal["close_date"], deal["closed_at"], deal["lost_reason"]) == (
        "open",
        None,
        None,
        None,
        None,
    )
    assert deal_on("2026-05-01")["status"] == "won"


def test_a_deal_is_at_the_stage_amount_and_date_that_its_history_gives():
    history = [
        {"opportunity_id": "d", "changed_at": "2026-01-01", "stage": "first", "amount": 100, "close_date": "2026-03-01"},
        {"opportunity_id": "d", "changed_at": "2026-02-01", "stage": "second", "amount": 200, "close_date": "2026-04-01"},
        {"opportunity_id": "d", "changed_at": "2026-05-01", "stage": "closed", "amount": 900, "close_date": "2026-05-01"},
    ]
    early, late = deal_on("2026-01-15", opportunity_history=history), deal_on("2026-03-31", opportunity_history=history)
    assert (early["stage"], early["amount"], str(early["close_date"])[:10]) == ("first", 100, "2026-03-01")
    assert (late["stage"], late["amount"], str(late["close_date"])[:10]) == ("second", 200, "2026-04-01")


def test_a_state_whose_history_begins_later_is_unknown():
    history = [{"opportunity_id": "d", "changed_at": "2026-05-01", "stage": "closed", "amount": 900}]
    assert deal_on("2026-03-31", opportunity_history=history)["amount"] is None
    assert deal_on("2026-05-02", opportunity_history=history)["amount"] == 900


def test_of_two_changes_at_one_moment_the_same_one_counts_every_time():
    changes = [{"item_id": "i", "changed_at": "2026-01-01", "to_status": status} for status in ("b", "c", "a")]
    company = company_of(
        AS_OF, work_items=[{"item_id": "i", "created_at": "2026-01-01", "status": "z"}], work_transitions=changes
    )
    assert company.table("work_items").status.execute().tolist() == ["c"]


def test_a_reference_to_what_does_not_exist_yet_is_unknown():
    leads = [{"lead_id": "l", "created_at": "2026-01-01", "opportunity_id": "d", "account_id": "a"}]
    deals = [{"opportunity_id": "d", "created_at": "2026-04-02"}]
    (lead,) = company_of(AS_OF, leads=leads, opportunities=deals).table("leads").execute().to_dict("records")
    assert pd.isna(lead["opportunity_id"])
    assert lead["account_id"] == "a"  # no accounts table says when it came to be


def test_a_cancellation_recorded_later_is_not_seen():
    line = {"subscription_id": "s", "account_id": "a", "mrr": 100, "starts_on": "2025-01-01", "ends_on": "2026-04-15"}
    assert company_of(AS_OF, subscriptions=[line]).table("subscriptions").ends_on.execute().isna().all()
    assert not company_of("2026-04-15", subscriptions=[line]).table("subscriptions").ends_on.execute().isna().any()
