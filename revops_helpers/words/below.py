"""What the rooms below say in English patterns – reasons, broken rules, advice, notes – in the reader's language.

Those rooms know no language. They fill fixed patterns, which are found again here and said in the language in use, with days,
months and measures in its style. A text that fits no pattern is data and is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache

from revops_helpers.metrics.reasons import REASONS
from revops_helpers.model.page import TYPES
from revops_helpers.model.rules import RULES
from revops_helpers.model.tables import TABLES
from revops_helpers.words.messages import N_, Text, _, data, lower_first

# What to do about a refused row, as `model.rules`, `model.contract` and the readers of `sources` advise.
ADVICE = (
    N_("correct {later} or {earlier}: {later} comes before {earlier}"),
    N_("correct {column}; leave it empty where it is unknown or has no end"),
    N_("correct {column}"),
    N_("give the day on which the deal was won or lost"),
    N_("write a code of three letters, such as BRL"),
    N_("add a plan rate for the currency under plan_rates in company.yml, or give fx_rates"),
    N_("remove the NUL byte from {column}"),
    N_("remove the NUL byte, or export the row again"),
    N_("write one of {words}"),
    N_("write one JSON object on each line"),
    N_("{column} must be at least {least}"),
    N_("a credit note is no line: take it off the mrr of the line that it corrects"),
    N_("fill {column}: {meaning}"),
    N_("{column} names no accepted row of {table}; export that row too, or correct it"),
    N_("the key stands in an earlier row, which stays; remove one of the two"),
    N_(
        "the key stands in a row of {source} too, which stays, and references lead to it: if both are one record, {one}; if not, "
        "put a prefix before the ids of one source in its SELECTs, such as '{own}-' || id, also where they are referred to"
    ),
    N_("give this one an id of its own and name the other in same_as"),
    N_("leave one of them out"),
    N_("{found} fields where the header has {expected}: quote values that hold the delimiter, or export the row again"),
)
# What the readers of `sources` remark on files and columns.
NOTES = (
    N_("{source}: {table} is not filled, because its export lacks {missing}"),
    N_("{source}: {table} is filled without {missing}, which its export lacks"),
    N_("{source}: no SELECT reads {files}"),
    N_("{source}: {n} deleted rows of {file} are left out"),
    N_("{source}: {n} older versions of rows of {file} are left out"),
    N_("{source}: {n} merged rows of {file} are left out"),
    N_("{file}: column {column} is not in the model and is ignored; did you mean {close}?"),
    N_("{file}: column {column} is not in the model and is ignored"),
    N_("{file}: {n} more columns are not in the model and are ignored"),
    N_("{file} is not named as a table of the model; did you mean {close}?"),
    N_("{file} is not named as a table of the model; it is not read"),
    N_("{file} is of a kind that is not read; save it as CSV, .xlsx, Parquet or JSON lines"),
    N_("{file}: only its first sheet, '{sheet}', was read"),
    N_("{file}: {macro} could not read {n} values, such as '{example}'; they count as empty"),
    N_("{file} was read as {encoding}"),
    N_("{source}: no dated record by the day of this report"),
    N_("{source}: the newest record is of {day}, {n} days old, where {allowed} are allowed"),
)
# What an analysis needs that is no table and no column alone.
NEEDS = (
    N_("opportunities.amount of open deals"),
    N_("targets.value of new_arr_won, or of its drivers, for the quarter"),
    N_("targets of net_new_arr for the whole period"),
    N_("targets of net_new_arr for a period that is over"),
    N_("targets of {metric}, for a whole fiscal year"),
    N_("targets of the segment {segment}"),
    N_("months that are left in the fiscal year"),
    N_("{least} closed months of subscriptions (there are {n})"),
    N_("gross_margin in company.yml, or financials.gross_profit"),
    N_("touches.lead_id with opportunities.lead_id, or touches.account_id"),
    N_("a rate; {metric} is none"),
    N_("a column {column}"),
    N_("a lead's {dimension} before it is a deal"),
    N_("a measured {metric} by {dimension}"),
    N_("{metric} of the period: {why}"),
    N_("{metric} by {dimension} in the period and in the year before"),
    N_("{metric} by {dimension}"),
)
PATTERNS = (*REASONS, *ADVICE, *NOTES, *NEEDS)


def messages_below() -> Iterator[str]:
    """What rules are called and the model says of itself: messages that the rooms below cannot mark."""
    columns = [column for table in TABLES.values() for column in table.columns]
    counted = [column.unit for column in columns if column.unit and column.type in ("integer", "number")]
    said = (*RULES, *(table.grain for table in TABLES.values()), *(column.meaning for column in columns), *counted)
    yield from sorted({*said, *TYPES.values()})


@cache
def _expressions() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((pattern, _expression(pattern)) for pattern in PATTERNS)


def _expression(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression; a field that comes twice is the same twice."""
    seen: set[str] = set()

    def group(found: re.Match[str]) -> str:
        name = found[1]
        again, _old = name in seen, seen.add(name)
        return f"(?P={name})" if again else f"(?P<{name}>.+?)"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(pattern)), re.DOTALL)


def translated(text: str) -> Text:
    """The text of a room below in the language in use; what is ours already stays, what fits no pattern is data."""
    if not text or isinstance(text, Text):
        return Text(text)
    for pattern, expression in _expressions():
        if found := expression.fullmatch(text):
            return _(pattern, **{name: FILLS.get(name, data)(value) for name, value in found.groupdict().items()})
    plain = _(text)
    return plain if plain != text else data(text)


def _label(name: str) -> Text:
    from revops_helpers.words.language import label

    return lower_first(label(name))


def _count(value: str) -> Text:
    from revops_helpers.words.language import count

    plain = value.replace(",", "")
    return count(int(plain)) if plain.isdigit() else data(value)


def _day(value: str) -> Text:
    from revops_helpers.words.language import day

    return day(date.fromisoformat(value))


def _month(value: str) -> Text:
    from revops_helpers.words.language import month

    return month(date.fromisoformat(f"{value}-01"))


FILLS: Mapping[str, Callable[[str], Text]] = {
    "n": _count,
    "day": _day,
    "month": _month,
    "metric": _label,
    "dimension": _label,
    "why": lambda text: translated(text),
    "one": lambda text: translated(text),
    "meaning": lambda text: _(text),
}
