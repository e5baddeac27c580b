"""company.yml is read whole or refused with file, line, key and what to do."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.settings import InputError, Settings, line_of, read_settings

GOOD = """name: Araucária S.A.
currency: BRL
locale: pt_BR
plan_rates: {USD: 5.4}
records_start:
  touches: 2024-10-01
working_hours: {start: "08:30", subdivision: SP}
sources:
  crm: {path: crm, decimal: ",", dates: dmy}
"""


def written(tmp_path, text):
    file = tmp_path / "company.yml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_good_file_is_read_with_defaults_for_the_rest(tmp_path):
    agreed = read_settings(written(tmp_path, GOOD))
    assert (agreed.name, agreed.currency, agreed.locale, agreed.plan_rates) == ("Araucária S.A.", "BRL", "pt_BR", {"USD": 5.4})
    assert agreed.records_start == {"touches": date(2024, 10, 1)}
    assert (agreed.working_hours.start, agreed.working_hours.end) == ("08:30", "18:00")
    assert (agreed.sources["crm"].decimal, agreed.sources["crm"].dates, agreed.sources["crm"].encoding) == (",", "dmy", "auto")
    assert agreed.zone.key == "America/Sao_Paulo"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: T\n", "line 1: key 'currency' is missing; add it"),
        ("name: T\ncurency: BRL\ncurrency: BRL\n", "line 2: unknown key 'curency'; did you mean 'currency'?"),
        ("name: T\ncurrency: reais\n", "line 2: key 'currency': not a currency code"),
        ("name: T\ncurrency: BRL\nname: U\n", "line 3: key 'name' stands twice; keep one"),
        ("name: T\ncurrency: BRL\ntime_zone: Sao Paulo\n", "line 3: key 'time_zone': not a time zone"),
        ("name: T\ncurrency: BRL\nfiscal_year_start: 13\n", "line 3: key 'fiscal_year_start'"),
        ("name: T\ncurrency: BRL\nworking_hours:\n  begin: '09:00'\n", "line 4: unknown key 'working_hours.begin'"),
        (
            "name: T\ncurrency: BRL\nsources:\n  crm:\n    path: x\n    decimals: ','\n",
            "line 6: unknown key 'sources.crm.decimals'; did you mean 'decimal'?",
        ),
        ("name: T\ncurrency: BRL\nsources:\n  crm: {decimal: ','}\n", "line 4: key 'sources.crm': give either the path"),
        ("name: T\ncurrency: BRL\nrecords_start: {leads: soon}\n", "line 3: key 'records_start.leads'"),
        ("name: T\ncurrency: BRL\nplan_rates: {usd: 5}\n", "line 3: key 'plan_rates.usd"),
        ("name: T\ncurrency: BRL\nrecord_url: {leads: http://crm.example/{id}}\n", "not readable as YAML"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: http://crm.example/{id}\n", "line 4: key 'record_url.leads': an address"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: https://crm.example/\n", "line 4: key 'record_url.leads': write the"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: https://{id}.example/\n", "line 4: key 'record_url.leads': an address"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: https://x.example/{id}/{id}\n", "line 4: key 'record_url.leads'"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: javascript:alert({id})\n", "line 4: key 'record_url.leads'"),
        ("name: T\ncurrency: BRL\nrecord_url:\n  leads: https://me@x.example/{id}\n", "line 4: key 'record_url.leads'"),
        ("name: [T\n", "not readable as YAML"),
        ("- name\n", "line 1: write keys and values"),
        ("", "line 1: write keys and values"),
        ("name: ção\n".encode("cp1252"), "not UTF-8 text"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, says):
    file = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_settings(file)
    assert str(error.value).startswith(str(file))
    assert says in str(error.value)


def test_every_problem_is_told_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        read_settings(written(tmp_path, "name: T\ncurrency: BR\nlocale: fr\n"))
    assert [line.split(": ")[0].rsplit(", ")[-1] for line in str(error.value).splitlines()] == ["line 2", "line 3"]


def test_no_file_at_all_says_what_a_folder_needs(tmp_path):
    with pytest.raises(InputError, match="every company folder needs a"):
        read_settings(tmp_path / "company.yml")


def test_a_key_has_a_line_and_an_absent_one_that_of_its_parent(tmp_path):
    file = written(tmp_path, GOOD)
    assert line_of(file, "sources", "crm") == 9
    assert line_of(file, "records_start", "leads") == 5
    assert line_of(file, "nothing") == 1


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings(name="T", currency="BRL").name = "U"
