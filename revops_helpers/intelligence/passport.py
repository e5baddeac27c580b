"""A model's passport: what it is for, what it was shown, how it did on months that it had not seen, and whether to use it.

Trained on earlier landmarks, tested on later ones whose outcome months none of the training outcomes touch. A model that fails
a gate has the verdict `do not use`, and nothing it says is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from revops_helpers.intelligence.features import design, step_of
from revops_helpers.intelligence.panel import HORIZON
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import calibration
from revops_helpers.methods.calibration import Estimate
from revops_helpers.methods.logistic import Logistic, fit_logistic
from revops_helpers.metrics.reasons import N_

Outcome = Literal["churned", "expanded"]
FEW = 20  # events to be tested on
LEAST = 3  # features: fewer are no model
PENALTY = 5.0  # for each landmark of a customer, which all tell of the same customer
TENURE = ("first_year", "tenure")
SLOPES = (0.8, 1.25)  # a calibration slope whose interval does not reach this is far from 1
TOP = 0.1

# Why a model is not to be used.
REASONS: Mapping[str, str] = {
    "no_months": N_("too few months are on record to learn from and be tested on"),
    "no_events": N_("nobody did it in the months to learn from"),
    "all_events": N_("everybody did it in the months to learn from"),
    "few_events": N_("too few events to learn from"),
    "few_tested": N_("too few events to be tested on"),
    "chance": N_("on later months it ranks no better than chance"),
    "tenure": N_("it ranks no better than how long a customer has been one"),
    "health": N_("it ranks no better than the health score"),
    "slope": N_("its chances are too extreme, or not extreme enough"),
}


@dataclass(frozen=True)
class Passport:
    """One model.

    trained, tested: first and last landmark, None where there is none; rows, customers and events (customers to whom it
        happened) of each in `seen`, indexed `train` and `test`.
    needed: events that the features in use need (Riley's criterion). left_out: features that the events could not afford.
    features: one row per feature in use, largest effect first: feature, step, odds, low, high (odds ratio of one step, shrunk),
        known (share of the training rows), psi (of the customers of today against those trained on).
    auc, slope, in_the_large, captured: on the test months. in_the_large is events ÷ events predicted; captured the part of the
        events in the tenth with the highest chances.
    baselines: what it must beat, on the same rows: name (tenure, health), n (customers), auc, low, high, gain, gain_low,
        gain_high (of the model's AUC over it).
    reasons: keys of REASONS, empty when it may be used.
    """

    outcome: Outcome
    horizon: int
    trained: tuple[date, date] | None
    tested: tuple[date, date] | None
    seen: pd.DataFrame
    needed: float
    features: pd.DataFrame
    left_out: tuple[str, ...]
    auc: Measurement
    slope: Measurement
    in_the_large: Measurement
    captured: Measurement
    baselines: pd.DataFrame
    reasons: tuple[str, ...]

    @property
    def use(self) -> bool:
        """Whether it may be used."""
        return not self.reasons


@dataclass(frozen=True)
class Examined:
    """A passport with the model that it is about, fitted anew to all months; None when it is not to be used.

    tested: the test rows with `chance`, what the model that had not seen them said of them. names: its columns.
    fitted_to: the rows that it was fitted to, in which common members of groups are counted.
    """

    passport: Passport
    model: Logistic | None
    names: tuple[str, ...]
    tested: pd.DataFrame
    fitted_to: pd.DataFrame


def split(days: Sequence[date], horizon: int = HORIZON) -> tuple[list[date], list[date]]:
    """Landmarks to train on and to test on: a third of those beyond the horizon are tested, at least one.

    Between them lie horizon − 1 landmarks, so that the last training outcome is over on the day of the first test.
    """
    days = sorted(days)
    tests = max(1, round((len(days) - horizon) / 3))
    return days[: max(0, len(days) - tests - horizon + 1)], days[-tests:]


def examine(rows: pd.DataFrame, now: pd.DataFrame, outcome: Outcome, horizon: int = HORIZON) -> Examined:
    """Fit on the earlier landmarks of a panel, test on the later ones, judge. now: today's customers, for the drift."""
    rows = rows[rows[outcome].notna()].reset_index(drop=True)
    days = sorted(rows.landmark.unique())
    early, late = split(days, horizon) if days else ([], [])
    train, test = (rows[rows.landmark.isin(part)].reset_index(drop=True) for part in (early, late))
    seen = pd.DataFrame([_seen(part, outcome) for part in (train, test)], index=["train", "test"])
    spans = [(min(part), max(part)) if part else None for part in (early, late)]
    if early and 0 < train[outcome].sum() < len(train):
        columns = design(train, train, horizon)
        each = calibration.events_needed(1, float(train[outcome].mean()))
        names = list(columns)[: int(seen.events["train"] / each)]
    else:
        columns, names, each = pd.DataFrame(), [], math.nan
    gates = _gates(train, seen, outcome, names)
    held = {"outcome": outcome, "horizon": horizon, "trained": spans[0], "tested": spans[1], "seen": seen}
    needed = each * max(LEAST, len(names))
    if gates:
        nothing = not_applicable(REASONS[gates[0]])
        empty = _frame([], _FEATURES), (), *[nothing] * 4, _frame([], _BASELINES)
        passport = Passport(**held, needed=needed, **dict(zip(_RESULTS, empty, strict=True)), reasons=tuple(gates))
        return Examined(passport, None, (), test.assign(chance=math.nan), rows)
    return _judged(rows, train, test, now, columns, names, held, needed)


_FEATURES = ["feature", "step", "odds", "low", "high", "known", "psi"]
_BASELINES = ["name", "n", "auc", "low", "high", "gain", "gain_low", "gain_high"]
_RESULTS = ("features", "left_out", "auc", "slope", "in_the_large", "captured", "baselines")


def _frame(records: list, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(records, columns=columns)


def _seen(rows: pd.DataFrame, outcome: Outcome) -> dict[str, int]:
    events = rows.customer[rows[outcome] > 0].nunique() if len(rows) else 0
    return {"rows": len(rows), "customers": rows.customer.nunique() if len(rows) else 0, "events": events}


def _gates(train: pd.DataFrame, seen: pd.DataFrame, outcome: Outcome, names: list[str]) -> list[str]:
    """What forbids even fitting it."""
    if not len(train):
        return ["no_months"]
    if not train[outcome].sum():
        return ["no_events"]
    if train[outcome].all():
        return ["all_events"]
    few = len(names) < LEAST or seen.events["train"] < FEW
    untested = seen.events["test"] < FEW or seen.customers["test"] - seen.events["test"] < FEW
    return [name for name, fails in (("few_events", few), ("few_tested", untested)) if fails]


def _fit(columns: pd.DataFrame, rows: pd.DataFrame, outcome: Outcome) -> Logistic:
    per_customer = len(rows) / rows.customer.nunique()
    return fit_logistic(columns, rows[outcome], rows.customer, penalty=PENALTY * per_customer)


def _judged(rows, train, test, now, columns, names, held: dict, needed: float) -> Examined:
    outcome, horizon = held["outcome"], held["horizon"]
    model = _fit(columns[names], train, outcome)
    tested = test.assign(chance=model.probability(design(test, train, horizon)[names]))
    chance, event, who = tested.chance.to_numpy(), tested[outcome].to_numpy(), tested.customer.to_numpy()
    n = int(held["seen"].customers["test"])
    auc, slope = calibration.auc(chance, event, who), calibration.slope(chance, event, who)
    baselines = _baselines(tested, train, columns, outcome, horizon)
    passport = Passport(
        **held,
        needed=needed,
        features=_told(model, names, columns, design(now, train, horizon) if len(now) else columns[:0]),
        left_out=tuple(name for name in columns if name not in names),
        auc=_measured(auc, n),
        slope=_measured(slope, n),
        in_the_large=_measured(calibration.in_the_large(chance, event, who), n, "ratio"),
        captured=_measured(calibration.captured(chance, event, who, TOP), n, "percent"),
        baselines=baselines,
        reasons=tuple(_failures(auc, slope, baselines)),
    )
    if not passport.use:
        return Examined(passport, None, (), test.assign(chance=math.nan), rows)
    final = _fit(design(rows, rows, horizon).reindex(columns=names, fill_value=0.0), rows, outcome)
    level = final.levelled(design(test, rows, horizon).reindex(columns=names, fill_value=0.0), float(event.sum()))
    return Examined(passport, level, tuple(names), tested, rows)


def _failures(auc: Estimate, slope: Estimate, baselines: pd.DataFrame) -> list[str]:
    beaten = [name for name, gain in zip(baselines.name, baselines.gain, strict=True) if not gain > 0]
    far = slope.high < SLOPES[0] or slope.low > SLOPES[1] or math.isnan(slope.value)
    return [*(["chance"] if not auc.low > 0.5 else []), *beaten, *(["slope"] if far else [])]


def _measured(estimate: Estimate, n: int, unit: str = "number") -> Measurement:
    if math.isnan(estimate.value):
        return not_applicable(N_("it never differs"), unit=unit)
    low, high = (None if math.isnan(end) else end for end in (estimate.low, estimate.high))
    return Measurement(estimate.value, n=n, low=low, high=high, unit=unit)


def _baselines(tested, train, columns, outcome: Outcome, horizon: int) -> pd.DataFrame:
    """Tenure alone, fitted to the same months; the company's own health score, where half of the rows have one."""
    age = [name for name in TENURE if name in columns]
    scores = {"tenure": _fit(columns[age], train, outcome).logit(design(tested, train, horizon)[age])} if age else {}
    if "health" in tested and tested.health.notna().mean() >= 0.5:
        scores["health"] = tested.health.to_numpy(float) * (-1 if outcome == "churned" else 1)
    records = []
    for name, score in scores.items():
        known = ~np.isnan(score)
        event, who = tested[outcome].to_numpy()[known], tested.customer.to_numpy()[known]
        alone = calibration.auc(score[known], event, who)
        gain = calibration.auc_gain(tested.chance.to_numpy()[known], score[known], event, who)
        people = len(set(who))
        if not math.isnan(gain.value):
            records.append((name, people, alone.value, alone.low, alone.high, gain.value, gain.low, gain.high))
    return _frame(records, _BASELINES)


def _told(model: Logistic, names: list[str], columns: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The odds ratio of one step of every feature, how much of it is on record, and how far it has drifted since."""
    errors = np.sqrt(np.diag(model.covariance))
    records = []
    for i, name in enumerate(names, 1):
        step = step_of(name)
        by = step / model.scales[i - 1]
        effect, half = model.coefficients[i] * by, calibration.Z * errors[i] * by
        moved = calibration.drift(columns[name], now[name]) if len(now) else math.nan
        odds = (math.exp(effect), math.exp(effect - half), math.exp(effect + half))
        records.append((name, step, *odds, float(columns[name].notna().mean()), moved, abs(model.coefficients[i])))
    frame = pd.DataFrame(records, columns=[*_FEATURES, "weight"]).sort_values("weight", ascending=False, kind="stable")
    return frame[_FEATURES].reset_index(drop=True)
