"""The rules that every row is held to: each one a test in SQL, the words for it, and what to do about it.

Pure: declarations of model/tables.py in, SQL out. The first rule that a row breaks names it in the quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from revops_helpers.model import formats, personal
from revops_helpers.model.formats import Format
from revops_helpers.model.tables import Column, Table
from revops_helpers.settings import Settings

RAGGED, NUL_BYTE, NOT_JSON = "ragged row", "NUL byte", "not a JSON object"
MISSING, DUPLICATE, ORPHAN = "required value missing", "duplicate key", "orphan"
IMPOSSIBLE, BELOW, ORDER = "impossible date", "below the minimum", "out of order"
NO_RATE, NO_CURRENCY, NO_CLOSING = "no exchange rate", "not a currency", "closed without a day"
UNREADABLE = {
    "text": "unreadable",
    "integer": "not a whole number",
    "number": "not a number",
    "money": "not an amount",
    "flag": "not true or false",
    "date": "not a day",
    "time": "not a time",
}
UNKNOWN_WORD = "unknown word"
RULES: tuple[str, ...] = (
    *(RAGGED, NUL_BYTE, NOT_JSON, MISSING, *(rule for kind, rule in UNREADABLE.items() if kind != "text"), UNKNOWN_WORD),
    *(IMPOSSIBLE, BELOW, ORDER, NO_CLOSING, NO_CURRENCY, NO_RATE, ORPHAN, DUPLICATE),
)


@dataclass(frozen=True)
class Check:
    """`test` is SQL over text columns `t.<column>` and parsed ones `v.<column>`: true for a row that breaks the rule."""

    column: str
    rule: str
    advice: str
    test: str


def raw(column: str) -> str:
    """The trimmed text of a column in a checked relation."""
    return f'"t.{column}"'


def plain(column: str) -> str:
    """Whether the text of an id is a plain one (`personal.PLAIN_ID`), with nothing to trim or to mask."""
    return f'"p.{column}"'


def texts(spec: Table, columns: Collection[str]) -> str:
    """SQL of the trimmed text of columns of `spec`, and whether ids are plain ones."""
    listed = []
    for name in columns:
        x = formats.identifier(name)
        text = formats.text(x)
        if personal.is_id(spec, spec[name]):
            listed.append(f"regexp_full_match({x}, '{personal.PLAIN_ID}') AS {plain(name)}")
            text = f"CASE WHEN NOT {plain(name)} THEN {text} ELSE {x} END"
        listed.append(f"{text} AS {raw(name)}")
    return ", ".join(listed)


def parsed(column: str) -> str:
    """The value of a column in a checked relation, before anything is derived from it."""
    return f'"v.{column}"'


def value(spec: Table, column: Column, form: Format, salt: str) -> str:
    """The SQL that reads a column's trimmed text; personal data in text is masked, by hashes that `salt` keys."""
    x = raw(column.name)
    if column.allowed:
        return formats.word(x, column.allowed)
    readers = {"integer": formats.integer, "number": formats.number, "money": formats.cents}
    if column.type in readers:
        return readers[column.type](x, form.decimal)
    clocks = {"date": formats.day, "time": formats.moment}
    if column.type in clocks:
        return clocks[column.type](x, form)
    if column.type == "flag":
        return formats.flag(x)
    masked = personal.masked(spec, column, x, salt)
    return f"CASE WHEN NOT {plain(column.name)} THEN {masked} ELSE {x} END" if personal.is_id(spec, column) else masked


def derived(spec: Table, columns: Collection[str], zone: str) -> Mapping[str, str]:
    """Values that follow from others: column → SQL over parsed columns.

    A won or lost deal without a closing time closed at the start of its close date, and one without a close date on the day of
    its closing time; a day given without a time never comes
    before the moment of that same day on which the row came to be.
    """
    found: dict[str, str] = {}
    if spec.name == "opportunities" and {"status", "close_date"} <= set(columns):
        start = f"timezone('UTC', timezone('{zone}', CAST({parsed('close_date')} AS TIMESTAMP)))"
        given = f"{parsed('closed_at')}, " if "closed_at" in columns else ""
        found["closed_at"] = f"coalesce({given}CASE WHEN {parsed('status')} IN ('won', 'lost') THEN {start} END)"
    if spec.name == "opportunities" and {"status", "closed_at"} <= set(columns):
        day = f"CAST(timezone('{zone}', timezone('UTC', {parsed('closed_at')})) AS DATE)"
        given = f"{parsed('close_date')}, " if "close_date" in columns else ""
        found["close_date"] = f"coalesce({given}CASE WHEN {parsed('status')} IN ('won', 'lost') THEN {day} END)"
    for later, earlier in spec.not_before:
        if spec[later].type != "time" or earlier not in columns or not (later in columns or later in found):
            continue
        after, before = found.get(later, parsed(later)), parsed(earlier)
        day_alone = f"NOT coalesce(contains({raw(later)}, ':'), false)" if later in columns else "true"
        here = f"CAST(timezone('{zone}', timezone('UTC', {{}})) AS DATE)"
        lifted = f"{after} < {before} AND {day_alone} AND {here.format(after)} = {here.format(before)}"
        found[later] = f"CASE WHEN {lifted} THEN {before} ELSE {after} END"
    return found


def checks(spec: Table, given: Collection[str], settings: Settings, rated: Collection[str]) -> Iterator[Check]:
    """Every check of a row by itself, in the order in which they are told. `rated`: currencies that have a rate."""
    columns = {*given, *derived(spec, given, settings.time_zone)}
    for column in spec.columns:
        if column.name in given:
            yield from _column_checks(column, personal.is_id(spec, column))
    for later, earlier in spec.not_before:
        if later in columns and earlier in columns:
            advice = f"correct {later} or {earlier}: {later} comes before {earlier}"
            yield Check(later, ORDER, advice, f'"{later}" < "{earlier}"')
    if spec.name == "opportunities" and "status" in columns:
        when = '"closed_at"' if "closed_at" in columns else "NULL"
        advice = "give the day on which the deal was won or lost"
        yield Check("closed_at", NO_CLOSING, advice, f"\"status\" IN ('won', 'lost') AND {when} IS NULL")
    if has_currency(spec, columns):
        code = 'upper("currency")'
        yield Check(
            "currency", NO_CURRENCY, "write a code of three letters, such as BRL", f"NOT regexp_full_match({code}, '[A-Z]{{3}}')"
        )
        listed = ", ".join(f"'{c}'" for c in sorted({settings.currency, *rated}))
        advice = "add a plan rate for the currency under plan_rates in company.yml, or give fx_rates"
        yield Check("currency", NO_RATE, advice, f"{code} NOT IN ({listed})")


def _column_checks(column: Column, is_id: bool) -> Iterator[Check]:
    name, text = column.name, raw(column.name)
    if column.required:
        yield Check(name, MISSING, f"fill {name}: {column.meaning}", f"{text} IS NULL")
    if column.type == "text":
        may = f"NOT {plain(name)} AND " if is_id else ""
        yield Check(name, NUL_BYTE, f"remove the NUL byte from {name}", f"{may}contains({text}, chr(0))")
    if column.allowed:
        yield Check(name, UNKNOWN_WORD, f"write one of {', '.join(column.allowed)}", f'{text} IS NOT NULL AND "{name}" IS NULL')
    elif column.type != "text":
        yield Check(name, UNREADABLE[column.type], f"correct {name}", f"{text} IS NOT NULL AND {parsed(name)} IS NULL")
    if column.at_least is not None:
        least = round(column.at_least * 100) if column.type == "money" else column.at_least
        advice = column.instead or f"{name} must be at least {column.at_least:g}"
        yield Check(name, BELOW, advice, f'"{name}" < {least}')
    if column.type in ("date", "time"):
        years = f"year({parsed(name)}) NOT BETWEEN {formats.EARLIEST} AND {formats.LATEST}"
        advice = f"correct {name}; leave it empty where it is unknown or has no end"
        yield Check(name, IMPOSSIBLE, advice, years)


def twice(spec: Table, source: str, first: str) -> str:
    """What to do about a row of `source` whose key stands in an earlier row, of the source `first`."""
    if source == first:
        return "the key stands in an earlier row, which stays; remove one of the two"
    one = "give this one an id of its own and name the other in same_as" if "same_as" in spec.names else "leave one of them out"
    return (
        f"the key stands in a row of {first} too, which stays, and references lead to it: if both are one record, {one}; if not, "
        f"put a prefix before the ids of one source in its SELECTs, such as '{source}-' || id, also where they are referred to"
    )


def has_currency(spec: Table, columns: Collection[str]) -> bool:
    """Whether the table's money comes with a currency of its own."""
    return bool(spec.money) and "currency" in columns and "currency" in spec.names


def unit(spec: Table, columns: Collection[str], settings: Settings) -> str:
    """SQL of the currency that a row's money is summed in; what is no code at all is summed as 'other'."""
    if not has_currency(spec, columns):
        return f"'{settings.currency}'"
    code = f"coalesce(upper({raw('currency')}), '{settings.currency}')"
    return f"CASE WHEN regexp_full_match({code}, '[A-Z]{{3}}') THEN {code} ELSE 'other' END"
