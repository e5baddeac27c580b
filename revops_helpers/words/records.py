"""The records in words: where every row went, what was refused, which fields and links fail, what stands twice."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revops_helpers.foundation.hygiene import Hygiene
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.checks import STALE_DAYS
from revops_helpers.metrics.measure import measurements
from revops_helpers.metrics.quality import SIX
from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    exact_money,
    label,
    listing,
    lower_first,
    n_,
    percent,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.marks import interval_bar
from revops_helpers.words.markup import Part, esc, plain, rich, tag
from revops_helpers.words.names import field, table_words
from revops_helpers.words.phase import available, named, upper_first

AGREED = N_("the operating agreement requires it")
RISK = ("arr_at_risk", "pipeline_at_risk", "revenue_at_risk")
MOST = 12  # rows shown of a list; the files of the review hold all of them

RULES: Mapping[str, str] = {
    "missing": N_("{field} is empty"),
    "required": N_("{field} is empty, and the agreement requires it"),
    "orphan": N_("{field} points at a record that is not there"),
    "past_due": N_("open deal whose closing date has passed"),
    "stale": N_("open deal without any work for {days} days"),
    "contact_before_creation": N_("lead contacted before it was created"),
    "twice": N_("{field} stands in another record too"),
    "owner_left": N_("open deal whose owner has left"),
}


def ledger_section(company: Company) -> Part:
    """The row ledger, and in words what was refused."""
    if company.ledger is None or company.ledger.empty:
        return parts.unavailable(_("exports read by this product"), _("the row ledger"))
    return parts.stack(
        parts.reading(_ledger_reading(company)), parts.details(_("The ledger, by table and source"), parts.ledger_table(company))
    )


def _ledger_reading(company: Company) -> str:
    rows = company.ledger[company.ledger.unit == "rows"]
    read, accepted, refused, later = (int(rows[c].sum()) for c in ("read", "accepted", "quarantined", "excluded"))
    whole = _(
        "**{read} rows read = {accepted} accepted + {refused} quarantined + {later} excluded**, in every table and in money.",
        read=count(read), accepted=count(accepted), refused=count(refused), later=count(later),
    )  # fmt: skip
    sums = company.ledger[(company.ledger.unit != "rows") & (company.ledger.quarantined.astype(float) != 0)]
    held = [
        f"{table_words(x.table)} {exact_money(int(x.quarantined), x.unit)}"
        for x in sums.sort_values("quarantined", ascending=False, key=abs).head(3).itertuples()
    ]
    money = _("Most money in quarantine: {list}.", list=listing([Text(text) for text in held])) if held else ""
    return Text(f"{whole} {money}".strip())


def quarantine_section(company: Company) -> Part:
    """The refused rows by table and rule, with what to do about each."""
    if not _has_refused(company):
        return parts.reading(_("No row was refused."))
    rules = _refused_by_rule(company)
    shown = [quarantine_table(company, MOST)]
    if (rest := len(rules) - MOST) > 0:
        shown.append(parts.details(n_("One more rule", "{n} more rules", rest), _rules_table(rules[MOST:])))
    top = rules.iloc[0]
    said = n_(
        "{n} row is in quarantine; the largest reason is “{rule}” in {table} ({rows}).",
        "{n} rows are in quarantine; the largest reason is “{rule}” in {table} ({rows}).",
        len(company.quarantine), rule=translated(top.rule), table=table_words(top.table), rows=count(top.rows),
    )  # fmt: skip
    kept = _(
        "Each is listed with its file and line in tables/quarantine.csv; what it said stays in the private cache. "
        "None is in any number of this report."
    )
    return parts.stack(*shown, parts.reading(said), parts.limit(kept))


def quarantine_table(company: Company, most: int) -> Part:
    """The rules that refused most rows, one a row."""
    return _rules_table(_refused_by_rule(company)[:most]) if _has_refused(company) else parts.reading(_("No row was refused."))


def _has_refused(company: Company) -> bool:
    return company.quarantine is not None and not company.quarantine.empty


def _refused_by_rule(company: Company) -> pd.DataFrame:
    by_rule = company.quarantine.groupby(["table", "rule"], as_index=False).agg(
        rows=("rule", "size"), advice=("advice", "first"), source=("source", "first")
    )
    return by_rule.sort_values(["rows", "table", "rule"], ascending=[False, True, True])


def _rules_table(rules: pd.DataFrame) -> Part:
    lines = [(x.table, x.source, translated(x.rule), translated(x.advice), count(x.rows)) for x in rules.itertuples()]
    heads = [_("Table"), _("Source"), _("Rule broken"), _("What to do"), _("Rows")]
    return parts.table(heads, lines, name=_("Refused rows by rule"))


# --- quality -------------------------------------------------------------------------------------------------------------


def quality_section(company: Company) -> Part:
    """The six qualities of the records on which decisions hang, their score, and the money on records that fail a check."""
    found = measurements(company, ["quality_score", *SIX, *RISK])
    if found["quality_score"].value is None:
        reason = translated(found["quality_score"].reason)
        return parts.unavailable(reason, _("how good the records are on which decisions hang"))
    lines = [(name_cell(name), m, _bar(m), count(m.n) if m.n else "") for name in ("quality_score", *SIX) if (m := found[name])]
    heads = [_("Quality"), _("Checks passed"), _("0 to 100%"), _("Checks asked")]
    risk = [(name_cell(name), found[name], count(found[name].n) if found[name].n else "") for name in RISK]
    limit = _("Limit: of companies, leads, deals and subscription lines only; the rows refused are among them.")
    return parts.stack(
        parts.reading(_quality_reading(found)),
        parts.table(heads, lines, name=_("Six qualities of the records")),
        parts.table([_("What rests on records that fail a check"), _("Money"), _("Records")], risk),
        parts.limit(limit),
    )


def _bar(m: Measurement) -> Part:
    return Part("bar", interval_bar(m.value, m.low, m.high, span=(0.0, 1.0), state="open"), "")


def _quality_reading(found: Mapping[str, Measurement]) -> Text:
    weakest = min((name for name in SIX if found[name].value is not None), key=lambda name: found[name].value)
    score, risk = found["quality_score"], found["revenue_at_risk"]
    said = _(
        "**Data quality score {score}; the lowest of the six: “{weakest}”, {share}.**",
        score=with_interval(score), weakest=label(weakest), share=with_interval(found[weakest]),
    )  # fmt: skip
    if not risk.value:
        return said
    rests = _(
        "{worth} of ARR and open pipeline rests on records that fail a check, each amount counted once.", worth=value_of(risk)
    )
    return sentences(said, rests)


# --- hygiene -------------------------------------------------------------------------------------------------------------


@available(N_("which fields and links cannot be trusted, and the money on them"))
def fields_section(clean: Hygiene, company: Company) -> Part:
    """How full the fields are on which decisions hang, emptiest first."""
    rows = clean.completeness.sort_values(["share", "table", "column"])
    lines = [_field_row(x) for x in rows.itertuples()]
    heads = [_("Field"), _("Filled"), _("0 to 100%"), _("Asked of"), _("What rests on it")]
    grid = parts.table(heads, lines, name=_("Fields on which decisions hang"))
    return parts.stack(grid, parts.reading(_fields_reading(clean)))


def _field_row(x) -> tuple:
    rests = _(x.decision or AGREED)
    rests = _("{rests}; only open deals lack it", rests=rests) if x.open_only else rests
    return _field_cell(x), _share(x), _bar(_share(x)), count(x.tested), rests


def _field_cell(x) -> Part:
    """Its name, and below it what the model calls it, for those who fill it."""
    words, name = field(x.table, x.column), f"{x.table}.{x.column}"
    small = tag("small", esc(name)) if words != name else ""
    return Part("field", f"{rich(words)}{small}", plain(words))


def _share(x) -> Measurement:
    return Measurement(float(x.share), n=int(x.tested), low=float(x.low), high=float(x.high), unit="percent")


def _fields_reading(clean: Hygiene) -> str:
    rows = clean.completeness
    if rows.empty:
        return _("None of the fields on which decisions hang is exported.")
    worst = rows.sort_values("share").iloc[0]
    full = int((rows.failing == 0).sum())
    lacking = [lower_first(field(*name.split("."))) for name in clean.absent]
    absent = _("No export has {fields}.", fields=named(lacking)) if lacking else ""
    if full == len(rows):
        return Text(" ".join(t for t in (_("**Every field on which a decision hangs is filled.**"), absent) if t))
    empty = _(
        "**Emptiest: {field}. {failing} of {tested} records lack it.**",
        field=lower_first(field(worst.table, worst.column)), failing=count(worst.failing), tested=count(worst.tested),
    )  # fmt: skip
    rest = n_("{n} of {all} field is complete.", "{n} of {all} fields are complete.", full, all=count(len(rows)))
    return Text(" ".join(text for text in (empty, rest, absent) if text))


@available(N_("which fields and links cannot be trusted, and the money on them"))
def checks_section(clean: Hygiene, company: Company) -> Part:
    """The checks that records fail, with the money that hangs on them."""
    limit = _("Limit: a record that fails may still be right. The money is what rests on it, not what would be lost.")
    return parts.stack(checks_table(clean, company, 2 * MOST), parts.reading(_risk_reading(clean)), parts.limit(limit))


def checks_table(clean: Hygiene, company: Company, most: int) -> Part:
    """The failed checks on which most money rests, one a row."""
    failing = clean.rules[clean.rules.failing > 0].sort_values("money", ascending=False, na_position="last")
    lines = [_check_row(x, company.settings.currency) for x in failing.head(most).itertuples()]
    heads = [_("Check"), _("Fail"), _("Of"), _("Share"), _("Money on them")]
    return (
        parts.table(heads, lines, name=_("Checks that records fail")) if lines else parts.reading(_("No record fails a check."))
    )


def rule_words(rule: str, field: str) -> Text:
    """A check in words; field: what the field is called."""
    return _(RULES[rule], field=field, days=count(STALE_DAYS))


def _check_row(x, currency: str) -> tuple:
    money = "" if pd.isna(x.money) else amount(int(x.money), currency)
    return upper_first(rule_words(x.rule, field(x.table, x.column))), count(x.failing), count(x.tested), _share(x), money


def _risk_reading(clean: Hygiene) -> str:
    said = []
    for risk, whole, words in (
        (
            clean.pipeline_at_risk,
            clean.pipeline,
            N_("**{worth} of open pipeline ({share}) rests on records that fail a check**, each deal counted once."),
        ),
        (clean.arr_at_risk, clean.arr, N_("So does **{worth} of ARR ({share})**, each company counted once.")),
    ):
        if risk.value and whole:
            said.append(_(words, worth=value_of(risk), share=Quantity(percent(risk.value / whole), risk.definition_id)))
    return Text(" ".join(said)) or _("No money rests on a record that fails a check.")
