"""open_company(): a company's folder as it stood on a date, the first line of every notebook."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from revops_helpers.engine import reader
from revops_helpers.ingest import ingested
from revops_helpers.model.company import Company
from revops_helpers.model.formats import quoted
from revops_helpers.model.freshness import freshness
from revops_helpers.model.ledger import balance, data_ends_on, newest_days
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import PERIODS, Period, PeriodName, last_closed_month_end
from revops_helpers.settings import InputError, Settings, line_of, nearest, read_settings
from revops_helpers.shelf import Shelf
from revops_helpers.sources.entries import OWN, entries
from revops_helpers.sources.names import snake
from revops_helpers.warehouse import Tables, engine_of, tables_of
from revops_helpers.words.messages import use

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

HOME = Path(__file__).resolve().parent.parent
SAMPLE = HOME / "data" / "sample"


class OpenCompany(Company):
    """A company from a folder, with the way from a number to its rows, which needs the metrics above the model."""

    def rows(self, metric: str, member: str = "", period: Period | None = None, by: str = "") -> ibis.Table:
        """The rows behind a number and what each contributes: see `metrics.rows`."""
        from revops_helpers.metrics.rows import rows

        return rows(self, metric, member, period, by)


def open_company(
    data: str | Path = "sample",
    as_of: str | date | None = None,
    period: PeriodName = "ytd",
    segment: str | None = None,
    language: str | None = None,
    show_people: bool = False,
    engine: str | None = None,
) -> OpenCompany:
    """The company in the folder `data` (or "sample") as it stood at the end of `as_of`.

    as_of: ISO text or a date; none means the newest closed month end of the data. period: quarter, ytd or t12m.
    segment: a value of accounts.segment that the review is narrowed to. language: en or pt_BR; none means company.yml's.
    show_people: reports name people; without it they are ids.
    engine: the address of the engine that measures (`address`); none means REVOPS_ENGINE, company.yml's, or DuckDB in here.
    InputError, one message, when anything given is wrong; AssertionError when the row ledger does not balance.
    """
    folder = folder_of(data)
    settings = read_settings(folder / "company.yml")
    _check_names(folder / "company.yml", settings)
    use(language or settings.locale)
    if period not in PERIODS:
        raise InputError(f"unknown period '{period}'; one of {', '.join(PERIODS)}")
    stored = ingested(folder, settings, entries(folder, settings))
    tables = tables_of(engine_of(engine, settings), stored)
    gc.set_threshold(100_000, 10, 10)  # building queries makes many small objects that all live as long as the query
    company = _opened(stored, tables, settings, _day(as_of), period, segment or None)
    return replace(company, show_people=show_people) if show_people else company


def _check_names(file: Path, settings: Settings) -> None:
    """What company.yml says of systems, tables and columns is said of some that there are."""
    sources = [*map(snake, settings.sources), OWN]
    columns = [f"{table}.{column}" for table, spec in TABLES.items() for column in spec.names]
    both = [f"{source}.{table}" for source in sources for table in TABLES]
    known = {
        "record_url": [*settings.sources, *TABLES],
        "freshness": [*sources, *TABLES, *both],
        "required": [*TABLES, *columns],
        "survivors": [*TABLES, *columns],
    }
    for key, names in known.items():
        for name in getattr(settings, key):
            if name not in names:
                line = line_of(file, key, name)
                raise InputError(f"{file}, line {line}: {key} of neither a system nor a table: '{name}'; {nearest(name, names)}")
    for name, wins in settings.survivors.items():
        for source in set(wins) - set(sources):
            line = line_of(file, "survivors", name)
            raise InputError(f"{file}, line {line}: survivors of {name}: no system '{source}'; {nearest(source, sources)}")


def folder_of(data: str | Path) -> Path:
    """The sample is found beside the package, never from the working directory; so is a relative folder that is not here."""
    if str(data) == "sample":
        return SAMPLE
    folder = Path(data).expanduser()
    if not folder.is_absolute() and not folder.is_dir() and (HOME / folder).is_dir():
        folder = HOME / folder
    if not folder.is_dir():
        raise InputError(f"{data}: no such folder; give the folder that holds company.yml and the exports, or 'sample'")
    return folder.resolve()


def _day(as_of: str | date | None) -> date | None:
    if not as_of or isinstance(as_of, date):
        return as_of or None
    try:
        return date.fromisoformat(as_of.strip())
    except ValueError:
        raise InputError(f"as of '{as_of}': not a day; write it as 2026-09-30") from None


def _opened(
    stored: Path, tables: Tables, settings: Settings, as_of: date | None, period: PeriodName, segment: str | None
) -> OpenCompany:
    meta = json.loads((stored / "meta.json").read_text(encoding="utf-8"))
    backend = tables.backend if tables.local else reader(stored)  # what ingest noted is read here, whatever engine measures
    reads, days, moments, quarantine = (_frame(backend, stored, name) for name in ("reads", "days", "moments", "quarantine"))
    first, last = data_ends_on(days, moments)
    as_of = _checked_day(as_of, first, last)
    accepted = Stored(tables, meta["tables"])
    notes = list(meta["notes"])
    if last and as_of > last:
        notes.append(f"data ends on {last.isoformat()}")
    _check_segment(segment, accepted)
    newest = newest_days(days, as_of)
    notes += [fresh.note for fresh in freshness(settings, newest, list(reads["source"].unique()), as_of) if fresh.note]
    return OpenCompany(
        settings=settings,
        as_of=as_of,
        accepted=accepted,
        period_name=period,
        segment=segment,
        ledger=balance(reads, days, as_of),
        quarantine=quarantine,
        data_ends_on=last,
        mapping=_frame(backend, stored, "mapping"),
        newest=newest,
        origin=Stored(tables, {table: [*names, "_source"] for table, names in meta["tables"].items()}, " by source"),
        notes=tuple(notes),
        fingerprint=stored.name,
        shelf=Shelf(stored, tables.engine),
    )


def _frame(backend: Backend, stored: Path, name: str) -> pd.DataFrame:
    rows = backend.raw_sql(f"SELECT * FROM read_parquet({quoted(stored / f'_{name}.parquet')})")
    return rows.to_arrow_table().to_pandas() if name == "quarantine" else rows.df()  # there may be a million refused rows


class Stored(Mapping[str, ibis.Table]):
    """Table → its lazy accepted rows. A file is opened when its table is asked for: opening a company stays cheap."""

    def __init__(self, tables: Tables, columns: Mapping[str, list[str]], called: str = ""):
        self._find, self._columns, self._called = tables.find, columns, called
        self._tables: dict[str, ibis.Table] = {}

    def __getitem__(self, name: str) -> ibis.Table:
        if name not in self._tables:
            self._tables[name] = self._find(name, self._columns[name], f"{name}{self._called}")
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return (name for name in TABLES if name in self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _checked_day(as_of: date | None, first: date | None, last: date | None) -> date:
    if as_of is None:
        if last is None:
            raise InputError("no row of the data has a date to tell where it ends; give an as-of date")
        closed = last_closed_month_end(last)
        return closed if first and closed >= first else last
    if first and as_of < first:
        raise InputError(f"as of {as_of}: before all data, whose first record is of {first}; give a later date")
    return as_of


def _check_segment(segment: str | None, accepted: Mapping[str, ibis.Table]) -> None:
    if segment is None:
        return
    known = []
    if "accounts" in accepted and "segment" in accepted["accounts"].columns:
        known = sorted(accepted["accounts"].select("segment").distinct().drop_null().execute()["segment"])
    if segment not in known:
        raise InputError(f"segment '{segment}': no account has it; the segments are {', '.join(known) or 'not given'}")
