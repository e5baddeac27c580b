"""What the roles' pages are put together from: views, each a sentence and a part, asked by name (see notebooks/roles.yml)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import as_measurement, catalogue, measure, measurement, target
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months, last_closed_month_end, month_start
from revops_helpers.words import figures, lists, parts
from revops_helpers.words.language import (
    Quantity,
    Text,
    _,
    data,
    day,
    label,
    lower_first,
    money_unit,
    month,
    percent,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.lists import MOST, View, lacking
from revops_helpers.words.names import field
from revops_helpers.words.names import member as called
from revops_helpers.words.phase import is_there, needs

TIMES = ("month", "quarter")


def view(company: Company, name: str, member: str = "", of: str = "") -> View:
    """One view of a company by its name; of one person's records where it lists people's and `member` names one.

    of: the dimension that `member` belongs to, such as seller, for a metric by month or quarter.
    """
    metric, by, cut = name.partition(" by ")
    if by:
        return over_time(company, metric, cut, (of, member)) if cut in TIMES else by_member(company, metric, cut)
    return company.once(f"view {name} {member}", lambda: VIEWS[name](company, member))


# --- pictures ------------------------------------------------------------------------------------------------------------


def gap(company: Company, member: str = "") -> View:
    """How far from plan, and why."""
    from revops_helpers.optimization.target_gap import gap_to_plan
    from revops_helpers.words import gap as gap_words
    from revops_helpers.words.endings import title

    found = company.ask(gap_to_plan)
    if not is_there(found):
        return View(title(company, found), parts.unavailable(needs(found), _("how far from plan the company is, and why")))
    said = [parts.reading(text) for text in gap_words.why(found)]
    return View(title(company, found), parts.beside(gap_words.waterfall(found), *said))


def year(company: Company, member: str = "") -> View:
    """Where the year is likely to end, and what keeps it from plan."""
    from revops_helpers.optimization.forecast import year_forecast
    from revops_helpers.optimization.target_gap import gap_to_plan
    from revops_helpers.words import gap as gap_words
    from revops_helpers.words.endings import title

    found = company.ask(gap_to_plan)
    if not is_there(found):
        return View(title(company, found), parts.unavailable(needs(found), _("how far from plan the company is, and why")))
    forecast = company.ask(year_forecast)
    said = [parts.reading(text) for text in gap_words.why(found)]
    heading = gap_words.fan_title(found, forecast if is_there(forecast) and len(forecast.months) else None)
    return View(heading, parts.beside(gap_words.fan(found, forecast, 240), *said))


def stages(company: Company, member: str = "") -> View:
    """In which stage deals wait."""
    from revops_helpers.optimization.stages import stage_funnel
    from revops_helpers.words.funnel import stages_section, stages_title

    found = company.ask(stage_funnel)
    return View(stages_title(found) if is_there(found) else None, stages_section(found))


def leads(company: Company, member: str = "") -> View:
    """Where leads stop."""
    from revops_helpers.optimization.funnel import lead_funnel
    from revops_helpers.words.funnel import funnel_section, funnel_title

    found = company.ask(lead_funnel)
    return View(funnel_title(found) if is_there(found) else None, funnel_section(found))


def response(company: Company, member: str = "") -> View:
    """How long leads wait for a first contact, and how many never have one."""
    from revops_helpers.alignment.response import response as asked
    from revops_helpers.words.response import response_section, response_title

    found = company.ask(asked)
    told = is_there(found) and found.leads
    return View(response_title(found) if told else None, response_section(found))


def credit(company: Company, member: str = "") -> View:
    """Which channels won deals are credited to, and how far that hangs on the model."""
    from revops_helpers.alignment.closed_loop import closed_loop
    from revops_helpers.words.closed_loop import credit_section, credit_title

    found = company.ask(closed_loop)
    return View(credit_title(found) if is_there(found) and found.won else None, credit_section(found, company))


def leaving(company: Company, member: str = "") -> View:
    """What goes with leaving."""
    from revops_helpers.intelligence.hazards import churn_hazards
    from revops_helpers.words.hazards import hazards_section, hazards_title

    found = company.ask(churn_hazards)
    return View(hazards_title(found) if is_there(found) and found.events else None, hazards_section(found))


def coverage(company: Company, member: str = "") -> View:
    """Whether there is enough pipeline for the quarter."""
    from revops_helpers.optimization.coverage import coverage as asked
    from revops_helpers.words.pipeline import coverage_section

    found = company.ask(asked)
    if not is_there(found) or found.coverage.value is None:
        return View(None, coverage_section(found))
    words = {"coverage": value_of(found.coverage), "end": day(found.quarter.end), "open": value_of(found.open)}
    if found.needed.value is None:
        return View(_("{open} is open and due by {end}: {coverage} what is to be won", **words), coverage_section(found))
    words["needed"] = value_of(found.needed)
    title = _("{open} is open and due by {end}: {coverage} what is to be won, where {needed} made the number before", **words)
    return View(title, coverage_section(found))


def fields(company: Company, member: str = "") -> View:
    """The emptiest of the fields on which decisions hang."""
    from revops_helpers.foundation.hygiene import hygiene

    return _fields(company.ask(hygiene))


def _fields(found) -> View:
    if not is_there(found) or found.completeness.empty:
        return View(None, parts.unavailable(_("leads, accounts or deals"), _("which fields are filled")))
    rows = found.completeness.sort_values(["share", "table", "column"]).head(MOST - 1)
    items = [
        (field(x.table, x.column), Measurement(x.share, n=int(x.tested), low=x.low, high=x.high, unit="percent"))
        for x in rows.itertuples()
    ]
    title = _("Emptiest field on which decisions hang: {field}, {share} filled", field=lower_first(items[0][0]),
              share=value_of(items[0][1]))  # fmt: skip
    note = _("Share of the records asked that have the field. Line: 95% interval.")
    rests = [_("{field}: {rests}", field=field(x.table, x.column), rests=_(x.decision)) for x in rows.itertuples() if x.decision]
    drawn = parts.picture(figures.bars(items, better="neither"), title, note, _alt(items))
    return View(title, parts.beside(drawn, parts.points(_("What rests on them"), rests[:5])) if rests else drawn)


def by_member(company: Company, metric: str, dimension: str) -> View:
    """One bar a member, the largest or best known first, against the whole."""
    found = measure(company, metric, by=dimension)
    known = found[found.value.notna()]
    if known.empty:
        return View(None, parts.unavailable(lacking(company, metric, found), _by(metric, dimension)))
    whole = measurement(company, metric)
    shown = known.sort_values("n", ascending=False, kind="stable").head(MOST).sort_values("value", ascending=False, kind="stable")
    items = [(called(str(row["member"])), as_measurement(row)) for _i, row in shown.iterrows()]
    reference = None if catalogue()[metric].estimator == "sum" else whole.value
    title = _cut_title(metric, dimension, items, whole)
    note = _("{period}. Line: 95% interval.", period=span(company.period))
    if reference is not None:
        note = _("{period}. Line: 95% interval; dashed: the whole company.", period=span(company.period))
    drawn = figures.bars(items, reference, catalogue()[metric].direction)
    limit = _("Limit: parts differ in more than {cut}.", cut=_cut(dimension))
    if any(m.status != "ok" for _name, m in items):
        limit = sentences(limit, _("Drawn hollow: under 20 cases, or not all is known yet."))
    return View(title, parts.beside(parts.picture(drawn, title, note, _alt(items)), parts.limit(limit)))


def _cut_title(metric: str, dimension: str, items: list[tuple[str, Measurement]], whole: Measurement) -> Text:
    """The member that is clearly worst, or that none is; of sums, the largest."""
    words = {"metric": label(metric), "cut": _cut(dimension)}
    if catalogue()[metric].estimator == "sum":
        name, most = items[0]
        total = sum(m.value for _n, m in items)
        share = Quantity(percent(most.value / total), metric) if total else value_of(most)
        return _("{metric} by {cut}: {name} has {share} of it", name=data(name), share=share, **words)
    higher = catalogue()[metric].direction == "higher"
    off = [(name, m) for name, m in items if m.status == "ok" and m.clear_of(whole.value) and (m.value < whole.value) == higher]
    if not off:
        return _("{metric} by {cut}: none is clearly worse than the whole ({whole})", whole=value_of(whole), **words)
    name, worst = off[-1] if higher else off[0]
    words |= {"name": data(name), "worst": value_of(worst), "whole": value_of(whole)}
    return _("{metric} by {cut}: {name} is clearly worse, at {worst} against {whole}", **words)


def over_time(company: Company, metric: str, every: str, one: tuple[str, str] = ("", "")) -> View:
    """The last twelve closed months, against the target where there is one; of one member of a dimension, which has none."""
    end = last_closed_month_end(company.as_of)
    of, member = one if all(one) else ("", "")
    found = measure(company, metric, by=of, every=every, period=Period(add_months(month_start(end), -11), end))
    found = found[found.member == member]
    known = found[found.value.notna()]
    if len(known) < 2:
        return View(None, parts.unavailable(lacking(company, metric, found), _by(metric, every)))
    first, last = as_measurement(known.iloc[0]), as_measurement(known.iloc[-1])
    words = {"metric": label(metric), "first": value_of(first), "last": value_of(last), "since": month(known.period_end.iloc[0])}
    title = _("{metric}: {last}, {first} in {since}", **words)
    goal = target(company, metric) if catalogue()[metric].stock and not member else None
    drawn = figures.lines(found.assign(member=""), goal.value if goal else None)
    alt = Text("; ".join(f"{month(row['period_end'])} {value_of(as_measurement(row))}" for _i, row in known.iterrows()))
    when = {("month", True): _("At the end of each month."), ("month", False): _("Month by month."),
            ("quarter", True): _("At the end of each quarter."), ("quarter", False): _("Quarter by quarter.")}  # fmt: skip
    note = when[every, catalogue()[metric].stock]
    if last.unit == "money":
        note = sentences(note, _("In {unit}.", unit=money_unit(known[["value", "high"]].abs().max(axis=None), last.currency)))
    picture = parts.picture(drawn, title, note, alt)
    return View(title, parts.beside(picture, parts.reading(_steps_reading(known))))


def _steps_reading(known: pd.DataFrame) -> Text:
    """The largest rise and the largest fall from one period to the next."""
    steps = known.value.diff()
    like = as_measurement(known.iloc[-1])

    def said(at) -> dict[str, Text]:
        return {
            "step": value_of(replace(like, value=float(steps[at]), low=None, high=None), True),
            "when": month(known.period_end[at]),
        }

    up, down = steps.idxmax(), steps.idxmin()
    if steps[down] < 0 < steps[up]:
        words = said(up) | {f"low_{name}": text for name, text in said(down).items()}
        return _("The largest rise came in {when} ({step}), the largest fall in {low_when} ({low_step}).", **words)
    if steps[up] > 0:
        return _("It rose in every month, most in {when} ({step}).", **said(up))
    return _("It rose in no month; the largest step came in {when} ({step}).", **said(down))


def _alt(items: list[tuple[str, Measurement]]) -> Text:
    return Text("; ".join(f"{data(name)} {with_interval(m)}" for name, m in items))


def _by(metric: str, cut: str) -> Text:
    return _("{metric} by {cut}", metric=lower_first(label(metric)), cut=_cut(cut))


def _cut(dimension: str) -> Text:
    return Text(label(dimension).lower())


VIEWS: Mapping[str, Callable[[Company, str], View]] = {
    make.__name__: make
    for make in (
        *(gap, year, stages, leads, response, credit, leaving, coverage, fields),
        *(lists.deals, lists.team, lists.sources, lists.movements, lists.renewals),
        *(lists.arr_tie, lists.checks, lists.records, lists.refused),
    )
}
