"""The address of an engine: what it says, and what it may not say. Pure: nothing is connected to here.

duckdb://                                   DuckDB in memory; duckdb:///folder/file.duckdb a file
postgres://user@host:5432/database          PostgreSQL (postgresql:// too); ?sslmode=verify-full&sslrootcert=…
spark://local                               Spark in this process; spark://host:15002 a Spark Connect server, ?use_ssl=true
snowflake://user@account/database/schema    ?warehouse=…&role=…
bigquery://project/dataset                  ?location=…

Passwords and tokens come from the environment only, under the names that each engine's own tools read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from revops_helpers.settings import InputError


@dataclass(frozen=True)
class Engine:
    """What an address of one engine may hold. secret: the variable that holds its password or token; form: an example."""

    name: str
    form: str
    extra: str = ""
    module: str = ""
    secret: str = ""
    options: tuple[str, ...] = ()
    port: int = 0


ENGINES = {
    "duckdb": Engine("DuckDB", "duckdb://", options=("schema",)),
    "postgres": Engine(
        "PostgreSQL", "postgres://user@host/database", "postgres", "psycopg", "PGPASSWORD", ("sslmode", "sslrootcert"), 5432
    ),
    "spark": Engine(
        "Spark", "spark://local", "spark", "pyspark", "SPARK_CONNECT_AUTHENTICATE_TOKEN", ("use_ssl",), 15002
    ),
    "snowflake": Engine(
        "Snowflake",
        "snowflake://user@account/database/schema",
        "snowflake",
        "snowflake.connector",
        "SNOWFLAKE_PASSWORD",
        ("warehouse", "role", "authenticator"),
    ),
    "bigquery": Engine(
        "BigQuery",
        "bigquery://project/dataset",
        "bigquery",
        "google.cloud.bigquery",
        "GOOGLE_APPLICATION_CREDENTIALS",
        ("location",),
    ),
}  # fmt: skip
ALSO = {"postgresql": "postgres"}


@dataclass(frozen=True)
class Address:
    """An engine's address, taken apart. It holds no secret, so that it can be said in messages."""

    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """What there is to know of the engine."""
        return ENGINES[self.scheme]

    @property
    def parts(self) -> list[str]:
        """The names in the path, such as database and schema."""
        return [part for part in self.path.split("/") if part]

    def __str__(self) -> str:
        place = f"{self.host}:{self.port}" if self.port else self.host
        return f"{self.scheme}://{place}{'/' + self.path if self.path else ''}"


def address_of(url: str) -> Address:
    """The address that a URL says. InputError, which repeats nothing that could be a secret, when it is none or holds one."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise InputError(f"not an engine's address; write one such as {_forms()}") from None
    scheme = ALSO.get(parts.scheme, parts.scheme)
    if scheme not in ENGINES:
        said = f"'{parts.scheme}://'" if parts.scheme else "a text without ://"
        raise InputError(f"no engine has the address {said}; write one such as {_forms()}")
    engine = ENGINES[scheme]
    if parts.password is not None:
        where = f"leave it out and give it in {engine.secret}" if engine.secret else "it needs none"
        raise InputError(f"the address of {engine.name} holds a password: {where}")
    options = _options(engine, parts.query)
    path = unquote(parts.path) if scheme == "duckdb" else unquote(parts.path).strip("/")
    host = unquote(parts.hostname or "")
    if not host and scheme != "duckdb":
        raise InputError(f"the address of {engine.name} names no place; write it as {engine.form}")
    own = 0 if scheme == "spark" and host == "local" else engine.port
    return Address(scheme, host, port or own, unquote(parts.username or ""), path, options)


def _options(engine: Engine, query: str) -> dict[str, str]:
    """The options of an address. One that is not known is not said back: it may be a password."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    if set(options) - set(engine.options):
        taken = f"it takes {', '.join(engine.options)}" if engine.options else "it takes none"
        hint = f"; a password or token goes in {engine.secret}" if engine.secret else ""
        raise InputError(f"the address of {engine.name} has an option that is not known: {taken}{hint}")
    return options


def _forms() -> str:
    return ", ".join(engine.form for engine in ENGINES.values())
