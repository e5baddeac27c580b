"""`python -m benchmarks [--scale 100] [--only review,ingest]`: prints every ratio beside what it must keep to."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import click

from benchmarks.timing import Row

PARTS = ("review", "ingest", "metrics", "scorecard")


@click.command()
@click.option("--scale", type=float, default=100.0, show_default=True, help="size of the sample company but for the review")
@click.option("--only", default=",".join(PARTS), show_default=True, help="which parts")
@click.option("--turns", type=click.IntRange(1), default=3, show_default=True, help="runs of each way that count")
@click.option("--data", default="", help="a sample company written before, for them")
def main(scale: float, only: str, turns: int, data: str) -> None:
    """Measure side by side, and print."""
    wanted = [part.strip() for part in only.split(",")]
    if unknown := set(wanted) - set(PARTS):
        raise click.UsageError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    click.echo(f"{'':<58} {'ours':>9} {'other':>9}")
    if "review" in wanted:
        from benchmarks import review

        _show(review.run("sample", turns))
    if measured := [part for part in wanted if part != "review"]:
        with tempfile.TemporaryDirectory() as folder:
            company = Path(data) if data else _written(Path(folder), scale)
            for part in measured:
                _show(import_module(f"benchmarks.{part}").run(company))


def _written(folder: Path, scale: float) -> Path:
    """A sample company of its own, and a cache of its own, which go when the run is over."""
    from benchmarks.timing import spent

    click.echo(f"writing the sample company at scale {scale:g} …", err=True)
    os.environ["REVOPS_CACHE"] = str(folder / "cache")
    revops = Path(sys.executable).parent / "revops"
    used = spent([str(revops), "sample", "--out", str(folder / "company"), "--scale", f"{scale:g}"])
    click.echo(f"written in {used.wall:.0f} s, {used.cpu:.0f} s of processors, {used.megabytes:.0f} MB", err=True)
    return folder / "company"


def _show(rows: list[Row]) -> None:
    for row in rows:
        click.echo(row.line())


if __name__ == "__main__":
    main()
