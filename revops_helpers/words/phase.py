"""What the reports of all phases share: sections that know when they are not available, owners, dates, score rows, closings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import wraps

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.metrics.measure import as_measurement, catalogue, measured, target
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.contacts import CONTACT
from revops_helpers.periods import Period, add_months, last_closed_month_end, windows
from revops_helpers.words import parts
from revops_helpers.words.below import translated
from revops_helpers.words.language import N_, Text, _, count, data, day, label, listing, lower_first, n_, span

REVIEW_AFTER = timedelta(days=90)

# Who answers for a function where company.yml's `team` names nobody.
ROLES: Mapping[str, str] = {
    "marketing": N_("Head of marketing"),
    "sales_development": N_("Head of sales development"),
    "sales": N_("Head of sales"),
    "customer_success": N_("Head of customer success"),
    "finance": N_("Head of finance"),
    "revops": N_("Head of RevOps"),
}


def available(unlocks: str) -> Callable:
    """A section over a result that may be Unavailable: then it says what is needed and what that would unlock."""

    def decorate(words: Callable) -> Callable:
        @wraps(words)
        def section(*results, **more):
            for result in results:
                if isinstance(result, Unavailable):
                    return parts.unavailable(needs(result), _(unlocks))
            return words(*results, **more)

        return section

    return decorate


def needs(missing: Unavailable) -> str:
    """What is missing, for a reader: the columns of one table together, as subscriptions (mrr, starts_on)."""
    if not missing.missing:
        return translated(str(missing))
    tables: dict[str, list[str]] = {}
    for need in missing.missing:
        table, _dot, column = (translated(need), "", "") if " " in need else need.partition(".")
        tables.setdefault(table, []).extend([column] if column else [])
    listed = ", ".join(
        f"{table} ({', '.join(columns)})" if len(columns) > 1 else ".".join([table, *columns])
        for table, columns in tables.items()
    )
    if f"leads.{CONTACT}" in missing.missing:
        return _("{needs} (or activities with lead_id and direction)", needs=listed)
    return listed


def is_there(*results: object) -> bool:
    """Whether every result could be computed."""
    return not any(result is None or isinstance(result, Unavailable) for result in results)


def owner_of(company: Company, function: str) -> str:
    """Who answers for a function: whom company.yml's `team` names for it, else the role."""
    named = company.settings.team.get(function, function)
    return _(ROLES[named]) if named in ROLES else named


def review_on(company: Company) -> date:
    """When a finding of this review is looked at again: 90 days after its date, never counted from the clock."""
    return company.as_of + REVIEW_AFTER


def money(company: Company, cents: int | float | None, n: int = 0, reason: str = "") -> Measurement:
    """An exact amount in the reporting currency; with a reason instead of an amount, one that does not apply."""
    fields = {"unit": "money", "currency": company.settings.currency}
    if cents is None:
        return not_applicable(reason, **fields)
    return Measurement(round(cents), n=n, reason=reason, **fields)


def header(company: Company, kicker: str, title: str, deck: str = "", *, whole: bool = False) -> parts.Part:
    """The head of a report: what it is, the finding as title, and what it rests on. whole: it looks at every segment."""
    return parts.header(
        _("{report} · {period}", report=_(kicker), period=span(company.period)), title, deck, facts(company, whole)
    )


def facts(company: Company, whole: bool = False) -> list[str]:
    """As of which day, of how many rows, and of which part of the company."""
    lines = [_("As of {day}", day=day(company.as_of))]
    if company.segment:
        only, all_ = _("Segment {segment} only", segment=company.segment), _("The whole company, every segment")
        lines.append(all_ if whole else only)
    if company.ledger is not None and len(company.ledger):
        rows = company.ledger[company.ledger.unit == "rows"]
        sums = {name: count(int(rows[name].sum())) for name in ("read", "accepted", "quarantined", "excluded")}
        lines.append(_("{read} rows read = {accepted} accepted + {quarantined} quarantined + {excluded} excluded", **sums))
    if company.data_ends_on and company.data_ends_on < company.as_of:
        lines.append(_("**The data ends on {day}**", day=day(company.data_ends_on)))
    return lines


def unscored(company: Company, ids: Iterable[str], needed: Text) -> parts.Part:
    """What stands for a scorecard without a number: what the company lacks, or that it has it and there is nothing to count."""
    if all(row.value.reason.startswith("needs ") for row in score_rows(company, ids)):
        return parts.unavailable(needed, _("the scorecard"))
    return parts.reading(_("None of these measures has anything to count in {period}.", period=span(company.period)))


def score_rows(
    company: Company, ids: Iterable[str], groups: Mapping[str, str] | None = None, by: str = "", member: str = ""
) -> list[parts.ScoreRow]:
    """One score row per metric that the catalogue has: now, the period just before (unless that is the year before), the year
    before, its target, the last twelve months.

    With `by` and `member` those of one member, which has no targets. What is not available comes last in its group and says what
    it needs.
    """
    wanted = [name for name in ids if name in catalogue()]
    if not wanted:
        return []
    end = last_closed_month_end(company.as_of)
    now, before, months = company.period, company.period.year_before(), windows(Period(add_months(end, -12), end), "month")[1:]
    prior = now.just_before()
    found = _of_member(company, wanted, (now, prior, before, *months), by, member)
    rows = [
        parts.ScoreRow(
            metric=name,
            value=found(name, now),
            prior=found(name, prior) if prior != before else None,
            before=found(name, before),
            target=None if member else target(company, name),
            trend=[found(name, month).value for month in months],
            direction=catalogue()[name].direction,
            group=_((groups or {}).get(catalogue()[name].family, "")),
        )
        for name in wanted
    ]
    places = {row.group: i for i, row in reversed(list(enumerate(rows)))}
    return sorted(rows, key=lambda row: (places[row.group], row.value.value is None))


def _of_member(
    company: Company, ids: Sequence[str], periods: Sequence[Period], by: str, member: str
) -> Callable[[str, Period], Measurement]:
    """(metric, period) → its measurement, all in one query. That a member has no record of is not applicable."""
    rows = measured(company, ids, by, Windows.of(company.settings, tuple(dict.fromkeys(periods))))
    rows = rows[rows.member.isin(["", member])]
    told: dict[str, dict[Period, Measurement]] = {name: {} for name in ids}
    for _row, row in rows.iterrows():
        told[row.metric][Period(row.period_start, row.period_end)] = as_measurement(row)

    def at(name: str, period: Period) -> Measurement:
        spans = told[name]
        if period in spans:
            return spans[period]
        absent = not_applicable(N_("nothing on record"), unit=catalogue()[name].unit, definition_id=name)
        return next(iter(spans.values()), absent)  # one row for all periods where it cannot be measured at all

    return at


def score_title(rows: Sequence[parts.ScoreRow]) -> str:
    """How many measures miss their target, as a sentence."""
    from revops_helpers.words.scorecard import judge

    verdicts = [judge(row.value, row.target, row.direction) for row in rows]
    judged = [verdict for verdict in verdicts if verdict in ("ok", "bad", "noise")]
    behind, met = verdicts.count("bad"), verdicts.count("ok")
    if not judged:
        return _("No measure has a target to be judged by")
    words = {"behind": spelled(behind), "all": lower_first(spelled(len(judged)))}
    if not behind:
        missed = n_(
            "The one measure with a target does not miss it",
            "None of {all} measures with a target misses it",
            len(judged),
            **words,
        )
    elif len(judged) == 1:
        missed = _("The one measure with a target misses it")
    elif behind == len(judged):
        missed = _("All {all} measures with a target miss it", **words)
    else:
        missed = n_(
            "{behind} of {all} measures misses its target", "{behind} of {all} measures miss their target", behind, **words
        )
    reached = n_("one meets it beyond doubt", "{met} meet it beyond doubt", met, met=lower_first(spelled(met)))
    return _("{missed}; {reached}", missed=missed, reached=reached) if met else missed


def unavailable_metrics(company: Company) -> list[tuple[str, list[str]]]:
    """What the company lacks and the metrics that it would unlock: (table or column, metric labels), most unlocked first."""
    unlocks: dict[str, list[str]] = {}
    for name, metric in catalogue().items():
        for need in company.missing(metric.needs):
            unlocks.setdefault(need, []).append(label(name))
    return sorted(unlocks.items(), key=lambda item: (-len(item[1]), item[0]))


def findings_part(findings: Sequence[Finding], joint: Measurement | None = None) -> parts.Part:
    """The findings of one report as a table, with what acting on all of them is worth together."""
    return parts.findings_table(list(findings), joint)


def finding(
    phase: str,
    report: str,
    company: Company,
    id: str,
    anchor: str,
    function: str,
    headline: str,
    action: str,
    stake: Measurement | None = None,
    **more,
) -> Finding:
    """A finding of a phase, proved in a section of its report; without a stake no gain is claimed.

    function: who answers for it. more: fields of Finding; confidence is medium and kind cost where they are not among them.
    """
    return Finding(
        id=id,
        phase=phase,
        headline=headline,
        action=action,
        stake=money(company, None, reason=_("no gain claimed")) if stake is None else stake,
        owner=owner_of(company, function),
        review_on=review_on(company),
        evidence=f"{report}#{anchor}",
        **({"confidence": "medium", "kind": "cost"} | more),
    )  # fmt: skip


def doubts(assumed: Sequence[str], results: Sequence[object], more: Sequence[str] = ()) -> parts.Part:
    """What would change our mind: the assumptions, most fragile first, and what is missing: results that were not to be had, and
    more."""
    lacking = [_("Needs {needs}.", needs=needs(result)) for result in results if isinstance(result, Unavailable)]
    missing = list(dict.fromkeys([*lacking, *more]))
    left = parts.points(_("Assumptions, most fragile first"), assumed)
    return parts.beside(left, parts.points(_("Missing, and what it would unlock"), missing)) if missing else left


_SMALL = (
    N_("None"), N_("One"), N_("Two"), N_("Three"), N_("Four"), N_("Five"),
    N_("Six"), N_("Seven"), N_("Eight"), N_("Nine"), N_("Ten"),
)  # fmt: skip


def spelled(n: int) -> Text:
    """A number at the head of a sentence: Three, 12."""
    return _(_SMALL[n]) if 0 <= n < len(_SMALL) else count(n)


def upper_first(words: str) -> Text:
    """A clause at the head of a sentence."""
    return Text(words[:1].upper() + words[1:])


def named(items: Iterable[str], most: int = 3) -> Text:
    """a, b and c; of many the first few and how many more."""
    held = [item if isinstance(item, Text) else data(item) for item in items]
    if len(held) <= most:
        return listing(held)
    return _("{first} and {n} more", first=Text(", ".join(held[:most])), n=count(len(held) - most))
