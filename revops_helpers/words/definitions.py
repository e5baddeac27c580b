"""What a metric means: the link from its name to the page of definitions, its facts, and the folded definitions of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from revops_helpers.metrics.metric import Metric
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words.language import N_, Text, _, data, label
from revops_helpers.words.markup import PAGE, Part, esc, linked, nested, plain, rich, tag

FAMILIES: Mapping[str, str] = {
    "revenue": N_("Revenue"),
    "efficiency": N_("Revenue efficiency"),
    "process": N_("Process efficiency"),
    "team": N_("Team productivity"),
    "customer": N_("Customer"),
    "predictability": N_("Predictability"),
    "marketing": N_("Marketing"),
    "data_and_stack": N_("Data and stack"),
}
BETTER: Mapping[str, str] = {
    "higher": N_("higher is better"),
    "lower": N_("lower is better"),
    "neither": N_("neither is better"),
}


def named(metric_id: str, words: Text | None = None) -> str:
    """The name of a metric as HTML: a quiet link to its definition; plain words where the catalogue has no such metric."""
    return linked(metric_id, rich(label(metric_id) if words is None else words))


def name_cell(metric_id: str, words: Text | None = None) -> Part:
    """The name of a metric as a cell of a table, which leads to its definition."""
    return Part("name", named(metric_id, words), plain(label(metric_id) if words is None else words))


def facts_of(metric: Metric) -> dict[Text, Text]:
    """Name → what the record says, in the reader's language, without what it leaves empty. The sentence comes first."""
    unit = Text("; ".join((_(metric.grain), _(metric.unit), _(BETTER[metric.direction]))))
    facts: Mapping[Text, Text] = {
        _("Definition"): _(metric.definition),
        _("Formula"): _(metric.formula),
        _("Grain, unit"): unit,
        _("Owner"): _(metric.owner),
        _("Source"): _(metric.source),
        _("Needs"): data(", ".join(metric.needs)),
        _("Timing"): _(metric.timing),
        _("Edge cases"): _(metric.edge_cases),
        _("Benchmarks"): data("; ".join(f"{_(b.text)} ({b.source}, {b.year})" for b in metric.benchmarks)),
    }
    return {name: text for name, text in facts.items() if text}


def fact_list(rows: Sequence[tuple[Text, str]]) -> str:
    """Names and what they stand for (HTML already) as a list of definitions."""
    return tag("dl", "".join(tag("dt", esc(name)) + tag("dd", html) for name, html in rows), class_="def")


def definitions(company: Company | None, metric_ids: Iterable[str], queries: bool = True) -> Part:
    """The definition of every metric named, with the SQL that computed it; folded, one after another, each at `def-<metric>`."""
    from revops_helpers.metrics.catalogue import catalogue

    metrics = [catalogue()[metric_id] for metric_id in metric_ids]
    folded = [_definition(metric, _query(company, metric.id) if queries else "") for metric in metrics]
    return Part("definitions", "".join(p.html for p in folded), "\n\n".join(p.text for p in folded), {"parts": nested(folded)})


def _query(company: Company, metric_id: str) -> str:
    """The SQL of a metric; none where the company lacks what it needs, or it is not measured by the segment under review."""
    from revops_helpers.metrics.measure import sql

    try:
        return sql(company, metric_id)
    except Unavailable:
        return ""


def _definition(metric: Metric, query: str) -> Part:
    facts = facts_of(metric)
    more = tag("a", rich(_("All reports that show it")), href=f"{PAGE}#{metric.id}")
    listed = fact_list([*((name, rich(text)) for name, text in facts.items()), (_("Shown in"), more)])
    text = "\n".join([plain(_(metric.label)), *(f"{name}: {plain(text)}" for name, text in facts.items())])
    whole = tag("summary", rich(_(metric.label))) + listed + (query_html(query) if query else "")
    return Part("definition", tag("details", whole, id=f"def-{metric.id}"), text, {"metric": metric.id})


def query_html(query: str) -> str:
    """A query in a box that scrolls by keyboard."""
    return tag("pre", esc(query), tabindex="0")
