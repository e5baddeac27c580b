"""Who is likely to leave and who to buy more in the next months: chances of today's customers, from a model that may be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from revops_helpers.intelligence.features import design, features
from revops_helpers.intelligence.panel import HORIZON, history, panel
from revops_helpers.intelligence.passport import TOP, Examined, Outcome, Passport, examine
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.logistic import expit
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.metrics.facts import by_customer
from revops_helpers.metrics.reasons import N_
from revops_helpers.model.company import Company

DRAWS, SEED = 1000, 7
LISTED = 25  # customers named
WEIGHTY = 0.1  # what moves the log odds by less is no reason
NO_REASON = ("first_year",)  # a time that is over is nobody's sign
MOST_REASONS = 3


@dataclass(frozen=True)
class Outlook:
    """The next `passport.horizon` months from `day`, for the segment under review.

    expected: ARR expected to be lost with customers that leave (cents), or customers expected to buy more; its interval is for
        what will come: the model's uncertainty and chance. Not applicable when the model is not to be used, and all else empty.
    excess: of the tenth with the highest chances, what is expected beyond the others' mean chance, same unit; interval of the
        model's uncertainty alone. arr: of today's customers.
    by_segment: segment, customers, arr, expected, low, high; the largest first. Empty without segments.
    customers: those expected to lose most (or likeliest to buy), at most 25: customer, account_id, owner_id, renews_on (where
        known), arr, chance with low and high, expected, reasons (features that raise the chance, strongest first) and what was
        known of them.
    proof: the same sum for the newest test landmark by the model that had not seen it: day, expected, low, high, actual.
    """

    passport: Passport
    day: date
    expected: Measurement
    excess: Measurement
    arr: Measurement
    by_segment: pd.DataFrame = field(default_factory=pd.DataFrame)
    customers: pd.DataFrame = field(default_factory=pd.DataFrame)
    proof: dict = field(default_factory=dict)


def churn_outlook(company: Company, horizon: int = HORIZON) -> Outlook:
    """ARR at risk of leaving within `horizon` months. Unavailable without subscriptions."""
    return _outlook(company, "churned", horizon)


def expansion_outlook(company: Company, horizon: int = HORIZON) -> Outlook:
    """Who is likely to buy more within `horizon` months, whether or not anybody asks. Unavailable without subscriptions."""
    return _outlook(company, "expanded", horizon)


def today(company: Company, horizon: int = HORIZON) -> pd.DataFrame:
    """The panel of the as-of day: today's customers, whose outcome is not known."""
    return company.once(f"panel today {horizon}", partial(panel, company, [company.as_of], horizon))


def held_by(company: Company, trait: str, horizon: int = HORIZON) -> Measurement:
    """ARR of today's customers, of the segment under review, that have a trait (a yes-or-no feature); n counts them."""
    now = _under_review(company, today(company, horizon))
    known = features(now, horizon)
    held = now.arr[(known[trait] == 1).to_numpy()] if trait in known else now.arr[:0]
    return _arr(company, held)


def _arr(company: Company, held: pd.Series) -> Measurement:
    return Measurement(int(held.sum()), n=len(held), unit="money", currency=company.settings.currency, definition_id="arr")


def _under_review(company: Company, now: pd.DataFrame) -> pd.DataFrame:
    if not company.segment or "segment" not in now:
        return now
    return now[now.segment == company.segment].reset_index(drop=True)


def _outlook(company: Company, outcome: Outcome, horizon: int) -> Outlook:
    now = today(company, horizon)
    examined = examine(history(company, horizon), now, outcome, horizon)
    mine = _under_review(company, now)
    lost = {"unit": "money", "currency": company.settings.currency, "definition_id": "churned_arr"}
    unit = lost if outcome == "churned" else {"unit": "count"}
    arr = _arr(company, mine.arr)
    if examined.model is None or mine.empty:
        nothing = not_applicable(N_("the model is not to be used") if examined.model is None else N_("no customers"), **unit)
        return Outlook(examined.passport, company.as_of, nothing, nothing, arr)
    columns = design(mine, examined.fitted_to, horizon).reindex(columns=list(examined.names), fill_value=0.0)
    weights = mine.arr.to_numpy(float) if outcome == "churned" else np.ones(len(mine))
    drawn = _draws(examined, columns)
    chance = examined.model.probability(columns)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    scored = mine.assign(chance=chance, low=low, high=high, expected=weights * chance, reasons=_reasons(examined, columns))
    happens = np.random.default_rng(SEED + 1).random(drawn.shape) < drawn
    total = happens @ weights
    return Outlook(
        passport=examined.passport,
        day=company.as_of,
        expected=_sum(float(weights @ chance), total, len(mine), unit),
        excess=_excess(chance, drawn, weights, unit),
        arr=arr,
        by_segment=_by_segment(scored, happens, weights),
        customers=_listed(company, scored, outcome),
        proof=_proof(examined.tested, outcome),
    )


def _draws(examined: Examined, columns: pd.DataFrame) -> np.ndarray:
    """Chances of every row under coefficients as they might as well have come out: draws × rows."""
    rng = np.random.default_rng(SEED)
    model = examined.model
    drawn = rng.multivariate_normal(model.coefficients, model.covariance, DRAWS, method="eigh")
    return expit(drawn @ model.design(columns).T)


def _sum(value: float, drawn: np.ndarray, n: int, unit: dict) -> Measurement:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Measurement(round(value), n=n, low=float(min(low, value)), high=float(max(high, value)), **unit)


def _excess(chance: np.ndarray, drawn: np.ndarray, weights: np.ndarray, unit: dict) -> Measurement:
    top = np.zeros(len(chance), dtype=bool)
    top[np.argsort(-chance, kind="stable")[: max(1, round(TOP * len(chance)))]] = True
    if top.all():
        return not_applicable(N_("too few customers to compare"), **unit)

    def beyond(chances: np.ndarray) -> np.ndarray:
        return (chances[..., top] - chances[..., ~top].mean(axis=-1, keepdims=True)) @ weights[top]

    return _sum(float(beyond(chance)), beyond(drawn), int(top.sum()), unit)


def _by_segment(scored: pd.DataFrame, happens: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    if "segment" not in scored:
        return pd.DataFrame()
    records = []
    for segment, rows in scored.groupby(scored.segment.fillna(NOT_RECORDED)):
        low, high = np.quantile(happens[:, rows.index] @ weights[rows.index], (0.025, 0.975))
        records.append((segment, len(rows), int(rows.arr.sum()), float(rows.expected.sum()), float(low), float(high)))
    frame = pd.DataFrame(records, columns=["segment", "customers", "arr", "expected", "low", "high"])
    return frame.sort_values(["expected", "segment"], ascending=[False, True], ignore_index=True)


def _reasons(examined: Examined, columns: pd.DataFrame) -> list[tuple[str, ...]]:
    """Per customer the features that raise its chance above that of a customer with mean values, strongest first."""
    model = examined.model
    pulls = model.design(columns)[:, 1:] * model.coefficients[1:]
    pulls[:, [name in NO_REASON for name in examined.names]] = 0.0
    order = np.argsort(-pulls, axis=1, kind="stable")[:, :MOST_REASONS]
    return [tuple(examined.names[j] for j in row if pulls[i, j] > WEIGHTY) for i, row in enumerate(order)]


def _listed(company: Company, scored: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    by = "expected" if outcome == "churned" else "chance"
    listed = scored.sort_values([by, "customer"], ascending=[False, True]).head(LISTED).reset_index(drop=True)
    ids = listed.account_id.tolist()
    if not company.missing(["accounts.owner_id"]):
        owners = company.table("accounts", ("account_id", "owner_id"))
        owners = owners.filter(owners.account_id.isin(ids)).to_pandas().set_index("account_id").owner_id
        listed["owner_id"] = listed.account_id.map(owners)
    if not company.missing(["subscriptions.renews_on"]):
        terms = by_customer(company, company.table("subscriptions", ("account_id", "starts_on", "ends_on", "renews_on")))
        runs = [terms.customer.isin(listed.customer.tolist()), terms.ends_on.isnull(), terms.renews_on > company.as_of]
        ahead = terms.filter(*runs).group_by("customer").agg(renews_on=terms.renews_on.min()).to_pandas()
        listed["renews_on"] = listed.customer.map(ahead.set_index("customer").renews_on)
    return listed


def _proof(tested: pd.DataFrame, outcome: Outcome) -> dict:
    """What the model said of the newest test landmark, and what came."""
    rows = tested[tested.landmark == tested.landmark.max()]
    weights = rows.arr.to_numpy(float) if outcome == "churned" else np.ones(len(rows))
    chance = rows.chance.to_numpy()
    drawn = (np.random.default_rng(SEED).random((DRAWS, len(rows))) < chance) @ weights
    low, high = np.quantile(drawn, (0.025, 0.975))
    return {
        "day": rows.landmark.iloc[0],
        "expected": float(weights @ chance),
        "low": float(low),
        "high": float(high),
        "actual": float(weights @ rows[outcome].to_numpy(float)),
    }
