"""The manifest: what a review was made of. Two runs of the same inputs differ in its `run` part only."""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from revops_helpers.ingest import cache_folder
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.metric import Metric
from revops_helpers.model.company import Company
from revops_helpers.optimization.forecast import SEED as FORECAST_SEED

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "ibis-framework", "duckdb", "sqlglot", "pandas", "pyarrow", "numpy", "scipy", "statsmodels", "scikit-learn", "lifelines",
    "matplotlib", "seaborn", "papermill",
)  # fmt: skip


def manifest(
    company: Company,
    inputs: Iterable[Mapping[str, Any]],
    parameters: Mapping[str, Any],
    compared_with: Mapping[str, str] | None,
    languages: Sequence[str],
) -> dict[str, Any]:
    """Everything needed to tell one review from another, and to make it again. `gates` and `run` are known at its end only."""
    period = company.period
    return {
        "review": {
            "company": company.settings.name,
            "as_of": company.as_of.isoformat(),
            "period": {"name": company.period_name, "start": period.start.isoformat(), "end": period.end.isoformat()},
            "segment": company.segment or "",
            "currency": company.settings.currency,
            "languages": list(languages),
            "data_ends_on": company.data_ends_on.isoformat() if company.data_ends_on else None,
            "notes": list(company.notes),
        },
        "parameters": dict(parameters),
        "inputs": list(inputs),
        "fingerprint": company.fingerprint,
        "ledger": records(company.ledger),
        "definitions": definitions(),
        "versions": versions(),
        "commit": commit(),
        "seeds": {"hashes": 0, "forecast": FORECAST_SEED},
        "compared_with": compared_with,
        "gates": [],
        "run": {},
    }


def records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows of a frame as plain Python values."""
    return [] if frame is None else frame.astype(object).where(frame.notna(), None).to_dict("records")


def inputs_of(folder: Path, company: Company) -> list[dict[str, Any]]:
    """Every file that was read: its name, bytes, SHA-256, and how many records it held (None for company.yml and SELECTs)."""
    stored = json.loads((cache_folder() / company.fingerprint / "meta.json").read_text(encoding="utf-8"))
    agreed = [folder / "company.yml", *sorted(folder.rglob("*.sql"))]
    own = [{"file": str(f.relative_to(folder)), "sha256": sha256(f), "bytes": f.stat().st_size, "rows": None} for f in agreed]
    return sorted([*own, *stored["inputs"]], key=lambda one: one["file"])


def data_name(folder: Path) -> str:
    """What published files call the data: its place in the checkout, else its name. Where it lay on one machine says nothing."""
    return folder.relative_to(ROOT).as_posix() if folder.is_relative_to(ROOT) else folder.name


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def definitions() -> dict[str, str]:
    """Metric id → a hash of its record, the code of its expressions included: what has another hash is another metric."""
    return {name: hashlib.sha256(_record(metric).encode()).hexdigest()[:16] for name, metric in catalogue().items()}


def _record(metric: Metric) -> str:
    held = {
        field.name: getattr(metric, field.name) for field in fields(metric) if field.name not in ("label", "benchmarks", "owner")
    }
    return json.dumps(held, default=_source)


@cache
def _source(expression: Callable) -> str:
    """Its code, and what it was given beforehand."""
    if isinstance(expression, partial):
        return f"{_source(expression.func)}{expression.args}{sorted(expression.keywords.items())}"
    return inspect.getsource(expression)


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "revops-workbook": version("revops-workbook")} | {
        name: version(name) for name in LIBRARIES
    }


def commit() -> dict[str, Any] | None:
    """The commit of the checkout and whether files differ from it; None where there is no checkout or no git."""
    if not (ROOT / ".git").exists():
        return None
    try:
        head = _git("rev-parse", "HEAD")
        return {"hash": head, "changed": bool(_git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def now() -> str:
    """When the run began: the only wall clock in a review, and only in the manifest's `run`."""
    return datetime.now(UTC).isoformat(timespec="seconds")
