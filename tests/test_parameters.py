"""A misspelt or mistyped parameter is refused before anything runs."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.review.parameters import Parameter as P
from revops_helpers.review.parameters import checked, converted, declared, iso_date, nearest, secret_in, without_secrets
from revops_helpers.settings import InputError


def notebook(*sources: str) -> dict:
    return {"cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": text} for text in sources]}


def test_plain_lines_are_read_with_their_types_and_defaults():
    cell = 'data = "sample"  # str\nas_of = ""  # str\nhorizon = 12  # int\nfloor = -0.5  # float\nquick = False  # bool'
    assert list(declared(notebook(cell), "n").values()) == [
        P("data", "str", "sample"),
        P("as_of", "str", ""),
        P("horizon", "int", 12),
        P("floor", "float", -0.5),
        P("quick", "bool", False),
    ]


def test_an_equals_sign_in_a_value_does_not_hide_a_parameter():
    assert declared(notebook('filter_text = "a = b"  # str'), "n")["filter_text"].default == "a = b"


@pytest.mark.parametrize(
    "line",
    [
        "x = 1",
        "x = 1  # number of months = 3",
        "x: int = 1  # int",
        "x = today()  # str",
        'x = "1"  # int',
        "x = True  # int",
        "x = y = 1  # int",
        "import os",
        "x = None  # str",
        "x = [1]  # list",
        "x = (",
    ],
)
def test_a_line_that_is_not_plain_is_refused_with_notebook_and_line(line):
    with pytest.raises(InputError, match=r"03_optimization.*parameters cell"):
        declared(notebook(line), "03_optimization")


def test_one_parameters_cell_no_more_no_less():
    with pytest.raises(InputError, match="has 0 cells"):
        declared(notebook(), "n")
    with pytest.raises(InputError, match="has 2 cells"):
        declared(notebook("x = 1  # int", "y = 1  # int"), "n")


def test_a_parameter_declared_twice_is_refused():
    with pytest.raises(InputError, match="line 2: 'x' is declared twice"):
        declared(notebook("x = 1  # int\nx = 2  # int"), "n")


def test_a_misspelt_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="unknown parameter 'segmnt': did you mean 'segment'"):
        checked({"a": {"segment": P("segment", "str", "")}}, {"segmnt": "smb"})


def test_code_in_the_place_of_a_name_is_refused():
    with pytest.raises(InputError, match="unknown parameter"):
        checked({"a": {"x": P("x", "int", 1)}}, {"x = 1; import os; y": 1})


def test_each_notebook_gets_only_what_it_declares_and_nothing_that_was_not_given():
    notebooks = {"a": {"x": P("x", "int", 1), "as_of": P("as_of", "str", "")}, "b": {"as_of": P("as_of", "str", "")}}
    assert checked(notebooks, {"x": "3", "as_of": None}) == {"a": {"x": 3}, "b": {}}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("str", date(2026, 9, 30), "2026-09-30"),
        ("str", "2026-09-30", "2026-09-30"),
        ("int", "12", 12),
        ("float", "0.5", 0.5),
        ("float", 2, 2.0),
        ("bool", "false", False),
        ("bool", "True", True),
    ],
)
def test_values_are_read_in_their_type(kind, value, expected):
    result = converted(P("x", kind, None), value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"), [("int", "1.5"), ("int", 1.5), ("int", True), ("bool", "yes"), ("float", "1,5"), ("str", 1)]
)
def test_a_mistyped_value_is_refused(kind, value):
    with pytest.raises(InputError, match="parameter 'x' is "):
        converted(P("x", kind, None), value)


@given(st.dates())
def test_a_date_survives_its_iso_text(day):
    assert iso_date(day.isoformat()) == day


@pytest.mark.parametrize("text", ["30/09/2026", "2026-02-30", "2026-9-30", "20260930", "", "today", "2026-W01-1"])
def test_what_is_not_an_iso_date_is_refused(text):
    with pytest.raises(InputError, match="year-month-day"):
        iso_date(text)


def test_without_a_near_name_all_are_listed():
    assert nearest("zzz", ["b", "a"]) == "there are a, b"


SECRETS = [
    "postgres://reader:hunter2@db.example/crm",
    "-----BEGIN RSA PRIVATE KEY-----",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "xoxb-" + "1234567890-abcdef",
    "sk-" + "proj-" + "A1b2C3d4" * 4,
    "sk_live_" + "A1b2C3d4" * 3,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "password=hunter2",
    "https://host/x?api_key=hunter2",
    "Bearer abcdefghijklmnop",
    "0123456789abcdef" * 2,
    "aB3" * 12,
]
PLAIN = [
    "2026-09-30", "sample", "/srv/data/my company 2026/Exports-For-RevOps-2026-09-30/Quarter3", "Mid-market", "São Paulo", "ytd",
    "Basic customers", "Tokens & secrets", "Enterprise (more than 1000 employees)", "00,01,03", "pt_BR", "https://crm.example/deals",
    "01_foundation_audit", "550e8400-e29b-41d4-a716-446655440000", "C:\\Users\\Ana\\Documents\\RevOps2026", "",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_refused_wherever_it_stands_and_never_said_back(secret):
    for told in ({"segment": secret}, {"data": secret}, {secret: "x"}):
        with pytest.raises(InputError, match="looks like a") as refused:
            without_secrets(told)
        assert secret not in str(refused.value)


@pytest.mark.parametrize("name", ["password", "token", "API_KEY", "senha", "client_secret", "db_password"])
def test_a_parameter_that_is_called_a_secret_is_refused_whatever_it_holds(name):
    with pytest.raises(InputError, match="by its name") as refused:
        without_secrets({name: "hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", PLAIN)
def test_paths_names_dates_and_words_are_no_secrets(text):
    assert secret_in(text) == ""


@given(st.dates())
def test_no_date_is_a_secret(day):
    assert secret_in(day.isoformat()) == ""
