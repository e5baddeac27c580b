"""A review on another engine is DuckDB's, byte for byte, but for the SQL that is shown and the time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revops_helpers.review.run import NOTEBOOKS
from revops_helpers.words.roles import roles
from tests.engines.test_scorecard import ADDRESSES

pytestmark = pytest.mark.engines
NUMBERS = ["value", "low", "high"]
LONG = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
QUERY = re.compile(r"<pre.*?</pre>", re.S)


def revops(*given: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "revops_helpers.cli", *given], capture_output=True, text=True, env=os.environ | environment
    )


def reviewed(data: str, out: Path, *more: str) -> dict[str, str]:
    """Name → content of the published pages, tables, findings and lists, without what may differ.

    What is measured is kept beside the reviews, away from other tests, and for each engine apart.
    """
    done = revops("review", data, "--out", str(out), *more, REVOPS_CACHE=str(out.parent))
    assert done.returncode == 0, done.stderr
    folder = published(out)
    read = [path for path in sorted(folder.rglob("*")) if path.suffix in (".html", ".csv", ".json")]
    files = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in read}
    files["manifest.json"] = json.dumps(
        {name: part for name, part in json.loads(files["manifest.json"]).items() if name != "run"}
    )
    files["tables/metrics.csv"] = numbers(out).drop(columns=NUMBERS).to_csv()  # which are compared as numbers
    return {name: LONG.sub(_shorter, QUERY.sub("", text)) for name, text in files.items()}


def published(out: Path) -> Path:
    (folder,) = (path for path in out.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0].isdigit())
    return folder


def numbers(out: Path) -> pd.DataFrame:
    """The table of metrics."""
    table = pd.read_parquet(published(out) / "tables" / "metrics.parquet")
    return table.astype(dict.fromkeys(NUMBERS, float))


def _shorter(number: re.Match) -> str:
    """Floats are added in the order in which an engine finds them, which shows in the last of their digits."""
    return f"{float(number[0]):.8g}"


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """DuckDB's review of the sample company, every notebook and role: where it is, and what it says."""
    out = tmp_path_factory.mktemp("reviews") / "duckdb"
    return out, reviewed("sample", out, "--engine", "duckdb://")


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_the_whole_review_is_the_same_on_every_engine(expected, name):
    """The table of metrics among its files holds every metric in total and by every dimension, over all quarters and months."""
    place, ours = expected
    out = place.with_name(name)
    theirs = reviewed("sample", out, "--engine", ADDRESSES[name])
    assert sorted(theirs) == sorted(ours) and len(ours["tables/metrics.csv"].splitlines()) > 10_000
    assert {f"{notebook.stem}.html" for notebook in NOTEBOOKS.glob("0*.ipynb")} < set(ours)
    assert {f"dashboards/{role}.html" for role in roles()} < set(ours)
    assert [file for file in ours if ours[file] != theirs[file]] == []
    told, wanted = numbers(out), numbers(place)
    for column, most in (("value", 1e-9), ("low", 1e-8), ("high", 1e-8)):
        off, same = (told[column] - wanted[column]).abs(), told[column].isna() == wanted[column].isna()
        wrong = ~same | (off > most * wanted[column].abs() + 1e-12)
        assert not wrong.any(), f"{column}\n{wanted[wrong].assign(told=told[column])}"
    cents = [one["value"][one["unit"] == "money"] for one in (told, wanted)]
    np.testing.assert_allclose(*cents, rtol=0, atol=0.01, err_msg="a hundredth of a cent")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (ADDRESSES["postgres"], "password authentication failed"),
        ("postgres://revops@127.0.0.1:1/postgres", "Connection refused"),
        ("spark://127.0.0.1:1", "Connection refused"),
    ],
)
def test_an_engine_that_does_not_let_us_in_is_one_line_without_the_secret(tmp_path, address, said):
    done = revops("review", "sample", "--out", str(tmp_path), "--engine", address, PGPASSWORD="hunter2")
    assert done.returncode == 2
    assert said in done.stderr and "hunter2" not in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert list(tmp_path.glob("[0-9]*")) == []
