"""The page of definitions: every metric of the catalogue as this review measures it, and the reports that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from revops_helpers.metrics.catalogue import HOW, catalogue
from revops_helpers.metrics.counting import lacking
from revops_helpers.metrics.metric import FAMILIES, Metric
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import definitions as words
from revops_helpers.words import parts
from revops_helpers.words.below import translated
from revops_helpers.words.lags import lag_note
from revops_helpers.words.language import Text, _, count, data, label, listing, lower_first, n_
from revops_helpers.words.markup import Part, esc, rich, tag
from revops_helpers.words.phase import needs

TABLE = "tables/metrics.csv"  # where every metric is, also one that no report shows
Shown = Mapping[str, Sequence[tuple[str, str]]]  # metric → name and address of each page that shows it


def headline(company: Company) -> Text:
    """How many metrics there are, and how many of them can be measured here."""
    every = catalogue()
    here = sum(not lacks(company, metric) for metric in every.values())
    if here == len(every):
        return _("{n} metrics, each defined once and all measured here", n=count(len(every)))
    return _("{n} metrics, each defined once; {here} can be measured here", n=count(len(every)), here=count(here))


def glossary(company: Company, queries: Mapping[str, str], shown: Shown) -> list[Part]:
    """The body of the page: a section a family, an entry a metric, each at its id.

    queries: metric → the SQL that the engine ran; shown: see Shown. A metric that is missing in either has none.
    """
    intro = _(
        "Every number of this review is one record. Money is in {currency} at plan rates, intervals are 95%, days are the"
        " company's own. Benchmarks are dated context, never pass or fail.",
        currency=company.settings.currency,
    )
    made = [Part("deck", tag("p", rich(intro), class_="deck"), intro)]
    for family in FAMILIES:
        metrics = [metric for metric in catalogue().values() if metric.family == family]
        made += _family(company, family, metrics, queries, shown) if metrics else []
    return made


def _family(company: Company, family: str, metrics: Sequence[Metric], queries: Mapping[str, str], shown: Shown) -> list[Part]:
    name = _(words.FAMILIES[family])
    lost = sum(bool(lacks(company, metric)) for metric in metrics)
    said = n_("{name}: {n} metric", "{name}: {n} metrics", len(metrics), name=name)
    if lost:
        said = _("{metrics}, {lost} not measured here", metrics=said, lost=count(lost))
    links = ", ".join(tag("a", rich(label(metric.id)), href=f"#{metric.id}") for metric in metrics)
    listed = Part("note", tag("p", links, class_="note"), ", ".join(label(metric.id) for metric in metrics))
    entries = [_entry(company, metric, queries.get(metric.id, ""), shown.get(metric.id, ())) for metric in metrics]
    return [parts.section(said, anchor=f"family-{family}", short=name), listed, *entries]


def _entry(company: Company, metric: Metric, query: str, pages: Sequence[tuple[str, str]]) -> Part:
    """One metric: its sentence, why it cannot be measured here if so, what its record says, where it is shown, its SQL."""
    sentence, *facts = words.facts_of(metric).items()
    rows = [(name, rich(text)) for name, text in facts]
    rows += [(_("Interval"), rich(_(HOW[metric.estimator])))]
    if metric.parts:
        rows.append((_("Computed from"), ", ".join(tag("a", rich(label(part)), href=f"#{part}") for part in metric.parts)))
    if metric.dimensions:
        rows.append((_("Cut by"), rich(listing([lower_first(label(name)) for name in metric.dimensions]))))
    if lag := lag_note(company, [metric.id]):
        rows.append((_("Lag"), rich(lag)))
    rows.append((_("Shown in"), _shown(pages)))
    absent = lacks(company, metric)
    head = tag("h3", rich(label(metric.id)), id=metric.id) + tag("p", rich(sentence[1]), class_="sub")
    folded = tag("summary", esc(_("SQL of {metric}", metric=label(metric.id)))) + words.query_html(query)
    sql = tag("details", folded, class_="fold") if query else ""
    html = tag("div", head + (absent.html if absent else "") + words.fact_list(rows) + sql, class_="entry")
    text = "\n".join([label(metric.id), sentence[1], *([absent.text] if absent else [])])
    return Part("entry", html, text, {"metric": metric.id, "pages": [href for _name, href in pages], "available": not absent})


def _shown(pages: Sequence[tuple[str, str]]) -> str:
    """Links to the pages; to the table of all metrics where no page shows it."""
    if not pages:
        return tag("a", rich(_("No report; its values are in the table of every metric")), href=TABLE)
    return ", ".join(tag("a", rich(data(name)), href=href) for name, href in pages)


def lacks(company: Company, metric: Metric) -> Part | None:
    """Why the metric cannot be measured here: the tables and columns that it needs, or what the records cannot tell."""
    missing = company.missing(list(dict.fromkeys(_needs(metric))))
    if missing:
        return parts.unavailable(needs(Unavailable(missing)), lower_first(label(metric.id)))
    if reason := next((why for why in (lacking(company, one, "") for one in _with_parts(metric)) if why), ""):
        text = _("**Not measured here:** {reason}", reason=translated(reason))
        return Part("unavailable", tag("p", rich(text), class_="none"), text)
    return None


def _with_parts(metric: Metric) -> list[Metric]:
    return [metric, *(one for part in metric.parts for one in _with_parts(catalogue()[part]))]


def _needs(metric: Metric) -> list[str]:
    return [need for one in _with_parts(metric) for need in one.needs]
