"""Writes the sample company: as the exports of its systems, or as canonical tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from revops_helpers.model.tables import TABLES
from revops_helpers.sample import agreement, dirt, jira
from revops_helpers.sample import world as w
from revops_helpers.sample.shapes import Export, csv_bytes, slices, zipped
from revops_helpers.sample.sheets import BILLING, METRICS, SHEETS
from revops_helpers.sample.simulation import MAKERS, Simulation, World
from revops_helpers.sample.systems import SYSTEMS
from revops_helpers.sample.truth import truth_of

EXPORTS = (*SYSTEMS, *BILLING, *SHEETS)
SELECTS = Path(__file__).parent / "selects"


def write_sample(out: Path, seed: int = w.SEED, scale: float = 1.0) -> dict:
    """Write exports, company.yml, the SELECTs for billing and spreadsheets, and truth.json; returns the truth.

    One table is held at a time, so that memory stays bounded at a large scale.
    """
    out.mkdir(parents=True, exist_ok=True)
    world, empty = World(seed, scale), {}
    for name, make in MAKERS.items():
        mine = [export for export in EXPORTS if export.table == name]
        frame = make(world) if mine else None
        for export in mine:
            empty |= _write(out, export, frame)
    with zipped(out / "jira/issues.jsonl.gz") as file:
        for line in jira.issues(world.work, world.people.table):
            file.write(f"{line}\n".encode())
    _write_dictionary(out)
    shutil.copytree(SELECTS, out / "selects", dirs_exist_ok=True)
    (out / "company.yml").write_text(agreement.of_exports(), encoding="utf-8")
    truth = truth_of(world) | {"dirt": dirt.planted(), "empty_cells": empty}
    (out / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return truth


def _write(out: Path, export: Export, frame: pd.DataFrame) -> dict[str, int]:
    """One file: the good rows, then the bad ones. Returns how many cells of the columns left empty on purpose are empty."""
    empty = dict.fromkeys(export.blanks, 0)
    with zipped(out / export.path) as file:
        spoilt = None
        for first, rows in slices(frame):
            shaped = export.shaped(rows, first)
            spoilt = dirt.bad_rows(export.path, shaped) if first == 0 else spoilt
            file.write(csv_bytes(shaped, export, header=first == 0))
            empty = {header: count + shaped[header].null_count for header, count in empty.items()}
        if spoilt is not None:
            file.write(csv_bytes(spoilt, export, header=False))
        file.write(dirt.torn(export.path, export.delimiter))
    return {f"{export.path.removesuffix('.csv.gz')}.{header}": count for header, count in empty.items()}


def _write_dictionary(out: Path) -> None:
    """The spreadsheet that says which metric of the workbook a name in the plan means."""
    lines = ["Nome;Métrica", *(f"{name};{metric}" for metric, name in METRICS.items())]
    with zipped(out / "planilhas/dicionario.csv.gz") as file:
        file.write("".join(f"{line}\n" for line in lines).encode("cp1252"))


def write_canonical(simulation: Simulation, folder: Path) -> None:
    """Every table as `tables/<table>.parquet` (money in major units, naive UTC times) with a company.yml that says so."""
    target = folder / "tables"
    target.mkdir(parents=True, exist_ok=True)
    for name, table in simulation.tables.items():
        arrays = {c: _array(table[c], TABLES[name][c].type) for c in table.columns}
        pq.write_table(pa.table(arrays), target / f"{name}.parquet")
    (folder / "company.yml").write_text(agreement.of_tables(), encoding="utf-8")


def _array(values: pd.Series, kind: str) -> pa.Array:
    if kind == "money":
        return pa.array(values.to_numpy(dtype="float64") / 100)
    if kind == "date":
        return pa.array(values).cast(pa.date32())
    if kind == "time":
        return pa.array(values).cast(pa.timestamp("s"))
    if kind == "text":
        return pa.array(values.astype("str")).cast(pa.string())
    return pa.array(values)
