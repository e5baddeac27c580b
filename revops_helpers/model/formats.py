"""How text becomes numbers, days, times, flags and words: SQL expressions, and the decision how a column is written.

Pure: column expressions in, SQL expressions out (DuckDB's dialect). What cannot be read is NULL; the contract quarantines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from revops_helpers.settings import InputError

BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8239) || chr(65279)"
YES = ("true", "t", "yes", "y", "1", "sim", "s", "verdadeiro", "x")
NO = ("false", "f", "no", "n", "0", "nao", "não", "falso")
EARLIEST, LATEST = 1950, 2199
LARGEST = 10**13  # major units: a thousand of the largest still add up in 64 bits of cents

_TIME = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
ISO = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}" + _TIME
TURNED = r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})" + _TIME
EPOCH = r"-?\d{9,10}|-?\d{12,13}"
STRICT = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
STRICT_ZONED = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})"
STRICT_TURNED = r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}(?::\d{2})?"
TURNED_DAYS = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}
ZONED = r":\d{2}(?:[.,]\d+)? ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
MIDNIGHT = r"[T ]00:00(?::00(?:[.,]0+)?)? ?(?:Z|UTC|GMT|[+-]00(?::?00)?)$"


@dataclass(frozen=True)
class Format:
    """How a source writes: `decimal` and `dates` may be `auto` until `decide` has seen the column.

    zone: where the source's clock is, for times without a zone. home: where the company is, for days and days alone.
    """

    decimal: Literal["auto", ".", ","] = "auto"
    dates: Literal["auto", "ymd", "dmy", "mdy"] = "auto"
    zone: str = "UTC"
    home: str = "UTC"


def quoted(text: object) -> str:
    """A value as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(*parts: str) -> str:
    """A name (or a dotted path of names) as a quoted SQL identifier."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def unambiguous(x: str) -> str:
    """The text of a typed number so that no thousands separator could have given it: 1.234 becomes 1.2340."""
    return rf"regexp_replace({x}, '^(-?\d{{1,3}}\.\d{{3}})$', '\10')"


def text(x: str) -> str:
    """Trimmed text; empty is NULL. Where there is nothing to trim, the engine hands its dictionary on, NULLs with it."""
    return f"CASE WHEN NOT regexp_full_match({x}, '[!-~](.*[!-~])?') THEN nullif(trim({x}, {BLANKS}), '') ELSE {x} END"


def _bare_number(x: str) -> str:
    """Digits, signs, separators and exponent alone: no currency, blanks, or accounting brackets."""
    bare = rf"regexp_replace({x}, '(?i)r\$|us\$|[$€£¥]|^[a-z]{{3}}\b|\b[a-z]{{3}}$|[\s''\x{{a0}}\x{{202f}}\x{{2007}}%]', '', 'g')"
    bare = f"replace({bare}, '−', '-')"
    return rf"regexp_replace(regexp_replace({bare}, '^\((.*)\)$', '-\1'), '^([^-].*)-$', '-\1')"


def _rarely(x: str, expression: Callable[[str], str]) -> str:
    """An expression that the engine works out only where it is asked for: parts that it names twice are not computed ahead."""
    return f"list_transform([{x}], lambda y: {expression('y')})[1]"


def _decimal_text(x: str, decimal: str) -> str:
    """The number as plain text with a decimal point, or NULL when it is not one in this format."""
    point, group = (r"\.", ",") if decimal == "." else (",", r"\.")
    bare = _bare_number(x)
    shape = rf"[+-]?(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+)?(?:{point}\d*)?(?:[eE][+-]?\d+)?"
    plain = rf"replace(regexp_replace({bare}, '{group}', '', 'g'), ',', '.')"
    return f"CASE WHEN regexp_full_match({bare}, '{shape}') AND regexp_matches({bare}, '\\d') THEN {plain} END"


def _plain(x: str, decimal: str, digits: str) -> tuple[str, str]:
    """The test that a number is written plainly, with that many digits after the mark, and its text with a point."""
    mark = r"\." if decimal == "." else ","
    return rf"regexp_full_match({x}, '-?\d{{1,12}}({mark}\d{digits})?')", x if decimal == "." else f"replace({x}, ',', '.')"


def _priced(x: str, decimal: str) -> tuple[str, str]:
    """The test that a number is written as prices are (R$ 1.234,56), and its text with a point."""
    mark, group = (r"\.", ",") if decimal == "." else (",", r"\.")
    shape = rf"(?:(?:R|US)?\$ ?)?-?[1-9]\d{{0,2}}(?:{group}\d{{3}}){{0,3}}(?:{mark}\d{{1,2}})?"
    return rf"regexp_full_match({x}, '{shape}')", f"replace(regexp_replace({x}, '[R$US {group}]', '', 'g'), ',', '.')"


def number(x: str, decimal: str) -> str:
    """DOUBLE; '12,5%' is 0.125."""

    def other(y: str) -> str:
        value = f"try_cast({_decimal_text(y, decimal)} AS DOUBLE)"
        return f"CASE WHEN ends_with({y}, '%') THEN {value} / 100 ELSE {value} END"

    return _cases(x, *(f"{is_so} THEN try_cast({text} AS DOUBLE)" for is_so, text in _forms(x, decimal, "+")), other=other)


def cents(x: str, decimal: str) -> str:
    """Money in major units as integer cents, half up (away from zero). What is too large to be money is none."""

    def other(y: str) -> str:
        value = f"try_cast({_decimal_text(y, decimal)} AS DECIMAL(38, 12))"
        return f"CASE WHEN NOT contains({y}, '%') AND abs({value}) < {LARGEST} THEN CAST(round({value} * 100, 0) AS BIGINT) END"

    exact = "try_cast(try_cast({} AS DECIMAL(18, 2)) * 100 AS BIGINT)"
    return _cases(x, *(f"{is_so} THEN {exact.format(text)}" for is_so, text in _forms(x, decimal, "{1,2}")), other=other)


def _forms(x: str, decimal: str, digits: str) -> tuple[tuple[str, str], ...]:
    return _plain(x, decimal, digits), _priced(x, decimal)


def _cases(x: str, *common: str, other: Callable[[str], str]) -> str:
    """The common ways of writing, cheapest test first; every other way by the expression that reads them all."""
    return f"CASE WHEN {x} IS NULL THEN NULL {' '.join(f'WHEN {case}' for case in common)} ELSE {_rarely(x, other)} END"


def integer(x: str, decimal: str) -> str:
    """BIGINT; a fraction is not one."""

    def other(y: str) -> str:
        value = f"try_cast({_decimal_text(y, decimal)} AS DECIMAL(38, 12))"
        return f"CASE WHEN NOT contains({y}, '%') AND {value} = floor({value}) THEN try_cast({value} AS BIGINT) END"

    return _cases(x, f"regexp_full_match({x}, '-?\\d{{1,18}}') THEN try_cast({x} AS BIGINT)", other=other)


def flag(x: str) -> str:
    listed = {True: YES, False: NO}
    cases = " ".join(f"WHEN lower({x}) IN ({', '.join(repr(w) for w in words)}) THEN {value}" for value, words in listed.items())
    return f"CASE {cases} END"


def word(x: str, allowed: Sequence[str]) -> str:
    """The allowed word that the text means: case, blanks and hyphens do not matter."""
    listed = ", ".join(f"'{w}'" for w in allowed)

    def other(y: str) -> str:
        meant = f"trim(regexp_replace(lower({y}), '[^a-z0-9]+', '_', 'g'), '_')"
        return f"CASE WHEN {meant} IN ({listed}) THEN {meant} END"

    return _cases(x, f"{x} IN ({listed}) THEN {x}", other=other)


def _iso(x: str, dates: str) -> str:
    """Any accepted way to write a day or a time as ISO text; NULL when it is none of them in this order."""
    order = {"dmy": r"\3-\2-\1", "mdy": r"\3-\1-\2"}.get(dates)
    turned = ""
    if order:
        century = rf"regexp_replace({x}, '^(\d{{1,2}}[-/.]\d{{1,2}}[-/.])(\d{{2}})($|\D)', '\1!\2\3')"
        century = f"replace({century}, '!', '20')"
        day = rf"regexp_replace({century}, '^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})', '{order}')"
        turned = f"WHEN regexp_full_match({x}, '{TURNED}') THEN {day}"
    shaped = (
        rf"CASE WHEN regexp_full_match({x}, '{ISO}') THEN regexp_replace({x}, '^(\d{{4}})[-/.](\d{{1,2}})[-/.]', '\1-\2-') "
        rf"{turned} WHEN regexp_full_match({x}, '\d{{4}}-\d{{2}}') THEN {x} || '-01' "
        rf"WHEN regexp_full_match({x}, '\d{{2}}/\d{{4}}') THEN {x}[4:7] || '-' || {x}[1:2] || '-01' "
        rf"WHEN regexp_full_match({x}, '(19|20)\d{{6}}') THEN {x}[1:4] || '-' || {x}[5:6] || '-' || {x}[7:8] END"
    )
    spaced = rf"regexp_replace({shaped}, '[T ,]+(\d{{1,2}}:)', ' \1')"
    return rf"regexp_replace(regexp_replace({spaced}, ' ?(Z|UTC|GMT)$', 'Z'), ' ([+-]\d)', '\1')"


def _at(zone: str, local: str) -> str:
    """TIMESTAMP in UTC of a local one."""
    return f"timezone('UTC', timezone('{zone}', {local}))"


def _instant(x: str, form: Format) -> str:
    """TIMESTAMP in UTC of any accepted text but an epoch number."""
    iso = _iso(x, form.dates)
    halves = f"try_strptime({iso}, ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S%p', '%Y-%m-%d %I:%M%p'])"
    return (
        f"CASE WHEN regexp_matches({x}, '[AaPp][Mm]$') THEN {_at(form.zone, halves)} "
        f"WHEN regexp_matches({x}, '{ZONED}') THEN timezone('UTC', try_cast({iso} AS TIMESTAMPTZ)) "
        f"WHEN contains({x}, ':') THEN {_at(form.zone, f'try_cast({iso} AS TIMESTAMP)')} "
        f"ELSE {_at(form.home, f'try_cast({iso} AS TIMESTAMP)')} END"
    )


def _epoch(x: str) -> str:
    """TIMESTAMP of epoch seconds (9 or 10 digits) or milliseconds (12 or 13)."""
    digits = f"try_cast({x} AS BIGINT)"
    return f"make_timestamp({digits} * CASE WHEN length(ltrim({x}, '-')) > 10 THEN 1000 ELSE 1000000 END)"


def moment(x: str, form: Format) -> str:
    """TIMESTAMP in UTC. A time without a zone is where the source is; a day alone is its start where the company is.

    A cast to TIMESTAMP reads an offset and ignores it: only text without one, or with Z, may come to it.
    """

    def other(y: str) -> str:
        return f"CASE WHEN regexp_full_match({y}, '{EPOCH}') THEN {_epoch(y)} ELSE {_instant(y, form)} END"

    local = f"try_cast({x} AS TIMESTAMP)"
    cases = [
        rf"strlen({x}) = 13 AND regexp_full_match({x}, '\d{{13}}') THEN make_timestamp(try_cast({x} AS BIGINT) * 1000)",
        f"ends_with({x}, 'Z') AND regexp_full_match({x}, '{STRICT}Z') THEN {local}",
        f"regexp_full_match({x}, '{STRICT}') THEN {_at(form.zone, local)}",
        f"regexp_full_match({x}, '{STRICT_ZONED}') THEN timezone('UTC', try_cast({x} AS TIMESTAMPTZ))",
        rf"regexp_full_match({x}, '\d{{4}}-\d{{2}}-\d{{2}}') THEN {_at(form.home, local)}",
    ]
    if days := TURNED_DAYS.get(form.dates):
        turned = f"try_strptime({x}, ['{days} %H:%M:%S', '{days} %H:%M'])"
        cases.append(f"regexp_full_match({x}, '{STRICT_TURNED}') THEN {_at(form.zone, turned)}")
    return _cases(x, *cases, other=other)


def day(x: str, form: Format) -> str:
    """DATE as written; an instant with a zone or an epoch is the day it was where the company is, UTC midnights as written."""
    here = f"CAST(timezone('{form.home}', timezone('UTC', {{}})) AS DATE)"

    def other(y: str) -> str:
        midnight = f"date_trunc('day', {_epoch(y)}) = {_epoch(y)}"
        epoch = f"CASE WHEN {midnight} THEN CAST({_epoch(y)} AS DATE) ELSE {here.format(_epoch(y))} END"
        return (
            f"CASE WHEN regexp_full_match({y}, '{EPOCH}') THEN {epoch} "
            f"WHEN regexp_matches({y}, '{ZONED}') AND NOT regexp_matches({y}, '{MIDNIGHT}') "
            f"THEN {here.format(_instant(y, form))} "
            f"ELSE try_cast(split_part({_iso(y, form.dates)}, ' ', 1) AS DATE) END"
        )

    cases = [rf"regexp_full_match({x}, '\d{{4}}-\d{{2}}-\d{{2}}') THEN try_cast({x} AS DATE)"]
    if days := TURNED_DAYS.get(form.dates):
        turned = f"CAST(try_strptime({x}, '{days}') AS DATE)"
        cases.insert(0, rf"regexp_full_match({x}, '\d{{2}}/\d{{2}}/\d{{4}}') THEN {turned}")
    return _cases(x, *cases, other=other)


def evidence(x: str, type_: str) -> tuple[str, str]:
    """A struct of examples of how the column is written (kind → least and greatest text, or NULLs), and where to look for them.

    The kinds: what only one format reads (`dmy`, `mdy`; `,`, `.` as the decimal mark), and `either`.
    """
    if type_ in ("date", "time"):
        first = rf"try_cast(regexp_extract({x}, '^(\d{{1,2}})[-/.]', 1) AS INTEGER)"
        second = rf"try_cast(regexp_extract({x}, '^\d{{1,2}}[-/.](\d{{1,2}})', 1) AS INTEGER)"
        turned = f"regexp_full_match({x}, '{TURNED}')"
        tests = {
            "dmy": f"{turned} AND {first} > 12 AND {second} <= 12",
            "mdy": f"{turned} AND {second} > 12 AND {first} <= 12",
            "either": f"{turned} AND {first} <= 12 AND {second} <= 12 AND {first} <> {second}",
        }
    else:
        b = _bare_number(x)
        shape = r"[+-]?((\d{{1,3}}({g}\d{{3}})+|\d+){p}\d+|\d{{1,3}}({g}\d{{3}}){{2,}})"
        tests = {
            mark: f"regexp_full_match({b}, '{shape.format(g=group, p=point)}') AND NOT {_either(b)}"
            for mark, group, point in ((",", r"\.", ","), (".", ",", r"\."))
        }
        tests["either"] = _either(b)
    fields = ", ".join(f"'{kind}': [min({x}) FILTER ({test}), max({x}) FILTER ({test})]" for kind, test in tests.items())
    where = f"{x}[5] <> '-'" if type_ in ("date", "time") else f"(contains({x}, ',') OR contains({x}, '.'))"
    return "{" + fields + "}", where


def _either(bare: str) -> str:
    return rf"regexp_full_match({bare}, '[+-]?[1-9]\d{{0,2}}[.,]\d{{3}}')"


def decide(seen: Mapping[str, Sequence[str | None]], type_: str, where: str, source: str, form: Format) -> Format:
    """The format of one column from its `evidence`. InputError, naming two values, when it is undecidable or mixed."""
    dates = type_ in ("date", "time")
    one, other = ("dmy", "mdy") if dates else (",", ".")
    key = "dates" if dates else "decimal"
    advice = f'declare `{key}: "{one}"` or `{key}: "{other}"` under `sources: {source}:` in company.yml'
    found = [kind for kind in (one, other) if seen[kind][0] is not None]
    if len(found) == 2:
        examples = f"'{seen[one][0]}' and '{seen[other][0]}'"
        raise InputError(f"{where}: written in two ways, {examples}; {advice}, and rows written the other way are set aside")
    if not found and seen["either"][0] is not None:
        examples = " and ".join(f"'{value}'" for value in dict.fromkeys(seen["either"]))
        doubt = "day or month first" if dates else "a decimal or a thousands separator"
        raise InputError(
            f"{where}: {examples} can be read in two ways ({doubt}), and no value of the column decides it; {advice}"
        )
    return replace(form, **{key: found[0] if found else ("ymd" if dates else ".")})
