"""How deals end and which sources win, over everything on record; and the headline where the gap to plan cannot be told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from revops_helpers.foundation.totals import Totals, totals
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import figures, parts
from revops_helpers.words import gap as gap_words
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Text, _, count, exact_money, n_, percent, sentences, with_interval
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, is_there, named

if TYPE_CHECKING:
    from revops_helpers.optimization.endings import Endings
    from revops_helpers.optimization.target_gap import Gap

FEW = 20  # wins, or leads not won, below which a source is not ranked
SHOWN = 10
STATUSES = {"won": N_("Won"), "lost": N_("Lost"), "open": N_("Open")}
COUNTED = {"won": "deals_won", "open": "pipeline"}  # the metric that counts or sums them
# Names that are no source, in plain letters: what stands there when nobody recorded one.
NOBODY = (
    *("unknown", "other", "others", "na", "none", "null", "notset", "notrecorded", "undefined", "select"),
    *("desconhecido", "desconhecida", "outro", "outra", "outros", "outras", "naoinformado", "nãoinformado", "semorigem"),
)


def title(company: Company, gap: Gap | Unavailable) -> Text:
    """How far from plan; where that cannot be told, what can be, and which tables the gap needs."""
    if is_there(gap):
        return gap_words.title(gap)
    told, lacking = _told(company.ask(totals)), [need for need in gap.missing if "." not in need]
    if told is None:
        return gap_words.title(gap)
    if not lacking or len(lacking) < len(gap.missing):
        return _("{told}; how far from plan cannot be told yet", told=told)
    return _("{told}; the gap to plan needs {needs}", told=told, needs=named(lacking))


def _told(all_: Totals | Unavailable) -> Text | None:
    if not is_there(all_):
        return None
    counts = {name: int(value) for name, value in all_.counts.items()}
    if counts.get("leads_won"):
        words = {"won": count(counts["leads_won"]), "leads": count(counts["leads"])}
        return n_("{won} of {leads} leads was won", "{won} of {leads} leads were won", counts["leads_won"], **words)
    if counts.get("won") and counts.get("lost"):
        words = {"won": count(counts["won"]), "all": count(counts["won"] + counts["lost"])}
        return n_("{won} of {all} decided deals was won", "{won} of {all} decided deals were won", counts["won"], **words)
    return None


# --- sources -------------------------------------------------------------------------------------------------------------


@available(N_("which sources' leads are won"))
def sources_section(all_: Totals) -> Part:
    """The share of leads won by source, over all leads on record; small sources are shown and not ranked."""
    sources = all_.by_source
    if sources.empty or not sources.won.sum():
        return parts.reading(_("No lead on record leads to a won deal, so sources cannot be compared."))
    rows = [(str(x.source), _share(x)) for x in sources.itertuples()]
    ranked = sorted((row for row in rows if row[1].status == "ok"), key=lambda row: -row[1].value)
    small = [row for row in rows if row[1].status != "ok"]
    said = [parts.reading(sources_reading(all_, ranked))]
    if warned := _nobody(all_, ranked):
        said.append(parts.warning(warned))
    few = n_(
        "{n} source with too few wins is listed and not ranked.",
        "{n} sources with too few wins are listed and not ranked.",
        len(small),
    )
    young = _("Limit: young leads may still be won, and no source was given its leads by chance.")
    said.append(parts.limit(sentences(young, few if small else "")))
    heads = [_("Source"), name_cell("leads"), _("Won"), _("Won, of leads")]
    lines = [(member(x.source), count(x.leads), count(x.won), _share(x)) for x in sources.itertuples()]
    numbers = parts.details(_("Every source in numbers"), parts.table(heads, lines, name=_("Leads won by source")))
    if not ranked:
        return parts.stack(*said, numbers)
    alt = Text("; ".join(_("{stage} {share}", stage=member(name), share=with_interval(share)) for name, share in ranked[:SHOWN]))
    note = _("Share of all leads on record whose deal is won by now. Line: 95% interval.")
    drawn = parts.picture(
        figures.bars([(member(name), share) for name, share in ranked[:SHOWN]], better="neither"), _title(ranked), note, alt
    )
    return parts.stack(parts.beside(drawn, *said), numbers)


def _share(x) -> Measurement:
    few = min(x.won, x.leads - x.won) < FEW
    state = {"status": "insufficient", "reason": N_("fewer than 20 events")} if few else {}
    return Measurement(float(x.share), n=int(x.leads), low=float(x.low), high=float(x.high), unit="percent", **state)


def _title(ranked: list[tuple[str, Measurement]]) -> Text:
    if ranked[0][1].low <= ranked[-1][1].high:
        return _("No source's leads are won clearly more often than another's")
    return _(
        "Leads of {source} are won most often: {share}",
        source=member(ranked[0][0]),
        share=percent(ranked[0][1].value, 1),
    )


def sources_reading(all_: Totals, ranked: list[tuple[str, Measurement]]) -> Text:
    """The share over all leads, and the best and the worst source where they stand clear of each other."""
    won, leads = int(all_.by_source.won.sum()), int(all_.by_source.leads.sum())
    words = {"won": count(won), "leads": count(leads), "share": percent(won / leads, 1)}
    whole = n_(
        "**{won} of {leads} leads on record is won: {share}.**",
        "**{won} of {leads} leads on record are won: {share}.**",
        won,
        **words,
    )
    if len(ranked) < 2:
        return whole
    (best, most), (worst, least) = ranked[0], ranked[-1]
    ends = {"best": member(best), "most": with_interval(most), "worst": member(worst), "least": with_interval(least)}
    if most.low > least.high:
        return sentences(whole, _("By source from {worst}, {least}, to {best}, {most}.", **ends))
    return sentences(whole, _("No source stands clear of another: {worst} {least}, {best} {most}.", **ends))


def _nobody(all_: Totals, ranked: list[tuple[str, Measurement]]) -> Text | None:
    """The best "source" is the one that nobody recorded."""
    nameless = all_.by_source[[is_nobody(str(name)) for name in all_.by_source.source]]
    share = percent(nameless.leads.sum() / all_.by_source.leads.sum())
    if ranked and is_nobody(ranked[0][0]):
        words = {"source": ranked[0][0], "share": share}
        return _(
            "**The best “source” is “{source}”**, which is none: {share} of leads have no known source. "
            "Until they have, the field cannot steer spend.",
            **words,
        )
    return None


def is_nobody(source: str) -> bool:
    """Whether a source's name says that the source is not known."""
    plain = re.sub(r"[\W_]", "", source.lower())
    return not plain or plain in NOBODY


# --- endings -------------------------------------------------------------------------------------------------------------


@available(N_("how deals end and how long winning takes"))
def endings_section(ends: Endings, company: Company) -> Part:
    """Counts and value by status, the win rate, and the time to win both ways."""
    currency = company.settings.currency
    lines = [
        (
            name_cell(COUNTED.get(x.status, ""), _(STATUSES[x.status])),
            count(x.deals),
            count(x.priced),
            exact_money(int(x.amount), currency) if x.priced else "",
        )
        for x in ends.statuses.itertuples()
    ]
    lines.append((_("All"), count(ends.statuses.deals.sum()), count(ends.statuses.priced.sum()), ""))
    heads = [_("Status"), _("Deals"), _("With an amount"), _("Amount")]
    left = parts.table(heads, lines, name=_("Deals by status"))
    measures = [
        (name_cell("win_rate", _("Win rate: won, of won and lost")), ends.win_rate),
        (_("Mean days to win, won deals only"), ends.mean),
        (name_cell("cycle_days", _("Median days to win, open and lost deals counted")), ends.median),
    ]
    right = parts.table([_("Measure"), _("Value")], measures, name=_("How deals end"))
    undated = n_("{n} deal lacks a date and is in no time.", "{n} deals lack a date and are in no time.", ends.undated)
    limit = _("Limit: all new business on record up to the day of this report, not of its period.")
    limit = parts.limit(sentences(limit, undated if ends.undated else ""))
    return parts.stack(parts.beside(left, right), parts.reading(endings_reading(ends)), limit)


def endings_reading(ends: Endings) -> Text:
    """The win rate, and what the mean of the won leaves out."""
    won, lost = ends.deals("won"), ends.deals("lost")
    if ends.win_rate.value is None:
        first = n_(
            "**{won} deal is won; there is no win rate:** {reason}.",
            "**{won} deals are won; there is no win rate:** {reason}.",
            won,
            won=count(won),
            reason=translated(ends.win_rate.reason),
        )
    else:
        words = {"won": count(won), "decided": count(won + lost), "rate": with_interval(ends.win_rate)}
        first = n_(
            "**{won} of {decided} decided new-business deals is won: {rate}.**",
            "**{won} of {decided} decided new-business deals are won: {rate}.**",
            won,
            **words,
        )
    if ends.mean.value is None or ends.median.value is None:
        return first
    words = {"mean": with_interval(ends.mean), "median": with_interval(ends.median)}
    return sentences(
        first,
        _(
            "The won took {mean} at the mean. That leaves out the deals still open, the slow ones among them, and the lost.",
            **words,
        ),
        _("With them counted, half of those that win have won after {median}.", **words),
    )
