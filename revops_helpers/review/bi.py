"""What BI tools read: a published review as tables of a database (`--publish`), and its metrics as Tableau's extract (`--hyper`).

The tables are `reviews`, `metrics`, `findings` and `ledger`, in the schema that the address names, else in `revops`. Every row
has its company and review, so that many reviews stand side by side; a review that is sent again takes the place of its own rows.
One transaction does it all. Values are as in the review's files: money in cents of the row's currency, percents as shares.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from revops_helpers.address import address_of
from revops_helpers.model.formats import identifier
from revops_helpers.settings import InputError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "revops"
TEXT, WHOLE, NUMBER, DAY = "VARCHAR", "BIGINT", "DOUBLE PRECISION", "DATE"
HOME = {"company": TEXT, "review": TEXT}
SPAN = {"period_start": DAY, "period_end": DAY}
METRICS = (
    {"metric": TEXT, "dimension": TEXT, "member": TEXT, **SPAN, "value": NUMBER, "low": NUMBER, "high": NUMBER, "n": WHOLE}
    | dict.fromkeys(("status", "reason", "unit", "currency", "definition_id"), TEXT)
)  # fmt: skip
TABLES: Mapping[str, Mapping[str, str]] = {
    "reviews": HOME
    | {"as_of": DAY, "period": TEXT, **SPAN, "segment": TEXT, "language": TEXT, "currency": TEXT, "data_ends_on": DAY}
    | {"version": TEXT, "code": TEXT},
    "metrics": HOME | METRICS,
    "findings": HOME
    | {"place": WHOLE}
    | dict.fromkeys(("finding", "phase", "kind", "headline", "action", "owner", "metric", "confidence", "evidence"), TEXT)
    | {"review_on": DAY, "stake": NUMBER, "stake_low": NUMBER, "stake_high": NUMBER, "stake_n": WHOLE}
    | {"stake_status": TEXT, "currency": TEXT},
    "ledger": HOME
    | {"table": TEXT, "source": TEXT, "unit": TEXT}
    | dict.fromkeys(("read", "accepted", "quarantined", "excluded"), WHOLE),
}


class NotSent(Exception):
    """The database did not take the review, and has what it had. The text says by which address and why, without a secret."""


def typed(frame: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    """The columns of a frame in the types declared; what is missing is null."""
    import pyarrow as pa

    kinds = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), DAY: pa.date32()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    nothing = pd.Series(index=frame.index, dtype=object)
    return pa.Table.from_pandas(pd.DataFrame({c: frame.get(c, nothing) for c in columns}), schema=schema, preserve_index=False)


# ---- Tableau's extract


def check_hyper() -> None:
    """InputError unless what writes extracts is installed."""
    if find_spec("pantab") is None:
        raise InputError("--hyper needs its package: pip install -e '.[tableau]'")


def write_hyper(file: Path, metrics: pd.DataFrame) -> None:
    """The table of metrics as a .hyper extract with one table, `metrics`."""
    import pantab

    with TemporaryDirectory() as aside:  # Hyper lets nobody but owner and group read what it makes
        pantab.frame_to_hyper(typed(metrics, METRICS), made := Path(aside) / file.name, table="metrics")
        shutil.copyfile(made, file)


# ---- a database


def check_publish(url: str, show_people: bool) -> None:
    """InputError when a review cannot go to that address: it is none, no writer knows its engine, or people are named."""
    address = address_of(url)
    if address.scheme not in WRITERS:
        raise InputError(f"--publish: reviews go to DuckDB or PostgreSQL, which BI tools read; not to {address.engine.name}")
    if show_people:
        raise InputError("--publish: a review that names people stays out of databases; leave out --show-people")


def contents(folder: Path) -> dict[str, pa.Table]:
    """The rows of a published review for each of `TABLES`, read from its files."""
    made_of, found = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("manifest", "findings"))
    home = {"company": made_of["review"]["company"], "review": folder.resolve().name}
    frames = {
        "reviews": pd.DataFrame([_review(made_of)]),
        "findings": pd.DataFrame([_finding(place, one) for place, one in enumerate(found, 1)]),
        **{name: pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in ("metrics", "ledger")},
    }
    return {name: typed(frames[name].assign(**home), columns) for name, columns in TABLES.items()}


def _review(made_of: Mapping[str, Any]) -> dict[str, Any]:
    about, period = made_of["review"], made_of["review"]["period"]
    told = next(iter(made_of["parameters"].values()), {})
    return {
        "as_of": _day(about["as_of"]),
        "period": period["name"],
        "period_start": _day(period["start"]),
        "period_end": _day(period["end"]),
        "segment": about["segment"],
        "language": told.get("language"),
        "currency": about["currency"],
        "data_ends_on": _day(about["data_ends_on"]),
        "version": made_of["versions"]["revops-workbook"],
        "code": (made_of["commit"] or {}).get("hash"),
    }


def _finding(place: int, one: Mapping[str, Any]) -> dict[str, Any]:
    stake = one["stake"]
    kept = {name: one[name] for name in TABLES["findings"] if name in one and name != "stake"}
    worth = {"stake": stake["value"], **{f"stake_{name}": stake[name] for name in ("low", "high", "n", "status")}}
    return (
        kept | worth | {"place": place, "finding": one["id"], "currency": stake["currency"], "review_on": _day(one["review_on"])}
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def publish(url: str, folder: Path) -> None:
    """Send a published review. NotSent when the database cannot be reached or does not take it: it then has what it had."""
    from revops_helpers.engine import connect

    address, rows = address_of(url), contents(folder)
    try:
        backend = connect(url)
    except InputError as error:
        raise NotSent(str(error)) from None
    schema = address.parts[1] if address.scheme != "duckdb" and len(address.parts) > 1 else SCHEMA
    try:
        _replace(backend.con, schema, rows, WRITERS[address.scheme])
    except Exception as error:  # each engine's package raises its own
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NotSent(f"{address}: {address.engine.name} did not take the review: {said}") from None
    finally:
        backend.disconnect()


def _replace(connection: Any, schema: str, rows: Mapping[str, pa.Table], writer: Writer) -> None:
    """The rows of one review instead of those that it has, in one transaction."""
    mark, insert, lock = writer
    one = {name: rows["reviews"][name][0].as_py() for name in HOME}
    (database,) = connection.execute("SELECT current_database()").fetchone()  # a DuckDB file may be called as its schema is
    places = {name: identifier(database, schema, name) for name in rows}
    connection.execute("BEGIN")
    try:
        _make(connection, schema, places, mark)
        if lock:
            connection.execute(lock.format(places["reviews"]))
        for name, place in places.items():
            connection.execute(f"DELETE FROM {place} WHERE company = {mark} AND review = {mark}", list(one.values()))
            insert(connection, place, rows[name])
        connection.execute("COMMIT")
    except BaseException:
        with suppress(Exception):  # what went wrong is the news, not that there is nothing to roll back any more
            connection.execute("ROLLBACK")
        raise


def _make(connection: Any, schema: str, places: Mapping[str, str], mark: str) -> None:
    """Schema and tables where they are not there; who may only use them need not be allowed to make a schema."""
    there = connection.execute(f"SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {mark}", [schema]).fetchone()
    if not there:
        connection.execute(f"CREATE SCHEMA {identifier(schema)}")
    for name, place in places.items():
        listed = ", ".join(f"{identifier(column)} {kind}" for column, kind in TABLES[name].items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {place} ({listed})")


def _columns(rows: pa.Table) -> str:
    return ", ".join(map(identifier, rows.column_names))


def _into_duckdb(connection: Any, place: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {place} ({_columns(rows)}) SELECT * FROM incoming")
    connection.unregister("incoming")


def _into_postgres(connection: Any, place: str, rows: pa.Table) -> None:
    marks = ", ".join(["%s"] * rows.num_columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {place} ({_columns(rows)}) VALUES ({marks})",
            list(zip(*(column.to_pylist() for column in rows.columns), strict=True)),
        )


Writer = tuple[str, Callable[[Any, str, "pa.Table"], None], str]  # a parameter's mark, how rows go in, how writers wait
WRITERS: Mapping[str, Writer] = {
    "duckdb": ("?", _into_duckdb, ""),
    "postgres": ("%s", _into_postgres, "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"),
}
