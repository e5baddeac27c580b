"""Whether a fast answer pays, in words: leads contacted in time beside the others, with what would explain it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revops_helpers.words import parts
from revops_helpers.words.language import N_, Text, _, count, listing, number, percent, sentences, value_of, with_interval
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available
from revops_helpers.words.response import agreed

if TYPE_CHECKING:
    from revops_helpers.alignment.speed import Comparison, Speed

HELD: Mapping[str, str] = {
    "score": N_("score"),
    "source": N_("source"),
    "segment": N_("segment"),
    "owner": N_("owner"),
    "hour": N_("hour and weekend"),
    "quarter": N_("quarter"),
}


@available(N_("whether leads answered fast become deals more often"))
def speed_section(found: Speed) -> Part:
    """Fast beside slow, as they are and others alike, with what bias it would take to explain the difference away."""
    heads = [_("Comparison"), _("Difference, others alike"), _("Odds ratio, others alike"), _("Difference as it is"),
             _("Odds ratio as it is"), _("Fast"), _("Slow")]  # fmt: skip
    rows = [_row(name, held) for name, held in _comparisons(found) if held is not None]
    grid = parts.table(heads, rows, name=_("Fast against slow contact"))
    said = [parts.reading(speed_reading(found))]
    if "score" not in found.adjusted_for and found.calls.adjusted is not None:
        warned = _("**No score on record is held constant:** if hot leads are called first, the difference is theirs.")
        said.append(parts.warning(warned))
    return parts.stack(grid, *said, parts.limit(_speed_limit(found)))


def _comparisons(found: Speed) -> list[tuple[Text, Comparison | None]]:
    words = {"days": count(found.calls.days)}
    return [
        (_("Became a deal within {days} days of the call", **words), found.calls),
        (_("Won within {days} days of the call", days=count(found.wins.days if found.wins else 0)), found.wins),
        (_("Became a deal within {days} days; slow includes never called", **words), found.deadline),
    ]


def _row(name: Text, held: Comparison) -> tuple:
    naive, adjusted = held.naive, held.adjusted
    few = _("too few")
    plain = (naive.difference, naive.odds_ratio) if naive else (few, few)
    alike = (adjusted.difference, adjusted.odds_ratio) if adjusted else (few, few)
    return (name, *alike, *plain, count(held.fast), count(held.slow))


def speed_reading(found: Speed) -> Text:
    """How much more often fast leads became deals, others alike; and how much of the plain difference that was."""
    calls = found.calls
    words = {"time": agreed(found.minutes), "fast": count(calls.fast), "slow": count(calls.slow)}
    if calls.naive is None:
        return _("**Too few leads to compare:** {fast} contacted within {time}, {slow} later.", **words)
    if calls.adjusted is None:
        return _("**Too few leads to hold anything constant:** {fast} contacted within {time}, {slow} later.", **words)
    held, plain = calls.adjusted, calls.naive
    words |= {"exposed": percent(held.exposed.value), "unexposed": percent(held.unexposed.value),
              "gap": with_interval(held.difference), "plain": value_of(plain.difference)}  # fmt: skip
    shares = _("All else alike: {exposed} against {unexposed}, {gap}.", **words)
    if not held.difference.clear_of(0):
        return sentences(_("**Leads contacted within {time} became deals about as often as others.**", **words), shares)
    if held.difference.value > 0:
        first = _("**Leads contacted within {time} became deals more often than those contacted later.**", **words)
    else:
        first = _("**Leads contacted within {time} became deals less often than those contacted later.**", **words)
    rest = _("As they are, the difference is {plain}: part of it goes with which leads are called first.", **words)
    return sentences(first, shares, rest)


def _speed_limit(found: Speed) -> Text:
    held = listing([_(HELD[name]) for name in found.adjusted_for]) if found.adjusted_for else _("nothing")
    what = _("Limit: an association, not an effect. Held constant: {held}.", held=held)
    out = [
        _("{what}, known for {share} of leads that are no deal", what=_(HELD[name]), share=percent(share))
        for name, share in found.left_out.items()
    ]
    left = _("Not held constant: {what}.", what=listing(out)) if out else ""
    bias = ""
    if (e := found.calls.e_value) and e.value and found.calls.adjusted.difference.clear_of(0):
        words = {"e": number(e.value, 1), "low": number(e.low, 1)}
        bias = _(
            "To explain it away, something unrecorded would have to go with a fast call and with a deal, {e} times as often each "
            "({low} at the end of the interval).",
            **words,
        )
    settle = _("Only giving leads to a fast or a slow queue by chance would settle it.")
    return sentences(what, left, bias, settle)
