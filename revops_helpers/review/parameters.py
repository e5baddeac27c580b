"""What a notebook may be told. Checked before anything runs: papermill itself only warns, and executes names as code.

A notebook declares its parameters in one cell tagged `parameters`, as plain `name = value  # type` lines. They are read here
with Python's own parser, because papermill's inspection loses a parameter whose comment holds `=` or whose type has a bar.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from revops_helpers.settings import InputError, nearest

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
FLAGS = {"true": True, "false": False}
# What is published must hold no secret, and a secret that came by mistake must not be said back.
SECRET_NAME = re.compile(r"pass(word|wd|phrase)?|pwd|senha|secret|token|credentials?|(api|access|private)_?key|segredo", re.I)
SECRETS = {
    "an address with a password": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@]*:[^/\s@]+@", re.I),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a password or token": re.compile(rf"(?:^|[\W_])(?:{SECRET_NAME.pattern})\s*[=:]\s*\S|\bbearer\s+[\w+/=.-]{{16,}}", re.I),
    "an access key": re.compile(
        r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}|ya29\.[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
        r"|xox[abeprs]-[\w-]{10,}|[spr]k[-_](?:[a-z]+[-_])*\w{16,}|pat-[a-z]{2}\d-[\w-]{16,}|00D\w{12,15}!\S{20,}"
        r"|eyJ[\w-]{8,}\.[\w-]{8,})"
    ),
    "a key": re.compile(r"^(?:[0-9a-f]{32,}|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w+=-]{32,})$", re.ASCII),
}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its name, its type and the value that the notebook runs with when nothing is given."""

    name: str
    type: str
    default: str | int | float | bool


def declared(notebook: Mapping[str, Any], name: str) -> dict[str, Parameter]:
    """The parameters that a notebook (nbformat 4) declares, in order. InputError names the notebook, the line and the rule."""
    cells = [cell for cell in notebook["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        raise InputError(f"{name}: has {len(cells)} cells tagged 'parameters'; it needs exactly one")
    source = "".join(cells[0]["source"])
    try:
        tree = ast.parse(source)
        types = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise InputError(f"{name}, parameters cell: not readable as Python: {error}") from None
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        parameter = _parameter(statement, types, name)
        if parameter.name in found:
            raise InputError(f"{name}, parameters cell, line {statement.lineno}: '{parameter.name}' is declared twice")
        found[parameter.name] = parameter
    return found


def _comments(source: str) -> dict[int, str]:
    """Line number → text of its comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("#").strip() for token in tokens if token.type == tokenize.COMMENT}


def _parameter(statement: ast.stmt, types: Mapping[int, str], name: str) -> Parameter:
    where = f"{name}, parameters cell, line {statement.lineno}"
    rule = f"{where}: write one plain 'name = value  # type' a line, with type {', '.join(TYPES)}"
    if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)):
        raise InputError(rule)
    try:
        value = ast.literal_eval(statement.value)
    except ValueError:
        raise InputError(rule) from None
    kind = types.get(statement.lineno, "")
    if kind not in TYPES or not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise InputError(rule)
    return Parameter(statement.targets[0].id, kind, value)


def checked(notebooks: Mapping[str, Mapping[str, Parameter]], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each notebook gets: of the given values, those that it declares, in its type. None means "not given".

    notebooks: name → what it declares. InputError when no notebook declares a given name, or a value is not of the type.
    """
    known = {name for parameters in notebooks.values() for name in parameters}
    for name in given:
        if name not in known:
            raise InputError(f"unknown parameter '{name}': {nearest(name, known)}")
    return {
        notebook: {
            name: converted(parameters[name], value) for name, value in given.items() if name in parameters and value is not None
        }
        for notebook, parameters in notebooks.items()
    }


def secret_in(text: str) -> str:
    """What kind of secret a text looks like; empty when it looks like none. Paths and plain words do not."""
    return next((kind for kind, pattern in SECRETS.items() if pattern.search(text)), "")


def without_secrets(given: Mapping[str, Any]) -> None:
    """InputError when a parameter is a secret by its name or by its looks. The message holds neither."""
    for name, value in given.items():
        kind = (
            "a secret, by its name"
            if re.search(rf"(?:^|_)(?:{SECRET_NAME.pattern})(?:_|$)", name, re.I)
            else secret_in(name) or secret_in(str(value or ""))
        )
        if kind:
            called = "a parameter" if secret_in(name) else f"parameter '{name}'"
            raise InputError(f"{called} looks like {kind}: parameters are published with the review, so it was not used")


def converted(parameter: Parameter, value: Any) -> str | int | float | bool:
    """`value` in the parameter's type. Text from a command line is read; nothing else changes its type, and dates become ISO."""
    if parameter.type == "str" and isinstance(value, str | date):
        return value.isoformat() if isinstance(value, date) else value
    if isinstance(value, bool) and parameter.type == "bool":
        return value
    try:
        if parameter.type == "bool" and isinstance(value, str):
            return FLAGS[value.lower()]
        if parameter.type in ("int", "float") and isinstance(value, str | int | float) and not isinstance(value, bool):
            if parameter.type == "int" and isinstance(value, float):
                raise ValueError
            return TYPES[parameter.type](value)
    except (ValueError, KeyError):
        pass
    wanted = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}[parameter.type]
    raise InputError(f"parameter '{parameter.name}' is {wanted}, not {value!r}")


def iso_date(text: str) -> date:
    """The date that ISO text names. InputError says how to write it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InputError(f"{text!r} is not a date: write year-month-day, such as 2026-09-30")
    return day
