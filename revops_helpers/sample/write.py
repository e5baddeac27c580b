"""Writes the sample company as the exports of its systems."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from revops_helpers.sample import dirt, jira
from revops_helpers.sample import world as w
from revops_helpers.sample.shapes import Export, csv_bytes, slices, zipped
from revops_helpers.sample.sheets import BILLING, METRICS, SHEETS
from revops_helpers.sample.simulation import MAKERS, World
from revops_helpers.sample.systems import SYSTEMS
from revops_helpers.sample.truth import truth_of

EXPORTS = (*SYSTEMS, *BILLING, *SHEETS)
FILES = Path(__file__).parent / "files"  # company.yml and the SELECTs for billing and spreadsheets


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
    shutil.copytree(FILES, out, dirs_exist_ok=True)
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
