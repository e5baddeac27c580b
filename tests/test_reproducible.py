"""The same inputs, parameters and version give the same files byte for byte: two checkouts, wherever and whenever."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.test_review import FINDING, HEAD, LINE, OPEN, company, files, notebook  # noqa: F401 (fixture)

PACKAGE = Path(__file__).parent.parent / "revops_helpers"
# file → the keys that two runs do not share: when it ran, and how long
DIFFERS = dict.fromkeys(("manifest.json", "pt_BR/manifest.json"), ("run",))

FIGURE = """
from revops_helpers.metrics.measure import measure
from revops_helpers.words.phase import score_rows
parts.scorecard(score_rows(company, ["arr", "win_rate", "new_arr"]))
"""
SETS = 'print({"b", "a", "c", segment}, sum({0.1, 0.2, 0.3, 1e16, -1e16}))'
DRAWN = """
import matplotlib.pyplot as plt
_ = plt.plot([1, 2], [2, 1])
"""
REVIEW = """
import sys
from pathlib import Path
from revops_helpers.review.build import Request, review
data, out, folder = sys.argv[1:]
told = {"out": Path(out), "folder": Path(folder), "jobs": len(out) % 2 + 1}
print(review(Request(data, as_of="2026-06-30", also=("pt_BR",), **told)))
"""
HERE = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C", "LC_ALL": "C"}
THERE = {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Auckland", "LANG": "pt_BR.UTF-8", "LC_ALL": "C.UTF-8", "COLUMNS": "40"}


def write_checkout(place: Path, data: Path) -> Path:
    """A checkout of its own with notebooks, beside a copy of the data."""
    shutil.copytree(PACKAGE, place / "code/revops_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(data, place / "data/company")
    (place / "notebooks").mkdir()
    nbformat.write(notebook(OPEN, HEAD, LINE, FINDING, FIGURE), place / "notebooks/00_executive_review.ipynb")
    nbformat.write(notebook(OPEN, HEAD, 'parts.section("Audit")', SETS, DRAWN), place / "notebooks/01_audit.ipynb")
    return place


def reviewed(place: Path, environment: dict[str, str]) -> Path:
    """Its review, run from its folder in an environment of its own."""
    told = [str(place / name) for name in ("data/company", "reports", "notebooks")]
    ended = subprocess.run(
        [sys.executable, "-c", REVIEW, *told],
        cwd=place,
        env=os.environ | environment | {"PYTHONPATH": str(place / "code"), "REVOPS_CACHE": str(place / "cache")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return Path(ended.stdout.strip())


@pytest.fixture(scope="module")
def two(company, tmp_path_factory) -> tuple[Path, Path]:  # noqa: F811
    base = tmp_path_factory.mktemp("checkouts")
    places = [write_checkout(base / name, company) for name in ("one", "another place/with spaces, çã")]
    return reviewed(places[0], HERE), reviewed(places[1], THERE)


def test_two_checkouts_in_two_environments_give_the_same_files(two):
    one, other = map(files, two)
    assert set(one) == set(other)
    same = [name for name in one if one[name] == other[name]]
    assert set(one) - set(same) <= set(DIFFERS)


def test_the_stated_exceptions_are_the_only_ones(two):
    for name, keys in DIFFERS.items():
        one, other = (json.loads((place / name).read_text()) for place in two)
        for held in (one, other):
            assert all(held.pop(key) for key in keys)
        assert one == other


def test_no_published_file_knows_where_it_was_made(two):
    for place in two:
        home = place.parent.parent
        assert [name for name, content in files(place).items() if str(home).encode() in content] == []
        told = json.loads((place / "manifest.json").read_text())["parameters"]["01_audit"]
        assert told["data"] == "company"
        assert 'data = "company"' in (place / "notebooks/01_audit.ipynb").read_text().replace("\\", "")
