"""Position-based credit: how one conversion is shared among the touches before it. Bookkeeping, not effect: no touch is said to
have caused anything. Domain-free engine expressions of a touch's position (from 1) on its path and the path's length.

Each model's weights along a path sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import ibis

Model = Literal["first", "last", "linear"]


def first_touch(position: ibis.IntegerValue, count: ibis.IntegerValue) -> ibis.FloatingValue:
    """All credit to the first touch."""
    return (position == 1).cast("float64")


def last_touch(position: ibis.IntegerValue, count: ibis.IntegerValue) -> ibis.FloatingValue:
    """All credit to the last touch."""
    return (position == count).cast("float64")


def linear(position: ibis.IntegerValue, count: ibis.IntegerValue) -> ibis.FloatingValue:
    """The same credit to every touch."""
    return 1.0 / count


MODELS: dict[Model, Callable[[ibis.IntegerValue, ibis.IntegerValue], ibis.FloatingValue]] = {
    "first": first_touch,
    "last": last_touch,
    "linear": linear,
}


def shared(touches: ibis.Table, conversion: str, channel: str, order: list[str]) -> ibis.Table:
    """One row per conversion and channel of `touches` (one row per touch before a conversion): `touches`, how many there are, and
    the credit of the channel by each of MODELS, between 0 and 1. `order`: the columns that put a path in order, without ties."""
    path = ibis.window(group_by=conversion, order_by=order)
    whole = ibis.window(group_by=conversion)
    placed = touches.select(conversion, channel, _position=ibis.row_number().over(path) + 1, _count=touches.count().over(whole))
    credit = {name: weigh(placed["_position"], placed["_count"]).sum() for name, weigh in MODELS.items()}
    return placed.group_by(conversion, channel).agg(touches=placed.count(), **credit)
