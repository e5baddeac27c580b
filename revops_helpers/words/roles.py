"""notebooks/roles.yml: what each role sees on its page. A name that nothing answers to is refused with its line and key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, RootModel

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.dimensions import DIMENSIONS
from revops_helpers.settings import InputError, Strict, nearest, read_yaml
from revops_helpers.words.phase import ROLES as FUNCTIONS
from revops_helpers.words.readiness import GATES
from revops_helpers.words.views import TIMES, VIEWS

FILE = Path(__file__).parents[2] / "notebooks" / "roles.yml"


def _number(name: str) -> str:
    if name not in catalogue() and name not in GATES:
        raise ValueError(f"'{name}' is no metric and no check; {nearest(name, [*catalogue(), *GATES])}")
    return name


def _view(name: str) -> str:
    metric, by, cut = name.partition(" by ")
    if not by:
        if name not in VIEWS:
            raise ValueError(f"'{name}' is no view; {nearest(name, VIEWS)}")
        return name
    if _number(metric) in GATES or cut not in (*catalogue()[metric].dimensions, *TIMES):
        raise ValueError(f"'{metric}' is not measured by '{cut}'; {nearest(cut, [*_cuts(metric), *TIMES])}")
    return name


def _cuts(metric: str) -> tuple[str, ...]:
    return catalogue()[metric].dimensions if metric in catalogue() else ()


def _function(name: str) -> str:
    if name not in FUNCTIONS:
        raise ValueError(f"'{name}' is no function; {nearest(name, FUNCTIONS)}")
    return name


def _dimension(name: str) -> str:
    if name not in DIMENSIONS:
        raise ValueError(f"'{name}' is no dimension; {nearest(name, DIMENSIONS)}")
    return name


View = Annotated[str, AfterValidator(_view)]
Phase = Literal["foundation", "alignment", "optimization", "intelligence", "planning"]


class Role(Strict):
    """One role's page: see notebooks/roles.yml."""

    name: str
    headline: View
    numbers: Annotated[tuple[Annotated[str, AfterValidator(_number)], ...], Field(min_length=6, max_length=10)]
    pictures: Annotated[tuple[View, ...], Field(min_length=1, max_length=2)]
    lists: Annotated[tuple[View, ...], Field(max_length=2)] = ()
    findings: tuple[Phase, ...] = ()
    acts_for: tuple[Annotated[str, AfterValidator(_function)], ...] = ()
    by: Annotated[str, AfterValidator(_dimension)] | None = None


class _Roles(RootModel[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Role]]):
    pass


def roles(file: Path = FILE) -> Mapping[str, Role]:
    """Role → its page, in the file's order. InputError names line and key."""
    return read_yaml(file, _Roles).root


def role_named(name: str, file: Path = FILE) -> Role:
    """The page of one role. InputError with the roles that there are."""
    known = roles(file)
    if name not in known:
        raise InputError(f"no role '{name}': {nearest(name, known)}")
    return known[name]
