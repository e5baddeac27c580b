"""What an analysis found, as bytes for the shelf and back: values, records and frames, nothing that is tied to an engine.

By pickle, which runs what it reads: the shelf lies in a folder that only its owner can write to, as the code itself does.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from io import BytesIO

import ibis

UNREADABLE = (pickle.UnpicklingError, EOFError, ImportError, AttributeError, IndexError, KeyError, TypeError, ValueError)


class _Plain(pickle.Pickler):
    """Refuses what is a query: its connection ends with the process."""

    def reducer_override(self, held: object):
        if isinstance(held, (ibis.Expr, ibis.BaseBackend)):
            raise pickle.PicklingError(f"{type(held).__name__} is no result")
        return NotImplemented


def name_of(analysis: Callable) -> str:
    """The name under which its result is kept; none for what has no place of its own in the code."""
    name = f"{getattr(analysis, '__module__', '')}.{getattr(analysis, '__qualname__', '<')}"
    return "" if "<" in name else name


def packed(result: object) -> bytes | None:
    """The result as bytes; None where it holds what cannot be kept."""
    to = BytesIO()
    try:
        _Plain(to, protocol=pickle.HIGHEST_PROTOCOL).dump(result)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return to.getvalue()


def unpacked(content: bytes) -> list[object]:
    """The result, in a list of one; an empty list where the bytes cannot be read."""
    try:
        return [pickle.loads(content)]
    except UNREADABLE:
        return []
