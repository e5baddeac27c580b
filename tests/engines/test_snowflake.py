"""The whole catalogue in Snowflake's dialect, run by fakesnow through Snowflake's own client: every number is DuckDB's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from revops_helpers.backends.warehouses import Snowflake
from revops_helpers.metrics.counting import lacking
from revops_helpers.metrics.measure import COLUMNS, catalogue, measure
from revops_helpers.model.company import Company
from revops_helpers.workspace import OpenCompany
from tests.engines.emulated import emulator, loaded, small_company

pytestmark = pytest.mark.engines
PYTHON = os.environ.get("REVOPS_TEST_FAKESNOW", "")
SAID = [name for name in COLUMNS if name not in ("value", "low", "high")]


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[tuple[OpenCompany, Company]]:
    """The same small company on DuckDB and on the emulator."""
    assert PYTHON, "run by make test-engines, which installs the emulator"
    company = small_company(tmp_path_factory.mktemp("small") / "company")
    with emulator(PYTHON, "ask_snowflake.py", Snowflake()) as engine:
        yield company, loaded(company, engine)


@pytest.mark.parametrize("dimension", ["", "segment"])
def test_every_metric_is_duckdbs_to_the_last_cent(both, dimension):
    ids = [id for id, metric in catalogue().items() if not lacking(both[0], metric, dimension)]
    ours, theirs = (measure(company, ids, by=dimension) for company in both)
    pd.testing.assert_frame_equal(theirs[SAID], ours[SAID])
    assert (ours["status"] != "not_applicable").sum() > 100
    for name in ("value", "low", "high"):
        told, expected = theirs[name].astype(float), ours[name].astype(float)
        np.testing.assert_allclose(told, expected, rtol=1e-9, atol=1e-12, err_msg=name)
        whole = (ours["unit"] == "money") & (expected == expected.round())
        assert (told[whole].round(6) == expected[whole]).all(), f"{name} in cents"
