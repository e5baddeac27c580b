"""How far a review is: what is told of each step, and the bar that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Is told how many steps there are, and each step that is done."""

    total: Callable[[int], None] = lambda steps: None
    step: Callable[[str], None] = lambda name: None


@contextmanager
def bar() -> Iterator[Progress]:
    """A progress bar on stderr, and nothing at all where stderr is not a terminal."""
    from tqdm import tqdm

    look = {"unit": "step", "bar_format": "{bar:24} {n}/{total} {desc}", "leave": False}
    with tqdm(total=1, disable=not sys.stderr.isatty(), **look) as shown:

        def total(steps: int) -> None:
            shown.reset(steps)

        def step(name: str) -> None:
            shown.set_description_str(name, refresh=False)
            shown.update()

        yield Progress(total, step)
