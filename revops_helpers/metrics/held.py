"""What was counted, kept beside the data it follows from: the next process that asks the same of it runs no query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

import pandas as pd

from revops_helpers.metrics.estimate import KEYS, RESULT
from revops_helpers.metrics.metric import Metric
from revops_helpers.model.company import Company

Batches = Sequence[Sequence[Metric]]
METRIC = "metric"


def held(
    company: Company, of: str, batches: Batches, count: Callable[[Batches], dict[str, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """Metric id → frame of KEYS and RESULT: what `count(batches)` gives, from the company's shelf where it lies there.

    of: the dimension and the windows. A company without a shelf counts each time; so does one whose shelf holds what cannot be
    read.
    """
    if company.shelf is None or not batches:
        return count(batches)
    ids = [metric.id for batch in batches for metric in batch]
    content = company.kept("counted", lambda: _packed(count(batches)), f"{of} {sorted(ids)}")
    try:
        rows = pd.read_parquet(BytesIO(content))
    except ValueError:
        return count(batches)
    return {id: rows[rows[METRIC] == id].drop(columns=METRIC).reset_index(drop=True) for id in ids}


def _packed(found: dict[str, pd.DataFrame]) -> bytes:
    frames = [frame[[*KEYS, *RESULT]].assign(**{METRIC: id}) for id, frame in found.items()]
    return pd.concat(frames, ignore_index=True).to_parquet(index=False)
