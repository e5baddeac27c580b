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
    work: float | None = None  # the ratio in processor seconds, which other work on the machine disturbs less

    @property
    def ratio(self) -> float:
        return self.ours / self.other

    def line(self) -> str:
        sides = f"{self.ours:>9.2f} {self.other:>9.2f} {self.unit:<4}"
        work = "" if self.work is None else f"{self.work:.2f}× cpu"
        return f"{self.name:<58} {sides} {self.ratio:>7.2f}× {work:>10}  {self.bound}"


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, seconds of processors (all threads, user and system), and the largest resident size where known."""

    wall: float
    cpu: float
    megabytes: float = 0.0


def against(name: str, ours: Spent, other: Spent, bound: str) -> Row:
    """The line of two ways to the same result."""
    return Row(name, ours.wall, other.wall, "s", bound, ours.cpu / other.cpu)


def medians(ways: Mapping[str, Callable[[], None]], turns: int = 3) -> dict[str, Spent]:
    """Name → median of what each way spent over `turns` runs, each once a turn, after one run of each that is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            started, worked = time.perf_counter(), _cpu_seconds()
            way()
            if turn:
                taken[name].append((time.perf_counter() - started, _cpu_seconds() - worked))
    return {name: Spent(*(statistics.median(each) for each in zip(*runs, strict=True))) for name, runs in taken.items()}


def _cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def spent(command: list[str]) -> Spent:
    """What one process spends from start to end. RuntimeError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Spent(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def quietly(command: list[str], **environment: str) -> None:
    """Run a command to its end without its words. RuntimeError with them when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}")


def peak_megabytes() -> float:
    """The largest resident size of any process that has been waited for, in MB (one process, not the sum)."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
