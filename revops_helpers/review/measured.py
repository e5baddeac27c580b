"""The tables of every metric, its query and records to be fixed, kept in the cache beside the data they were measured from.

They follow from the data, the date, the period, the segment and the code alone. A review that is run again in another language,
with a notebook changed or left out, or for one role, reads them instead of measuring everything anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd

from revops_helpers.ingest import cache_folder
from revops_helpers.model.company import Company
from revops_helpers.review import run
from revops_helpers.review.manifest import versions

NAMES = ("table", "queries", "fixes")
PACKAGE = Path(__file__).resolve().parents[1]


def places(company: Company) -> dict[str, Path]:
    """Name → the Parquet file in the cache, called after all that its content follows from; any change of code is a new name."""
    code = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        code.update(f"{file.relative_to(PACKAGE)}\n".encode() + file.read_bytes())
    told = [code.hexdigest(), run.MAKE_METRICS, versions(), str(company.as_of), str(company.period), company.segment or ""]
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]
    return {name: cache_folder() / company.fingerprint / f"_measured-{key}-{name}.parquet" for name in NAMES}


def kept(company: Company) -> dict[str, pd.DataFrame] | None:
    """What an earlier review measured; None where there is none, or none that can be read."""
    try:
        return {name: pd.read_parquet(file) for name, file in places(company).items()}
    except (OSError, ValueError):
        return None


def keep(company: Company, frames: Mapping[str, pd.DataFrame]) -> None:
    """Keep them for the next review. Each appears whole or not at all; a cache that takes no more is no reason to fail."""
    for name, file in places(company).items():
        with suppress(OSError):
            handle, begun = tempfile.mkstemp(dir=file.parent, prefix="_measured-", suffix=".begun")
            os.close(handle)
            try:
                frames[name].to_parquet(begun, index=False)
                Path(begun).replace(file)
            finally:
                Path(begun).unlink(missing_ok=True)
