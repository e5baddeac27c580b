"""Planted truth, recovered: simulated companies of many seeds, analysed from their tables alone, against what was planted.

    python -m tests.truth --seeds 20 --out docs/truth.md

Each company is drawn in memory and opened as of its last day. What was planted is compared here and known to no analysis.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from revops_helpers.foundation.duplicates import duplicates
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.optimization.stages import stage_funnel
from revops_helpers.optimization.target_gap import Gap, gap_to_plan
from revops_helpers.sample.simulation import MAKERS, World
from revops_helpers.sample.truth import truth_of
from revops_helpers.sample.world import END
from revops_helpers.settings import read_settings
from revops_helpers.workspace import SAMPLE
from tests import truth_alignment, truth_intelligence, truth_planning
from tests.support import ARROW

SHORTFALLS = ("lead_to_opportunity", "win_rate", "churn")
AHEAD = "leads"
GAP, TOLERANCE = 0.27, 0.03
ENOUGH = 16 / 20
INTERVAL = ["name", "planted", "found", "low", "high"]
USED = (
    "accounts",
    "leads",
    "opportunities",
    "opportunity_history",
    "subscriptions",
    "targets",
    *truth_planning.USED,
    *truth_alignment.USED,
    *truth_intelligence.USED,
)


@dataclass(frozen=True)
class Recovery:
    """What one seed's company gave back.

    drivers: one row per gap driver: driver, planted, found, low, high (cents of the effect), covered, clear (of zero).
    checks: name → whether that truth was recovered. others: one row per other interval: name, planted, found, low, high.
    """

    seed: int
    gap: float
    drivers: pd.DataFrame
    checks: dict[str, bool]
    others: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=INTERVAL))


def drawn_company(world: World, tables: Iterable[str] = USED) -> Company:
    """Tables of a drawn world as a company in memory, as of its last day."""
    accepted = {name: ibis.memtable(_arrow(name, MAKERS[name](world))) for name in tables}
    return Company(settings=read_settings(SAMPLE / "company.yml"), as_of=END, accepted=accepted)


def _arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    schema = pa.schema([pa.field(column, ARROW[TABLES[name][column].type]) for column in frame.columns])
    plain = frame.astype({c: "object" for c in frame.columns if frame[c].dtype == "category"})
    columns = [pa.Array.from_pandas(plain[field.name]).cast(field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def recover(seed: int, scale: float = 1.0) -> Recovery:
    """Draw one company, analyse it, and compare with what was planted in it."""
    world = World(seed, scale)
    company, truth = drawn_company(world), truth_of(world)
    gap = gap_to_plan(company)
    drivers = _drivers(gap, truth["effects"])
    by = drivers.set_index("driver")
    share = -gap.difference.value / gap.plan.value
    funnel = stage_funnel(company)
    checks = {
        "gap is 27% (±3) of plan": abs(share - GAP) <= TOLERANCE,
        "gap is what was drawn, to the cent": gap.actual.value == truth["gap"]["realised"],
        "identity leaves nothing unexplained": gap.unexplained.value == 0,
        **{f"{name} is behind beyond noise": bool(by.clear[name] and by.found[name] < 0) for name in SHORTFALLS},
        f"{AHEAD} is ahead beyond noise": bool(by.clear[AHEAD] and by.found[AHEAD] > 0),
        "bottleneck stage is named, and clear": funnel.bottleneck == truth["bottleneck"]["stage"] and funnel.clear,
        **_duplicates(company, truth["duplicates"]),
        **truth_planning.checks(world, company, truth),
        **truth_alignment.checks(world, company, truth),
        **truth_intelligence.checks(world, company, truth),
    }
    rooms = (truth_planning, truth_alignment, truth_intelligence)
    found = [row for room in rooms for row in room.intervals(company, truth)]
    others = pd.DataFrame(found, columns=INTERVAL)
    return Recovery(seed, share, drivers, checks, others)


def _drivers(gap: Gap, planted: dict[str, float]) -> pd.DataFrame:
    rows = [
        {
            "driver": d.id,
            "planted": planted[d.id],
            "found": d.effect.value,
            "low": d.effect.low,
            "high": d.effect.high,
            "covered": d.effect.low <= planted[d.id] <= d.effect.high,
            "clear": d.effect.low > 0 or d.effect.high < 0,
        }
        for d in gap.drivers
    ]
    return pd.DataFrame(rows)


def _duplicates(company: Company, planted: dict) -> dict[str, bool]:
    """Whether every planted pair is found by the way in which it can be, and the certain ways find nothing else."""
    pairs = duplicates(company).pairs
    found = {way: {frozenset(p) for p in zip(rows.left, rows.right, strict=True)} for way, rows in pairs.groupby("method")}
    ways = {"tax_id": "tax_id", "domain": "domain", "branch": "tax_root", "name": "name"}
    checks = {
        f"companies that stand twice: every pair by {method}": {frozenset(p) for p in planted["accounts"][way]}
        <= found.get(method, set())
        for way, method in ways.items()
    }
    exact = found.get("tax_id", set()) == {frozenset(p) for p in planted["accounts"]["tax_id"]}
    return checks | {
        "companies with one tax id: the planted ones and no others": exact,
        "leads with one e-mail: as many as planted": len(found.get("email", ())) == planted["leads"]["email"],
    }


def report(recoveries: list[Recovery]) -> str:
    """The page: intervals against planted effects by driver, and every other planted truth, counted over the seeds."""
    n = len(recoveries)
    drivers = pd.concat([r.drivers for r in recoveries])
    lines = [
        "# Planted truth",
        "",
        f"Written by `make truth`: {n} simulated companies (seeds {recoveries[0].seed} to {recoveries[-1].seed}), each analysed",
        f"as of {END.isoformat()} from its tables alone. ✓: recovered in at least {ENOUGH:.0%} of the seeds.",
        "",
        "## The gap to plan, by driver",
        "",
        "An effect is what a driver did to net new ARR from January to September, in thousands of reais. Planted is the effect",
        "of the simulator's parameters; found comes from the data with a 95% interval, which chance lets miss once in twenty.",
        "",
        "| driver | planted, median | found, median | interval width, median | interval covers planted | clear of zero |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, rows in drivers.groupby("driver", sort=False):
        planted, found, width = (statistics.median(v) / 1e5 for v in (rows.planted, rows.found, rows.high - rows.low))
        hits = f"{rows.covered.sum()} of {n} {_mark(rows.covered.sum(), n)} | {rows.clear.sum()} of {n}"
        lines.append(f"| {name} | {_thousands(planted)} | {_thousands(found)} | {width:,.0f} | {hits} |")
    gaps = [r.gap for r in recoveries]
    lines += [
        "",
        f"Gap found: {min(gaps):.1%} to {max(gaps):.1%} of plan, median {statistics.median(gaps):.1%}; planted {GAP:.0%}.",
        "",
    ]
    lines += _others(recoveries)
    lines += ["## Everything else that was planted and can be seen so far", "", "| truth | recovered |", "|---|---:|"]
    for name, hits in tallied(recoveries).items():
        lines.append(f"| {name} | {hits} of {n} {_mark(hits, n)} |")
    return "\n".join(lines) + "\n"


def _others(recoveries: list[Recovery]) -> list[str]:
    """The other intervals as lines of the page."""
    rows = pd.concat([r.others for r in recoveries])
    lines = [
        "## Other intervals",
        "",
        "| what | planted | found, median | width, median | covers planted |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, own in rows.groupby("name", sort=False):
        hits = int(((own.low <= own.planted) & (own.planted <= own.high)).sum())
        found = " | ".join(f"{statistics.median(v):.2f}" for v in (own.planted, own.found, own.high - own.low))
        lines.append(f"| {name} | {found} | {hits} of {len(own)} {_mark(hits, len(own))} |")
    return [*lines, ""]


def tallied(recoveries: list[Recovery]) -> dict[str, int]:
    """Check → in how many seeds it held."""
    return {name: sum(r.checks[name] for r in recoveries) for name in recoveries[0].checks}


def covered(recoveries: list[Recovery]) -> dict[str, int]:
    """Driver, or other interval → in how many seeds it covers what was planted."""
    others = pd.concat([r.others for r in recoveries])
    inside = ((others.low <= others.planted) & (others.planted <= others.high)).groupby(others.name, sort=False).sum()
    return pd.concat([r.drivers for r in recoveries]).groupby("driver", sort=False).covered.sum().to_dict() | inside.to_dict()


def failures(recoveries: list[Recovery]) -> list[str]:
    """What too few seeds recovered."""
    counts = {f"interval of {name}": hits for name, hits in covered(recoveries).items()} | tallied(recoveries)
    return [f"{name}: {hits} of {len(recoveries)}" for name, hits in counts.items() if hits < ENOUGH * len(recoveries)]


def _thousands(value: float) -> str:
    return f"{round(value):+,}" if round(value) else "0"


def _mark(hits: int, n: int) -> str:
    return "✓" if hits >= ENOUGH * n else "✗"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many companies to draw (seeds 1, 2, …)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the companies")
    parser.add_argument("--out", type=Path, help="where to write the page")
    given = parser.parse_args(arguments)
    recoveries = [recover(seed, given.scale) for seed in tqdm(range(1, given.seeds + 1), unit="company")]
    text = report(recoveries)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)
    for line in (missed := failures(recoveries)):
        print(f"not recovered: {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
