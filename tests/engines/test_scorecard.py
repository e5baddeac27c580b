"""The sample company measured on other engines: every number of the scorecard is DuckDB's, and little of the data is fetched."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pandas as pd
import pytest

from revops_helpers.metrics.measure import COLUMNS, catalogue, sql, tidy
from revops_helpers.model.company import Unavailable
from revops_helpers.workspace import OpenCompany, open_company

pytestmark = pytest.mark.engines
ADDRESSES = {"postgres": os.environ.get("REVOPS_TEST_POSTGRES", ""), "spark": "spark://local"}
WHOLE = {ADDRESSES["postgres"]: True, ADDRESSES["spark"]: False}  # a query takes Spark a second, whatever it asks
SAID = [name for name in COLUMNS if name not in ("value", "low", "high")]
MOST = 100_000  # rows that any query may bring here, whatever the size of the data


@pytest.fixture(scope="module", params=sorted(ADDRESSES))
def engine(request) -> str:
    """The address of an engine that runs."""
    assert ADDRESSES[request.param], "run by make test-engines, which starts the engines"
    return ADDRESSES[request.param]


@pytest.fixture(scope="module")
def fetched(engine) -> list[int]:
    """How many rows every query brought here, one number a query."""
    counts: list[int] = []
    own = type(open_company("sample", engine=engine).accepted["leads"].get_backend())

    def counting(method: str):
        def counted(self, *given, **how):
            found = getattr(super(own, self), method)(*given, **how)
            counts.append(len(found) if hasattr(found, "__len__") and not isinstance(found, str) else 1)
            return found

        return counted

    with pytest.MonkeyPatch.context() as patch:
        for method in ("execute", "to_pyarrow"):
            patch.setattr(own, method, counting(method), raising=False)
        yield counts


@cache
def measured(engine: str, whole: bool) -> tuple[OpenCompany, pd.DataFrame]:
    """The company on the engine and every metric of it; whole: by every dimension and window too."""
    company = open_company("sample", engine=engine)
    return company, tidy(company) if whole else tidy(company, by=(), every=())


def test_every_number_of_the_scorecard_is_duckdbs_to_the_last_cent(engine, fetched):
    ours, theirs = (measured(address, WHOLE[engine])[1] for address in (engine, "duckdb://"))
    pd.testing.assert_frame_equal(ours[SAID], theirs[SAID])
    assert len(ours) > 5_000 if WHOLE[engine] else set(ours["metric"]) == set(catalogue())
    for name, near in (("value", 1e-9), ("low", 1e-8), ("high", 1e-8)):  # a bound magnifies the order in which floats are added
        told, expected = ours[name].astype(float), theirs[name].astype(float)
        np.testing.assert_allclose(told, expected, rtol=near, atol=1e-12, err_msg=name)
    cents = [one["value"][one["unit"] == "money"].astype(float) for one in (ours, theirs)]
    np.testing.assert_allclose(*cents, rtol=0, atol=0.01, err_msg="a hundredth of a cent")


def test_only_aggregates_and_bounded_samples_are_fetched(engine, fetched):
    company, found = measured(engine, WHOLE[engine])
    rows = {name: int(table.count().to_pyarrow().as_py()) for name, table in company.accepted.items()}
    assert len(fetched) > 50
    assert max(fetched) <= MOST
    assert max(fetched) < max(rows.values()) / 4, "more than a quarter of the largest table came here"
    assert sum(fetched) < sum(rows.values()) * 2, f"{len(found)} numbers"


def planned(backend, text: str) -> None:
    """Have the engine take the query apart without running it; it raises what it does not understand."""
    if backend.name == "pyspark":
        backend.raw_sql(text)  # runs when its rows are asked for
    else:
        backend.raw_sql(f"EXPLAIN {text}").close()


def test_the_query_that_is_shown_is_one_that_the_engine_understands(engine):
    company = measured(engine, WHOLE[engine])[0]
    backend, shown, refused = company.accepted["leads"].get_backend(), 0, {}
    for id, metric in catalogue().items():
        if metric.estimator == "derived":
            continue  # its parts are asked themselves
        try:
            text = sql(company, id)
        except Unavailable:
            continue
        shown += 1
        try:
            planned(backend, text)
        except Exception as error:
            refused[id] = str(error).splitlines()[0]
    assert shown > 80 and not refused, refused
