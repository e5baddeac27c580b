"""What changed since another review, in words: the measures beyond noise, the findings, and the data behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.changes import Change, Changes, Movement, Reviewed
from revops_helpers.periods import Period
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    data,
    day,
    interval_of,
    label,
    listing,
    n_,
    number,
    percent,
    span,
    value_of,
)
from revops_helpers.words.markup import Part, esc, tag
from revops_helpers.words.names import member
from revops_helpers.words.phase import lower_first, named
from revops_helpers.words.scorecard import verdict_words

CLEAR = ("better", "worse", "changed", "restated")
COUNTED = ("arr", "net_new_arr", "new_arr", "customers")  # are shown whatever they did
STATES: Mapping[str, str] = {"better": "ok", "worse": "bad", "absent": "absent", "few": "few", "noise": "noise"}
APART: Mapping[str, str] = {
    "segment": N_("the reviews are of different parts of the company"),
    "missing": N_("only one of the reviews has it"),
    "definition": N_("its definition changed"),
    "currency": N_("the reporting currency changed"),
    "period": N_("the reviews share no kind of period"),
}
FATES: Mapping[str, str] = {"new": N_("new"), "gone": N_("gone"), "grown": N_("grown"), "shrunk": N_("shrunk")}
MOST_MEMBERS = 12


def changes_section(changes: Changes) -> Part:
    """The section of the index page, and the text of `revops compare`."""
    head = parts.section(_title(changes), _deck(changes), anchor="changes", short=_("What changed"))
    return parts.stack(head, *_measures(changes), *_findings(changes), *_data(changes))


def no_changes(folder: str, why: str) -> Part:
    """What stands there when the earlier review cannot be compared."""
    head = parts.section(_("Not compared with the review before"), anchor="changes", short=_("What changed"))
    return parts.stack(head, parts.note(_("The review {name} could not be compared: {why}.", name=folder, why=why)))


def _title(changes: Changes) -> Text:
    verdicts = [one.verdict for one in changes.measures]
    better, worse = verdicts.count("better"), verdicts.count("worse")
    fates = [one.fate for one in changes.findings]
    said = [
        n_("one measure better", "{n} measures better", better) if better else "",
        n_("one measure worse", "{n} measures worse", worse) if worse else "",
        n_("one finding new", "{n} findings new", fates.count("new")) if "new" in fates else "",
        n_("one finding gone", "{n} findings gone", fates.count("gone")) if "gone" in fates else "",
    ]
    since = day(changes.before.as_of)
    if not any(said):
        return _("Since {day}, nothing moved beyond noise", day=since)
    return _("Since {day}: {list}", day=since, list=listing([text for text in said if text]))


def _deck(changes: Changes) -> Text:
    judged = [one for one in changes.measures if one.verdict in ("better", "worse", "changed", "noise")]
    noisy = [one for one in judged if not one.difference.exact]
    clear = [one for one in noisy if one.verdict != "noise"]
    if not noisy:
        return _("No measure that has an interval could be compared.")
    return _(
        "Of {all} measures with an interval, {clear} moved beyond it; chance alone would move about {chance}.",
        all=count(len(noisy)), clear=count(len(clear)), chance=number(len(noisy) * 0.05, 0 if len(noisy) >= 20 else 1),
    )  # fmt: skip


# ---- measures


def _measures(changes: Changes) -> list[Part]:
    first = [one for one in changes.measures if one.verdict in CLEAR or (one.metric in COUNTED and one.verdict == "exact")]
    rest = [one for one in changes.measures if one not in first]
    shown = _tables(first) or [parts.note(_("No measure moved beyond its noise."))]
    if rest:
        shown.append(
            parts.details(
                n_("One more measure, not clear of noise", "{n} more measures, not clear of noise", len(rest)), *_tables(rest)
            )
        )
    if members := [one for one in changes.members if one.verdict in ("better", "worse")]:
        said = n_("One move inside a segment, source or region", "{n} moves inside segments, sources and regions", len(members))
        shown.append(parts.details(said, *_tables(_widest(members)), parts.note(_chance(changes, members))))
    return [*shown, *_apart(changes)]


def _widest(members: Sequence[Change]) -> list[Change]:
    """The clearest of many: those farthest from zero in widths of their interval."""

    def distance(one: Change) -> float:
        low, high = one.difference.low, one.difference.high
        return abs(one.difference.value) / (high - low) if low is not None and high is not None and high > low else 0.0

    return sorted(members, key=distance, reverse=True)[:MOST_MEMBERS]


def _chance(changes: Changes, members: Sequence[Change]) -> Text:
    tried = sum(one.verdict in ("better", "worse", "changed", "noise") for one in changes.members)
    return _(
        "{clear} of {tried} that were compared; chance alone would give about {chance}, so one of them proves nothing by itself.",
        clear=count(len(members)), tried=count(tried), chance=number(tried * 0.05),
    )  # fmt: skip


def _tables(found: Iterable[Change]) -> list[Part]:
    """One table for each pair of periods, in the order of the catalogue."""
    groups: dict[tuple[Period, Period], list[Change]] = {}
    for one in found:
        groups.setdefault(one.spans, []).append(one)
    return [_table(spans, rows) for spans, rows in groups.items()]


def _table(spans: tuple[Period, Period], rows: Sequence[Change]) -> Part:
    then, now = (span(period) for period in spans)
    caption = _("{now} against {then}", now=now, then=then)
    if rows[0].shared and spans[0] != spans[1]:
        caption = _("{now} against {then}, which share days: the intervals are wider than need be", now=now, then=then)
    heads = (_("Measure"), _("Change"), "", _("Now"), _("Then"))
    return parts.table(heads, [(_name(one), _moved(one.difference), _state(one), one.after, one.before) for one in rows], caption)


def _name(one: Change) -> Part:
    named = Text(f"{label(one.metric)} · {member(one.member)}") if one.dimension else label(one.metric)
    return name_cell(one.metric, named)


def _moved(difference: Measurement | None) -> Part | None:
    """A difference with its sign and its interval."""
    if difference is None or difference.value is None:
        return None
    value, inside = value_of(difference, signed=True), interval_of(difference)
    if difference.value > 0 and value[0] != "+" and any(digit in value for digit in "123456789"):
        value = f"+{value}"  # units that are never signed elsewhere
    return Part("difference", f"{esc(value)}<small>{esc(inside)}</small>", f"{value} [{inside}]")


def _state(one: Change) -> Part | None:
    if one.verdict == "exact":  # the interval says so already
        return None
    own = {
        "better": _("better"),
        "worse": _("worse"),
        "changed": _("changed"),
        "restated": _("restated"),
    }
    words = {**verdict_words(), **own}[one.verdict]
    return Part("state", tag("span", esc(words), class_=f"st {STATES.get(one.verdict, 'none')}"), words)


def _apart(changes: Changes) -> list[Part]:
    """What is not compared, and why."""
    held = {why: [label(name) for name, reason in changes.apart.items() if reason == why] for why in APART}
    lines = [_("{names}: {why}", names=named(names, 4), why=_(APART[why])) for why, names in held.items() if names]
    return [parts.note(_("Not compared: {list}.", list=Text("; ".join(lines))))] if lines else []


# ---- findings


def _findings(changes: Changes) -> list[Part]:
    moved = [one for one in changes.findings if one.fate in FATES]
    rest = len(changes.findings) - len(moved)
    still = n_("One finding stands as it did.", "{n} findings stand as they did.", rest) if rest else ""
    if not moved:
        return [parts.note(still or _("Neither review has a finding."))]
    rows = []
    for one in moved:
        worth = (told.stake if told else None for told in (one.after, one.before))
        rows.append((_headline(one, changes), _(FATES[one.fate]), *worth, _moved(one.difference)))
    gone = _("Gone means no longer clear of noise or no longer measured; not that it was solved.")
    said = " ".join(text for text in (still, gone if any(one.fate == "gone" for one in moved) else "") if text)
    heads = (_("Finding"), "", _("Worth now"), _("Worth then"), _("Change"))
    return [parts.table(heads, rows, name=_("Findings")), *([parts.note(Text(said))] if said else [])]


def _headline(one: Movement, changes: Changes) -> Text:
    """As it was published; only what it is about where that was in another language."""
    review = changes.after if one.after else changes.before
    return data(one.told.headline) if review.language == changes.after.language else label(one.told.metric)


# ---- data


def _data(changes: Changes) -> list[Part]:
    lines = [line for line in (_rows(changes), _files(changes), _restated(changes), *_settings(changes)) if line]
    heads = (_("Table"), _("Accepted then"), _("Accepted now"), _("Quarantined then"), _("Quarantined now"))
    cells = ("accepted_then", "accepted_now", "quarantined_then", "quarantined_now")
    rows = [(line.table, *(count(getattr(line, cell)) for cell in cells)) for line in changes.rows.itertuples()]
    return [parts.points(_("The data behind both reviews"), lines), parts.details(_("Rows by table"), parts.table(heads, rows))]


def _rows(changes: Changes) -> Text:
    sums = {name: int(changes.rows[name].sum()) for name in changes.rows.columns if name != "table"}
    shares = [_share(sums[f"quarantined_{when}"], sums[f"accepted_{when}"]) for when in ("then", "now")]
    return _(
        "{then} rows accepted then, {now} now; of those read, {before} were set aside then and {after} now.",
        then=count(sums["accepted_then"]), now=count(sums["accepted_now"]), before=shares[0], after=shares[1],
    )  # fmt: skip


def _share(part: int, other: int) -> Text:
    return percent(part / (part + other) if part + other else 0.0)


def _files(changes: Changes) -> Text:
    new, gone = (sorted(f for f, pair in changes.inputs.items() if pair[side] is None) for side in (0, 1))
    other = len(changes.inputs) - len(new) - len(gone)
    said = [
        n_("one input file has other content", "{n} input files have other content", other) if other else "",
        _("new: {files}", files=named(new)) if new else "",
        _("gone: {files}", files=named(gone)) if gone else "",
    ]
    if not changes.inputs:
        return _("The input files are the same, byte for byte.")
    return _("Inputs: {list}.", list=Text("; ".join(text for text in said if text)))


def _restated(changes: Changes) -> Text:
    """Whether the past is still what it was."""
    if not changes.past:
        return _("No past period stands in both reviews.")
    if changes.restated.empty:
        return n_(
            "The one number of a past period that both have is the same.",
            "All {n} numbers of past periods that both have are the same.", changes.past,
        )  # fmt: skip
    names = [lower_first(label(name)) for name in changes.restated.metric.unique()]
    return _(
        "**The past reads otherwise** in {n} of {all} numbers: {names}. Cohorts ripen; else rows came late or changed.",
        n=count(len(changes.restated)), all=count(changes.past), names=named(names),
    )  # fmt: skip


def _settings(changes: Changes) -> list[Text]:
    """Parameters and versions that differ."""
    told = [_pair(name, *pair) for name, pair in changes.parameters.items()]
    made = [_pair(name, *pair) for name, pair in changes.versions.items()]
    return [
        _("Parameters: {list}.", list=Text("; ".join(told))) if told else _("The parameters are the same."),
        _("Made by other versions: {list}.", list=Text("; ".join(made)))
        if made
        else _("Both were made by the same code and libraries."),
    ]


def _pair(name: str, then: object, now: object) -> Text:
    values = [_("none") if value in (None, "") else data(value) for value in (then, now)]
    return Text(f"{data(name)} {values[0]} → {values[1]}")


def names_of(changes: Changes) -> Text:
    """Which two reviews these are, for the first line in a terminal."""
    return _("{then} → {now}", then=_review(changes.before), now=_review(changes.after))


def _review(review: Reviewed) -> Text:
    return _("{name} ({company}, as of {day})", name=review.name, company=review.company, day=day(review.as_of))
