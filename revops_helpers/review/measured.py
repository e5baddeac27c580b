"""The tables of every metric, its query and records to be fixed, kept beside the data that they were measured from.

A review that is run again in another language, with a notebook changed or left out, or for one role, reads them instead of
measuring everything anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.review import run

NAMES = ("table", "queries", "fixes")


def kept(company: Company) -> dict[str, pd.DataFrame] | None:
    """What an earlier review measured; None where there is none, or none that can be read."""
    found = {name: company.shelf.get(f"measured-{name}", _told(company)) for name in NAMES}
    try:
        return None if None in found.values() else {name: pd.read_parquet(BytesIO(held)) for name, held in found.items()}
    except ValueError:
        return None


def keep(company: Company, frames: Mapping[str, pd.DataFrame]) -> None:
    """Keep them for the next review."""
    for name in NAMES:
        company.shelf.put(f"measured-{name}", _told(company), frames[name].to_parquet(index=False))


def _told(company: Company) -> str:
    return company.told(run.MAKE_METRICS)
