"""Whole processes, timed in turns: what disturbs the machine disturbs both sides alike."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report: ours against another way to the same result, and what the ratio must keep to."""

    name: str
    ours: float
    other: float
    unit: str
    bound: str

    @property
    def ratio(self) -> float:
        return self.ours / self.other

    def line(self) -> str:
        sides = f"{self.ours:>9.2f} {self.other:>9.2f} {self.unit:<4}"
        return f"{self.name:<58} {sides} {self.ratio:>7.2f}×  {self.bound}"


def medians(ways: Mapping[str, Callable[[], None]], turns: int = 3) -> dict[str, float]:
    """Name → median seconds over `turns` runs, each way once a turn, after one run of each that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if turn:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def quietly(command: list[str], **environment: str) -> None:
    """Run a command to its end without its words. RuntimeError with them when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}")


def peak_megabytes() -> float:
    """The largest resident size of any process that has been waited for, in MB (one process, not the sum)."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
