"""The scorecard: every measure with its interval, its target, the year before, twelve months and a verdict in word and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from revops_helpers.measurement import Measurement
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import named
from revops_helpers.words.language import Text, _, data, interval_of, label, value_of
from revops_helpers.words.marks import interval_bar, sparkline
from revops_helpers.words.markup import Part, esc, plain, rich, tag

Verdict = Literal["ok", "bad", "noise", "few", "censored", "partial", "none", "absent"]
Direction = Literal["higher", "lower", "neither"]
STATES = {"ok": "good", "bad": "bad", "few": "few", "censored": "censored"}  # how marks are drawn; open otherwise


@dataclass(frozen=True)
class ScoreRow:
    """One measure. metric: its id (the label comes from the catalogue, `name` overrides it). prior: in as many months just
    before; before: a year before. trend: the last months' values, oldest first,
    None where there is none; the last `incomplete` of them have not fully arrived. group: a heading above rows."""

    metric: str
    value: Measurement
    before: Measurement | None = None
    target: Measurement | None = None
    trend: Sequence[float | None] = ()
    direction: Direction = "higher"
    group: str = ""
    name: str = ""
    incomplete: int = 0
    prior: Measurement | None = None

    @property
    def label(self) -> Text:
        return (self.name if isinstance(self.name, Text) else data(self.name)) if self.name else label(self.metric)


def judge(value: Measurement, target: Measurement | None, direction: Direction) -> Verdict:
    """Behind only when the whole interval misses the target; on target only when the whole interval meets it."""
    if value.value is None:
        return "absent"
    if value.status in ("insufficient", "censored", "partial"):
        return {"insufficient": "few", "censored": "censored", "partial": "partial"}[value.status]
    if target is None or target.value is None or direction == "neither":
        return "none"
    low = value.value if value.low is None else value.low
    high = value.value if value.high is None else value.high
    worst, best, aim = (low, high, target.value) if direction == "higher" else (-high, -low, -target.value)
    return "ok" if worst >= aim else "bad" if best < aim else "noise"


def verdict_words() -> dict[str, Text]:
    """What each verdict is called in the status column."""
    return {
        "ok": _("on target"),
        "bad": _("behind"),
        "noise": _("within noise"),
        "few": _("too few to judge"),
        "censored": _("still running"),
        "partial": _("partial data"),
        "none": _("no target"),
        "absent": _("n/a"),
    }


def scorecard(rows: Sequence[ScoreRow]) -> Part:
    """The scorecard as a table; on the phone each measure is two lines that start with value and status."""
    verdicts = [judge(row.value, row.target, row.direction) for row in rows]
    words, heads = verdict_words(), _heads()
    shapes = (None, "n", "g", "i", "n", "n", "n", "g", None)
    names = zip(heads, shapes, strict=True)
    head = "".join(tag("th", esc(name), role="columnheader", scope="col", class_=shape) for name, shape in names)
    pairs = list(zip(rows, verdicts, strict=True))
    body, group = "", ""
    for row, verdict in pairs:
        if row.group != group:
            group = row.group
            body += tag("tr", tag("th", esc(group), role="rowheader", scope="rowgroup", colspan=9), role="row", class_="grp")
        body += _row(row, verdict, words, heads)
    grid = tag("thead", tag("tr", head, role="row"), role="rowgroup") + tag("tbody", body, role="rowgroup")
    html = _key(set(verdicts), words) + tag("table", grid, class_="score", role="table", aria_label=_("Scorecard"))
    text = "\n".join(f"{plain(r.label)}: {value_of(r.value)} [{interval_of(r.value)}] {words[v]}" for r, v in pairs)
    held = [{"metric": r.metric, "label": plain(r.label), "verdict": v, "value": r.value.value} for r, v in pairs]
    return Part("scorecard", html, text, {"rows": held})


def tiles(rows: Sequence[ScoreRow], links: Mapping[str, str]) -> Part:
    """The measures as tiles, four a line: name, value, trend, what it is held against, and the verdict in word and shape.

    links: id → where what is no metric of the catalogue is told; a metric leads to its definition.
    """
    words = verdict_words()
    pairs = [(row, judge(row.value, row.target, row.direction)) for row in rows]
    items = "".join(tag("li", _tile(row, verdict, words, links.get(row.metric, "")) + "\n") for row, verdict in pairs)
    text = "\n".join(f"{plain(r.label)}: {value_of(r.value)}, {plain(_context(r))}, {words[v]}" for r, v in pairs)
    held = [{"metric": r.metric, "label": plain(r.label), "verdict": v, "value": r.value.value} for r, v in pairs]
    return Part("tiles", tag("ul", items, class_="road tiles"), text, {"rows": held})


def _tile(row: ScoreRow, verdict: Verdict, words: dict[str, Text], link: str) -> str:
    name = _("{metric}, last {n} months", metric=row.label, n=str(len(row.trend)))
    head = tag("a", rich(row.label), href=link, class_="q") if link else named(row.metric, row.label)
    drawn = sparkline(row.trend, plain(name), _drawn(row.value, verdict), row.incomplete)
    status = tag("span", esc(words[verdict]), class_=f"st {verdict}")
    value = tag("p", tag("b", esc(value_of(row.value))) + drawn)
    return f"{head}{value}{tag('p', esc(plain(_context(row))), class_='dim')} {status}"


def _context(row: ScoreRow) -> Text:
    """The interval, the target, the period and the year before; why there is no value where there is none."""
    if row.value.value is None:
        return translated(row.value.reason)
    said = [interval_of(row.value), *([translated(row.value.reason)] if row.value.status == "censored" else [])]
    if row.target is not None and row.target.value is not None:
        said.append(_("target {value}", value=value_of(row.target)))
    if row.prior is not None and row.prior.value is not None:
        said.append(_("before {value}", value=value_of(row.prior)))
    if row.before is not None and row.before.value is not None:
        said.append(_("a year ago {value}", value=value_of(row.before)))
    return Text(" · ".join(text for text in said if text))


def _heads() -> tuple[Text, ...]:
    first = (_("Metric"), _("Value"), _("worse ← → better"), _("95% interval"))
    return (*first, _("Period before"), _("Year before"), _("Target"), _("12 months"), _("Status"))


def _key(seen: set[str], words: dict[str, Text]) -> str:
    """What the shapes and bars mean; only the shapes that are there."""
    meaning = {
        "ok": _("whole interval meets target"),
        "bad": _("whole interval misses it"),
        "noise": _("target inside interval"),
        "few": _("under 20 cases"),
        "censored": _("not all is known yet"),
        "partial": _("source incomplete"),
    }
    shown = [(v, text) for v, text in meaning.items() if v in seen]
    items = "".join(tag("li", tag("span", esc(words[v]), class_=f"st {v}") + ": " + esc(text)) for v, text in shown)
    bars = _(
        "In each bar: band = interval, dot = value, hollow dot = year before, tick = target. Better is always to the right. "
        "Period before: as many months just before."
    )
    return (tag("ul", items, class_="key") if items else "") + tag("p", esc(bars), class_="note keybar")


def _drawn(m: Measurement, verdict: Verdict) -> str:
    """How a mark is drawn: an open arrow only for a lower bound, not for a cohort that is in part too young."""
    return "open" if verdict == "censored" and m.high is not None else STATES.get(verdict, "open")


def _until(m: Measurement) -> str:
    """What a number that is still running waits for."""
    return tag("small", esc(translated(m.reason))) if m.status == "censored" and m.value is not None else ""


def _row(row: ScoreRow, verdict: Verdict, words: dict[str, Text], heads: Sequence[str]) -> str:
    m = row.value
    state = _drawn(m, verdict)
    before, target = (x.value if x is not None else None for x in (row.before, row.target))
    bar = interval_bar(m.value, m.low, m.high, before=before, target=target, state=state, flip=row.direction == "lower")
    name = _("{metric}, last {n} months", metric=row.label, n=str(len(row.trend)))
    inside = tag("span", esc(interval_of(m)), class_="n") if m.value is not None else esc(translated(m.reason))
    others = zip(heads[4:7], (row.prior, row.before, row.target), strict=True)
    others = [(head, value_of(x) if x is not None else "") for head, x in others]
    cells = [
        tag("th", named(row.metric, row.label), role="rowheader", scope="row"),
        tag("td", tag("b", esc(value_of(m))), role="cell", class_="n v"),
        tag("td", bar, role="cell", class_="g"),
        tag("td", inside, role="cell", class_="i"),
        *(tag("td", esc(shown), role="cell", class_="n o", data_l=head) for head, shown in others),
        tag("td", sparkline(row.trend, plain(name), state, row.incomplete), role="cell", class_="g t"),
        tag("td", tag("span", esc(words[verdict]), class_=f"st {verdict}") + _until(m), role="cell", class_="s"),
    ]
    return tag("tr", "".join(cells), role="row")
