"""pyproject.toml, requirements.lock and environment.yml are true to each other, and the two pins hold."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENGINES = (ROOT / "engines.lock").read_text(encoding="utf-8")
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PYTHONS = ("3.11", "3.12", "3.13")


def locked(lock: str = LOCK) -> dict[str, list[Requirement]]:
    """Package → the lines of the lock that name it (one, or one per Python)."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^([A-Za-z0-9][^\n]*?)\s*\\?$", lock, flags=re.MULTILINE):
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize("asked", ASKED, ids=lambda requirement: requirement.name)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_what_the_project_asks_for_on_every_python(asked, python):
    at = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux", "platform_machine": "x86_64"}
    lines = locked().get(canonicalize_name(asked.name), [])
    here = [line for line in lines if line.marker is None or line.marker.evaluate(at)]
    assert len(here) == 1, f"{asked.name} on Python {python}: {lines}"
    (pin,) = here[0].specifier
    assert pin.operator == "=="
    assert asked.specifier.contains(Version(pin.version))


def test_every_line_of_the_locks_has_hashes():
    entries = [entry for lock in (LOCK, ENGINES) for entry in re.split(r"\n(?=[A-Za-z0-9])", lock.strip())]
    assert len(entries) > 100
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_of_the_engines_adds_to_the_other_and_contradicts_it_nowhere():
    engines, own = locked(ENGINES), locked()
    for asked in (
        Requirement(text) for extra in ("postgres", "spark", "tableau") for text in PROJECT["optional-dependencies"][extra]
    ):
        (line,) = engines[canonicalize_name(asked.name)]
        assert asked.specifier.contains(next(iter(line.specifier)).version)
    shared = {name: {str(line.specifier) for line in lines} for name, lines in engines.items() if name in own}
    assert len(shared) > 3
    assert {n: pins for n, pins in shared.items() if not pins <= {str(line.specifier) for line in own[n]}} == {}


def test_the_emulator_of_snowflake_is_locked_with_hashes_and_the_client_that_it_understands():
    lock = (ROOT / "fakesnow.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock)
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    (client,) = locked(lock)["snowflake-connector-python"]
    assert Version(next(iter(client.specifier)).version) < Version("5") and "fakesnow" in locked(lock)


def test_environment_yml_has_python_pip_and_the_lock_and_nothing_else():
    *conda, pip = ENVIRONMENT["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == {"pip": ["--require-hashes", "-r requirements.lock"]}


def test_the_two_pins_that_ibis_12_needs():
    pins = {canonicalize_name(r.name): r.specifier for r in ASKED}
    assert "12.0.0" in pins["ibis-framework"]
    assert "12.1" not in pins["ibis-framework"]
    assert "2.0" not in pins["duckdb"]
    assert "1.5.6" in pins["duckdb"]
    assert "30.18" not in pins["sqlglot"]
    assert "30.17" in pins["sqlglot"]


@pytest.mark.parametrize("asked", ASKED, ids=lambda requirement: requirement.name)
def test_what_is_installed_is_what_is_asked_for(asked):
    assert asked.specifier.contains(version(asked.name), prereleases=True)
