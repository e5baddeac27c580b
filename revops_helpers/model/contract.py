"""The contract: every row is accepted, or set aside with the rule it breaks and its raw text, and the ledger proves it.

Works in the ingest engine (SQL), part by part: a part is what one source gives for one table, as text. What it writes:
`<table>.parquet` (accepted rows, canonical types, `_source`), and three frames: reads, days (accepted, by the day from which a
row is known) and quarantine. `read` is summed before the split and from the independent count of records, so the check can fail.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.model import formats, personal, rules
from revops_helpers.model.calendar import known_days, moments
from revops_helpers.model.formats import Format, identifier, quoted
from revops_helpers.model.tables import TABLES, Table
from revops_helpers.settings import InputError, Settings

if TYPE_CHECKING:
    import duckdb

ENGINE_TYPE = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "money": "BIGINT", "flag": "BOOLEAN"}
ENGINE_TYPE |= {"date": "DATE", "time": "TIMESTAMP"}
QUARANTINE = ("table", "source", "file", "line", "column", "rule", "advice", "raw")


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that never became a row: where it stands, why, what to do, and its text."""

    file: str
    line: int
    rule: str
    advice: str
    raw: str


@dataclass(frozen=True)
class Part:
    """What one source gives for one table. `relation`: text columns, `_row` (unique), `_file`, `_line`.

    rows: records read, counted apart from the parser, refused ones among them. typed: columns that a SELECT calculated.
    """

    table: str
    source: str
    relation: str
    label: str
    columns: tuple[str, ...]
    form: Format
    rows: int
    refused: tuple[Refused, ...] = ()
    typed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What became of the rows.

    reads: table, source, unit, read, quarantined. days: table, source, unit, day (NaT: always known), accepted.
    moments: table, day, rows: on which days the moments lie that systems stamped.
    columns: table → the columns that its accepted rows have, in the model's order.
    """

    reads: pd.DataFrame
    days: pd.DataFrame
    moments: pd.DataFrame
    quarantine: pd.DataFrame
    columns: dict[str, list[str]]


def order(tables: Collection[str]) -> list[str]:
    """Tables in the order in which they can be checked: exchange rates first, what owns before what is owned."""
    done: list[str] = []

    def visit(table: str) -> None:
        if table in done or table not in tables:
            return
        for column in TABLES[table].columns:
            if column.owned and not column.refers.startswith(f"{table}."):
                visit(column.refers.partition(".")[0])
        done.append(table)

    for table in ("fx_rates", *TABLES):
        visit(table)
    return done


def accept(
    connection: duckdb.DuckDBPyConnection, parts: Mapping[str, Sequence[Part]], settings: Settings, folder: Path
) -> Outcome:
    """Hold every part to the contract and write the accepted rows to `folder`. InputError when a column cannot be decided."""
    outcomes: list[Outcome] = []
    rated = set(settings.plan_rates)
    for table in order(parts):
        outcomes.append(_Checked(connection, TABLES[table], parts[table], settings, folder, rated).outcome())
        if table == "fx_rates":
            listed = connection.execute(
                f"SELECT DISTINCT upper(currency) FROM read_parquet({quoted(folder / 'fx_rates.parquet')})"
            )
            rated |= {code for (code,) in listed.fetchall()}
    frames = {
        name: pd.concat([getattr(o, name) for o in outcomes], ignore_index=True)
        for name in ("reads", "days", "moments", "quarantine")
    }
    return Outcome(**frames, columns={table: names for o in outcomes for table, names in o.columns.items()})


class _Checked:
    """One table on its way through the contract."""

    def __init__(self, connection, spec: Table, parts: Sequence[Part], settings: Settings, folder: Path, rated: Collection[str]):
        self.connection, self.spec, self.settings, self.folder = connection, spec, settings, folder
        self.parts = parts
        for part in parts:
            self._complete(part)
        self.forms = [self._decided(part) for part in parts]
        given = {column for part in self.parts for column in part.columns}
        if spec.name == "opportunities" and "status" in given and {"closed_at", "close_date"} & given:
            given |= {"closed_at", "close_date"}
        given |= {"currency"} if spec.money and "currency" in spec.names else set()
        self.columns = [c for c in spec.columns if c.name in given]
        self.key = [c for c in spec.key if c in given]
        self.checks = [list(rules.checks(spec, part.columns, settings, rated)) for part in self.parts]

    def _known(self, part: Part) -> set[str]:
        return {*part.columns, *rules.derived(self.spec, part.columns, self.settings.time_zone)}

    # ---- how each column is written

    def _complete(self, part: Part) -> None:
        """InputError when a column is missing without which no row counts."""
        if missing := [c.name for c in self.spec.columns if c.required and c.name not in part.columns]:
            listed = self.connection.execute(f"DESCRIBE SELECT * FROM {part.relation}").fetchall()
            found = ", ".join(row[0] for row in listed if not row[0].startswith("_")) or "none"
            raise InputError(
                f"{part.label}: column '{missing[0]}' is missing, and no row of {self.spec.name} counts without it; "
                f"add or rename it (columns found: {found})"
            )

    def _decided(self, part: Part) -> dict[str, Format]:
        """The format of every column of the part. InputError when one that is not declared cannot be decided."""
        forms = {}
        for name in part.columns:
            type_ = self.spec[name].type
            form = replace(part.form, decimal=".", dates="ymd") if name in part.typed else part.form
            setting = {"date": "dates", "time": "dates", "integer": "decimal", "number": "decimal", "money": "decimal"}.get(type_)
            if setting and getattr(form, setting) == "auto":
                seen, where = formats.evidence(rules.raw(name), type_)
                (found,) = self.connection.execute(f"SELECT {seen} FROM ({self._texts(part)}) WHERE {where}").fetchone()
                form = formats.decide(found, type_, f"{part.label}, column '{name}'", part.source, form)
            forms[name] = form
        return forms

    # ---- SQL in layers: text, parsed, derived, checked

    def _texts(self, part: Part) -> str:
        return f"SELECT _row, _file, _line, {rules.texts(self.spec, part.columns)} FROM {part.relation}"

    def _parsed(self, i: int) -> str:
        salt = personal.salt_of(self.settings.name)
        values = {c: rules.value(self.spec, self.spec[c], self.forms[i][c], salt) for c in self.parts[i].columns}
        listed = ", ".join(f"{value} AS {rules.parsed(c)}" for c, value in values.items())
        return f"SELECT *, {listed} FROM ({self._texts(self.parts[i])})"

    def _derived(self, i: int) -> str:
        """Canonical values beside text and parsed ones, and the unit that the row's money is summed in."""
        part = self.parts[i]
        found = rules.derived(self.spec, part.columns, self.settings.time_zone)
        values = {c: found.get(c, rules.parsed(c)) for c in self._known(part)}
        if self.spec.money and "currency" in self.spec.names:
            values["currency"] = f"upper(coalesce({values.get('currency', 'NULL')}, {quoted(self.settings.currency)}))"
        if self.spec.covers == "month":
            values[self.spec.stamp[0]] = f"CAST(date_trunc('month', {values[self.spec.stamp[0]]}) AS DATE)"
        listed = ", ".join(
            f"CAST({values.get(c.name, 'NULL')} AS {ENGINE_TYPE[c.type]}) AS {identifier(c.name)}" for c in self.columns
        )
        unit = rules.unit(self.spec, part.columns, self.settings)
        return f"SELECT *, {listed}, {unit} AS _unit FROM ({self._parsed(i)})"

    def _verdicts(self, i: int) -> str:
        tests = " ".join(f"WHEN {check.test} THEN {n}" for n, check in enumerate(self.checks[i]))
        problem = f"CASE {tests} END" if tests else "NULL"
        listed = ", ".join(identifier(c.name) for c in self.columns)
        return f"SELECT {i} AS _part, _row, {problem}::INTEGER AS _problem, _unit, {listed} FROM ({self._derived(i)})"

    # ---- the split

    def outcome(self) -> Outcome:
        union = " UNION ALL ".join(self._verdicts(i) for i in range(len(self.parts)))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE checked AS {union}")
        self.connection.execute("CREATE OR REPLACE TEMP TABLE bad (_part INTEGER, _row BIGINT, _check INTEGER, _column VARCHAR)")
        self.connection.execute("INSERT INTO bad SELECT _part, _row, _problem, NULL FROM checked WHERE _problem IS NOT NULL")
        self._set_orphans_aside()
        self._set_duplicates_aside()
        self._write()
        reads = pd.concat([self._reads(i) for i in range(len(self.parts))], ignore_index=True)
        quarantine = pd.concat([self._quarantine(i) for i in range(len(self.parts))], ignore_index=True)
        accepted = (self.spec, self.columns, self.folder / f"{self.spec.name}.parquet", self.settings.time_zone)
        days, when = known_days(self.connection, *accepted), moments(self.connection, *accepted)
        return Outcome(reads, days, when, quarantine, {self.spec.name: [c.name for c in self.columns]})

    def _set_orphans_aside(self) -> None:
        for column in self.columns:
            owner, _, key = column.refers.partition(".")
            file = self.folder / f"{owner}.parquet"
            if not column.owned or not file.exists():
                continue
            self.connection.execute(
                f"INSERT INTO bad SELECT c._part, c._row, -1, {quoted(column.name)} FROM checked c "
                f"ANTI JOIN read_parquet({quoted(file)}) o ON c.{identifier(column.name)} = o.{identifier(key)} "
                f"WHERE c.{identifier(column.name)} IS NOT NULL AND (c._part, c._row) NOT IN (SELECT (_part, _row) FROM bad)"
            )

    def _set_duplicates_aside(self) -> None:
        """The first row of a key stays, in the order of parts, files and lines. Empty parts of a key are equal."""
        keys = ", ".join(f"c.{identifier(c)}" for c in self.key)
        good = "(SELECT c.* FROM checked c ANTI JOIN bad b ON c._part = b._part AND c._row = b._row)"
        ask = self.connection.execute
        ask(f"CREATE OR REPLACE TEMP TABLE twice AS SELECT hash({keys}) AS _key FROM {good} c GROUP BY 1 HAVING count(*) > 1")
        listed = f"SELECT c._part, c._row, {keys} FROM {good} c SEMI JOIN twice t ON hash({keys}) = t._key"
        if not ask(f"CREATE OR REPLACE TEMP TABLE rivals AS {listed}").fetchone()[0]:
            return
        places = " UNION ALL ".join(
            f"SELECT {i} AS _part, _row, _file, _line, {self._raw(part)} AS _raw FROM ({self._texts(part)}) "
            f"SEMI JOIN (FROM rivals WHERE _part = {i}) USING (_row)"
            for i, part in enumerate(self.parts)
        )
        ask(
            f"INSERT INTO bad SELECT _part, _row, -2 - one, {quoted(', '.join(self.key))} FROM ("
            "SELECT c._part, c._row, row_number() OVER key AS nth, first_value(c._part) OVER key AS one "
            f"FROM rivals c JOIN ({places}) p USING (_part, _row) "
            f"WINDOW key AS (PARTITION BY {keys} ORDER BY c._part, p._file, p._line, p._raw)) WHERE nth > 1"
        )

    def _raw(self, part: Part) -> str:
        """SQL of what a row of the part said, endless texts cut."""
        fields = ", ".join(f"{quoted(c)}: left({rules.raw(c)}, {personal.LONGEST})" for c in part.columns)
        return f"to_json({{{fields}}})::VARCHAR"

    def _write(self) -> None:
        listed = ", ".join(f"c.{identifier(c.name)}" for c in self.columns)
        sources = " ".join(f"WHEN {i} THEN {quoted(part.source)}" for i, part in enumerate(self.parts))
        self.connection.execute(
            f"COPY (SELECT {listed}, CASE c._part {sources} END AS _source, c._unit "
            "FROM checked c ANTI JOIN bad b ON c._part = b._part AND c._row = b._row) "
            f"TO {quoted(self.folder / f'{self.spec.name}.parquet')} (FORMAT parquet, WRITE_BLOOM_FILTER false)"
        )

    # ---- what became of the rows

    def _reads(self, i: int) -> pd.DataFrame:
        """Read and quarantined, in rows and in money, summed apart from the split."""
        part = self.parts[i]
        (set_aside,) = self.connection.execute("SELECT count(*) FROM bad WHERE _part = ?", [i]).fetchone()
        rows = [(self.spec.name, part.source, "rows", part.rows, set_aside + len(part.refused))]
        if self.spec.money in part.columns:
            sums = f"SELECT _unit, coalesce(sum({rules.parsed(self.spec.money)}), 0)::BIGINT FROM ({self._derived(i)})"
            aside = f"{sums} SEMI JOIN (FROM bad WHERE _part = {i}) USING (_row) GROUP BY 1"
            read, aside = (dict(self.connection.execute(query).fetchall()) for query in (f"{sums} GROUP BY 1", aside))
            rows += [(self.spec.name, part.source, unit, read[unit], aside.get(unit, 0)) for unit in sorted(read)]
        return pd.DataFrame(rows, columns=["table", "source", "unit", "read", "quarantined"])

    def _quarantine(self, i: int) -> pd.DataFrame:
        """The refused rows, endless texts cut; in columns, since there may be a million of them."""
        part = self.parts[i]
        found = self.connection.execute(
            f"SELECT coalesce(t._file, {quoted(part.label)}) AS file, t._line AS line, b._check, "
            f"coalesce(b._column, '') AS _column, {self._raw(part)} AS raw FROM ({self._texts(part)}) t "
            f"JOIN (FROM bad WHERE _part = {i}) b USING (_row) ORDER BY 1, 2, raw"
        )
        found = found.to_arrow_table().to_pandas()
        broken = found[["_check", "_column"]].drop_duplicates()
        said = [self._words(i, check, column) for check, column in broken.itertuples(index=False)]
        words = pd.DataFrame(said, columns=["column", "rule", "advice"], index=broken.index)
        found = found.merge(pd.concat([broken, words], axis=1), on=["_check", "_column"], how="left")
        lost = pd.DataFrame({name: [getattr(r, name) for r in part.refused] for name in ("file", "line", "rule", "advice")})
        lost["raw"] = [json.dumps({"text": r.raw[: personal.LONGEST]}) for r in part.refused]
        both = pd.concat([lost.assign(column=""), found], ignore_index=True) if len(lost) else found
        return both.assign(table=self.spec.name, source=part.source)[list(QUARANTINE)].astype({"line": "Int64"})

    def _words(self, i: int, check: int, column: str | None) -> tuple[str, str, str]:
        if check == -1:
            owner = self.spec[str(column)].refers.partition(".")[0]
            return str(column), rules.ORPHAN, f"{column} names no accepted row of {owner}; export that row too, or correct it"
        if check <= -2:
            return str(column), rules.DUPLICATE, rules.twice(self.spec, self.parts[i].source, self.parts[-2 - check].source)
        found = self.checks[i][check]
        return found.column, found.rule, found.advice
