"""company.yml, the operating agreement: one model, and errors that name the file, the line and the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

Language = Literal["en", "pt_BR"]
LANGUAGES: tuple[Language, ...] = ("en", "pt_BR")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class InputError(Exception):
    """Something that the reader gave is wrong. `str(error)` is the one message that is shown; the command exits 2."""


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone, write one such as America/Sao_Paulo") from None


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isascii() or not code.isalpha() or not code.isupper():
        raise ValueError("not a currency code, write three capitals such as BRL")
    return code


def _record_url(template: str) -> str:
    """A web address with {id} once, outside the host, and no other braces."""
    rest = template.replace("{id}", "", 1)
    parts = urlsplit(template)
    if rest == template or "{" in rest or "}" in rest or any(c.isspace() or not c.isprintable() for c in template):
        raise ValueError("write the address of a record with {id} in the place of its id, such as https://crm.example/{id}")
    if parts.scheme != "https" or not parts.hostname or "{" in parts.netloc or "@" in parts.netloc:
        raise ValueError("an address of a record starts with https:// and a host, with {id} after it")
    return template


Model = TypeVar("Model", bound=BaseModel)
Currency = Annotated[str, AfterValidator(_currency)]
RecordUrl = Annotated[str, AfterValidator(_record_url)]


class Strict(BaseModel):
    """A part of a file that readers write: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class WorkingHours(Strict):
    """When the teams work. Holidays are the country's (and state's) public ones, more and fewer as listed."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    end: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "18:00"
    country: str = "BR"
    subdivision: str | None = None
    extra_holidays: tuple[date, ...] = ()
    worked_holidays: tuple[date, ...] = ()


class Source(Strict):
    """Where one system's export is and how it writes numbers and dates. `auto` decides per column, or refuses.

    path: its files, below the data folder. landing: instead, the address of the schema that a loader writes its tables to.
    fields: raw table → column that a SELECT names → the export's own column for it (a custom field).
    """

    path: str = ""
    landing: str = ""
    selects: str | None = None
    system: str | None = None
    fields: dict[str, dict[str, str]] = {}
    decimal: Literal["auto", ".", ","] = "auto"
    dates: Literal["auto", "ymd", "dmy", "mdy"] = "auto"
    encoding: str = "auto"
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if bool(self.path) == bool(self.landing):
            raise ValueError("give either the path of its files, or the address of its landing in a database")
        return self


class Slas(Strict):
    """Service levels that the teams have agreed. handoff_complete: the share of the required items that makes a handoff whole."""

    first_contact_minutes: Annotated[int, Field(gt=0)] = 60
    handoff_days: Annotated[int, Field(gt=0)] = 5
    handoff_complete: Annotated[float, Field(gt=0, le=1)] = 1.0


class Freshness(Strict):
    """Days that the newest record may lie before the as-of date: from `warn` on it is said, from `fail` on no review is made."""

    warn: Annotated[int, Field(gt=0)] | None = None
    fail: Annotated[int, Field(gt=0)] | None = None


class Notify(Strict):
    """What a message to the outside may hold."""

    money: bool = True


class Settings(Strict):
    """The company as `company.yml` states it. Only the name and the reporting currency have to be there."""

    name: str
    simulated: bool = False
    currency: Currency
    locale: Language = "en"
    time_zone: Annotated[str, AfterValidator(_zone)] = "America/Sao_Paulo"
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = 1
    gross_margin: Annotated[float, Field(gt=0, le=1)] | None = None
    discount_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    working_hours: WorkingHours = WorkingHours()
    lifecycle_stages: tuple[str, ...] = ("lead", "mql", "sal", "sql", "opportunity", "customer")
    opportunity_stages: tuple[str, ...] = ()
    slas: Slas = Slas()
    handoff_checklist: tuple[str, ...] = ()
    records_start: Mapping[str, date] = {}
    grace_days: Annotated[int, Field(ge=0)] = 30
    plan_rates: Mapping[Currency, Annotated[float, Field(gt=0)]] = {}
    required_fields: Mapping[str, tuple[str, ...]] = {}
    team: Mapping[str, str] = {}
    record_url: Mapping[str, RecordUrl] = {}
    sources: Mapping[str, Source] = {}
    required: tuple[str, ...] = ()  # tables and table.columns without which `revops sources check` fails
    freshness: Mapping[str, Freshness] = {}  # by source, table or source.table
    survivors: Mapping[str, tuple[str, ...]] = {}  # by table or table.column: sources, the one that wins first
    notify: Notify = Notify()
    engine: str = ""  # the address of the engine that measures; none means DuckDB

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def _tree(node: yaml.Node, lines: dict[tuple, int], where: tuple, file: Path) -> Any:
    """The plain value of a YAML node; `lines` gets the line of every key. A repeated key is refused."""
    lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                raise InputError(f"{file}, line {key_node.start_mark.line + 1}: key '{key}' stands twice; keep one")
            result[key] = _tree(value_node, lines, (*where, key), file)
            lines[(*where, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, lines, (*where, i), file) for i, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node)


def read_settings(file: Path) -> Settings:
    """Read and check `company.yml`. InputError names file, line, key, what is wrong and what to do."""
    if not file.is_file():
        raise InputError(f"{file}: not found; every company folder needs a company.yml with at least a name and a currency")
    return read_yaml(file, Settings)


def read_yaml(file: Path, model: type[Model]) -> Model:
    """A YAML file as the model that checks it. InputError names file, line, key, what is wrong and what to do."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8 text; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{file}{line}: not readable as YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{file}, line 1: write keys and values, such as 'name: My company'")
    lines: dict[tuple, int] = {}
    try:
        return model.model_validate(_tree(node, lines, (), file))
    except ValidationError as error:
        raise InputError("\n".join(_explain(problem, lines, file, model) for problem in error.errors())) from None


def _explain(problem: Mapping[str, Any], lines: Mapping[tuple, int], file: Path, model: type[BaseModel]) -> str:
    where = tuple(problem["loc"])
    key = ".".join(str(part) for part in where)
    known = where
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known, 1)
    if problem["type"] == "missing":
        return f"{file}, line {line}: key '{key}' is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"{file}, line {line}: unknown key '{key}'; {nearest(str(where[-1]), _keys(model, where[:-1]))}"
    return f"{file}, line {line}: key '{key}': {problem['msg'].removeprefix('Value error, ')}"


def _keys(model: Any, where: tuple) -> list[str]:
    """The keys that may stand at a place of the file."""
    for part in where:
        fields = getattr(model, "model_fields", {})
        if "root" in fields:
            model, fields = fields["root"].annotation, {}
        model = fields[part].annotation if part in fields else (get_args(model) or (None,))[-1]
    return list(getattr(model, "model_fields", {}))


def nearest(name: str, known: Iterable[str]) -> str:
    """What the writer of an unknown name may have meant."""
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"


def line_of(file: Path, *where: str) -> int:
    """The line of company.yml on which a key stands, or of the nearest key above it that is there; for messages."""
    lines: dict[tuple, int] = {}
    _tree(yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader), lines, (), file)
    known = where
    while known not in lines:
        known = known[:-1]
    return lines[known]
