"""Every file becomes all its rows as text, or the records that were set aside, or one clear message."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_helpers.engine import workbench
from revops_helpers.settings import InputError
from revops_helpers.sources.names import columns_of, files_of, snake, table_of
from revops_helpers.sources.reading import read
from revops_helpers.sources.scan import scan
from revops_helpers.sources.store import Desk, Place
from tests.folders import belied


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    for part in ("data", "scratch", "scratch/spill"):
        (folder / part).mkdir()
    with workbench([folder / "data"], folder / "scratch") as connection:
        yield Desk(connection, folder / "scratch", folder / "data")


class Reader:
    """Reads one file's bytes and tells the rows with their lines."""

    def __init__(self, desk: Desk):
        self.desk, self.n = desk, 0

    def __call__(self, name: str, content: bytes | str, encoding: str = "auto"):
        self.n += 1
        file = self.desk.data / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.desk.connection.execute(f"DROP SCHEMA IF EXISTS t{self.n} CASCADE")
        return read(Place(self.desk, file, f"t{self.n}", "t", encoding))

    def rows(self, raw) -> list[tuple]:
        listed = ", ".join(f'"{c}"' for c in raw.columns)
        return self.desk.connection.execute(f"SELECT _line, {listed} FROM {raw.relation} ORDER BY _line").fetchall()


@pytest.fixture
def reader(desk):
    reader = Reader(desk)
    yield reader
    for n in range(reader.n + 1):
        desk.connection.execute(f"DROP SCHEMA IF EXISTS t{n} CASCADE")


TABLE = [(2, "1", "ção"), (3, "2", None)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comma.csv", "Id,Name\n1,ção\n2,\n"),
        ("no_last_line_break.csv", "Id,Name\n1,ção\n2,"),
        ("semicolon.csv", "Id;Name\r\n1;ção\r\n2;\r\n"),
        ("tab.tsv", "Id\tName\n1\tção\n2\t\n"),
        ("bom.csv", "\ufeffId,Name\n1,ção\n2,\n"),
        ("utf16.csv", "\ufeffId;Name\n1;ção\n2;\n".encode("utf-16-le")),
        ("utf16_big_endian.csv", "\ufeffId;Name\n1;ção\n2;\n".encode("utf-16-be")),
        ("cp1252.csv", "Id;Name\n1;ção\n2;\n".encode("cp1252")),
        ("packed.csv.gz", gzip.compress("Id,Name\n1,ção\n2,\n".encode(), mtime=0)),
        ("quoted.csv", '"Id","Name"\n"1","ção"\n"2",""\n'),
        ("old_mac.csv", "Id,Name\r1,ção\r2,\r"),
    ],
)
def test_one_table_reads_the_same_however_it_is_written(reader, name, content):
    raw = reader(name, content)
    assert raw.columns == ("id", "name")
    assert raw.rows == 2
    assert reader.rows(raw) == TABLE


def test_declared_encoding_is_used(reader):
    raw = reader("mac.csv", "Id,Name\n1,ção\n2,\n".encode("mac-roman"), "mac-roman")
    assert reader.rows(raw) == TABLE


def test_detected_encoding_is_told(reader):
    assert reader("old.csv", "a\nção\n".encode("cp1252")).notes == ("old.csv was read as cp1252",)


def test_line_breaks_inside_quotes_and_blank_lines_keep_the_line_numbers_true(reader):
    raw = reader("lines.csv", 'a,b\n1,"x\ny"\n\n3,z\n,\n"4","q ""x"", r"\n')
    assert reader.rows(raw) == [(2, "1", "x\ny"), (5, "3", "z"), (7, "4", 'q "x", r')]
    assert raw.rows == 3


def test_ragged_records_are_set_aside_with_line_and_text_and_still_counted(reader):
    raw = reader("ragged.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert reader.rows(raw) == [(2, "1", "2"), (5, "7", "8")]
    assert [(r.line, r.rule, r.raw) for r in raw.refused] == [(3, "ragged row", "3"), (4, "ragged row", "4,5,6")]
    assert raw.rows == 4


def test_nul_bytes_set_their_record_aside(reader):
    raw = reader("nul.csv", "a,b\n" + "1,2\n" * 9 + "3,\0\n")
    assert len(reader.rows(raw)) == 9
    assert [(r.line, r.rule, r.raw) for r in raw.refused] == [(11, "NUL byte", "3,\\0")]


def test_a_quote_inside_a_field_is_text(reader):
    raw = reader("inches.csv", 'a,b\n1,5" pipe\n2,"q"\n3\n')
    assert reader.rows(raw) == [(2, "1", '5" pipe'), (3, "2", "q")]
    assert [r.line for r in raw.refused] == [4]


def test_header_alone_is_an_empty_table(reader):
    raw = reader("header.csv", "a,b\n")
    assert (raw.columns, raw.rows, reader.rows(raw)) == (("a", "b"), 0, [])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("zero.csv", b"", "the file is empty"),
        ("zero.csv.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("blank.csv", b"\n\n", "line 1: empty"),
        ("excel.csv", b"sep=;\na;b\n1;2\n", "line 1: 'sep=' tells Excel how to split"),
        ("twice.csv", b"Close Date,CloseDate\n1,2\n", "columns 'Close Date' and 'CloseDate' have the same name"),
        ("same.csv", b"a,a\n1,2\n", "columns 'a' and 'a' have the same name"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary, not text"),
        ("book.csv", b"PK\x03\x04rest", "an Excel or zip file"),
        ("pack.csv", gzip.compress(b"a\n1\n", mtime=0), "gzip-compressed"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "not a complete gzip file"),
        ("wide.csv", "a;b\n1;2\n".encode("utf-16-le"), "declare `encoding: utf-16-le`"),
        ("mixed.csv", "ção,é,ü,ã\n1,2,3,4\n".encode() + b"\xff,2,3,4\n", "mixed.csv, line 3: a byte that is not UTF-8 (0xff)"),
        ("open.csv", b'a,b\n1,2\n3,"never closed\n4,5\n', "open.csv, line 3: a quote opens a text that never ends"),
        ("bad.parquet", b"PAR1 no", "bad.parquet: cannot be read"),
        ("bad.xlsx", b"PK no", "not a readable Excel workbook"),
    ],
)
def test_what_is_no_table_gets_one_message(reader, name, content, says):
    with pytest.raises(InputError) as error:
        reader(name, content)
    assert name in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "says"), [("klingon", "'klingon', which is unknown"), ("utf-8", "line 2: a byte that is not UTF-8")]
)
def test_declared_encodings_are_checked(reader, encoding, says):
    with pytest.raises(InputError, match=says):
        reader("declared.csv", "a\nção\n".encode("cp1252"), encoding)


def test_json_lines_give_every_key_a_column_and_set_other_lines_aside(reader):
    lines = ['{"Id": 1, "Name": "x"}', "", "not json", '{"Id": 1.234, "deep": {"k": null}, "no": null}', "[1]"]
    raw = reader("some.jsonl", "\n".join(lines))
    assert set(raw.columns) == {"id", "name", "deep", "no"}
    found = reader.desk.connection.execute(f"SELECT _line, id, name, deep, no FROM {raw.relation} ORDER BY 1").fetchall()
    assert found == [(1, "1", "x", None, None), (4, "1.2340", None, '{"k":null}', None)]
    assert [(r.line, r.rule) for r in raw.refused] == [(3, "not a JSON object"), (5, "not a JSON object")]
    assert raw.rows == 4


def test_parquet_gives_text_that_reads_in_one_way(reader, tmp_path):
    frame = pd.DataFrame({"A": [1.234, 5.5], "When": pd.to_datetime(["2026-01-01 10:00", None]), "D": [date(2026, 1, 2), None]})
    frame.to_parquet(tmp_path / "x.parquet")
    raw = reader("typed.parquet", (tmp_path / "x.parquet").read_bytes())
    assert reader.rows(raw) == [(1, "1.2340", "2026-01-01 10:00:00", "2026-01-02"), (2, "5.5", None, None)]


def test_excel_gives_its_first_sheet_as_what_the_cells_are(reader, tmp_path):
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        rows = {
            "Valor": [1.234, 2000.0, None],
            "Dia": [datetime(2026, 1, 1), datetime(2026, 1, 1, 10, 30), None],
            "T": ["R$ 1", True, None],
        }
        pd.DataFrame(rows).to_excel(book, sheet_name="Plano", index=False)
        pd.DataFrame({"other": [1]}).to_excel(book, sheet_name="Notes", index=False)
    raw = reader("plan.xlsx", (tmp_path / "x.xlsx").read_bytes())
    assert reader.rows(raw) == [(2, "1.2340", "2026-01-01", "R$ 1"), (3, "2000", "2026-01-01 10:30:00", "true")]
    assert raw.notes == ("plan.xlsx: only its first sheet, 'Plano', was read",)


def test_a_workbook_that_belies_its_size_is_read_to_its_last_row_and_column(reader, tmp_path):
    pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}).to_excel(tmp_path / "x.xlsx", index=False)
    raw = reader("cut.xlsx", belied(tmp_path / "x.xlsx"))
    assert reader.rows(raw) == [(2, "1", "4"), (3, "2", "5"), (4, "3", "6")]


field = st.text(st.sampled_from('ab,;"\n x'), max_size=5)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(field, min_size=1, max_size=4), max_size=8),
    delimiter=st.sampled_from(",;\t"),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_every_record_that_python_writes_is_read_or_set_aside(reader, rows, delimiter, ending, quoting):
    """The csv module is the oracle: what it wrote at the header's width arrives, the rest is refused, nothing is lost."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=ending)
    writer.writerows([["h1", "h2"], *rows])
    raw = reader("any.csv", out.getvalue())
    arrived = [row[1:] for row in reader.rows(raw)]
    assert [row for row in arrived if any(row)] == [tuple(c or None for c in row) for row in rows if len(row) == 2 and any(row)]
    refused = [next(csv.reader(io.StringIO(r.raw, newline=""), delimiter=delimiter)) for r in raw.refused]
    assert [row for row in refused if any(row)] == [row for row in rows if len(row) != 2 and any(row)]
    assert raw.rows == len(arrived) + len(raw.refused)


def test_scan_sees_records_lines_fields_and_irregular_quotes(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b'a,b\n"1\n,",2\n3\n')
    seen = scan(file, ",")
    assert (list(seen.lines), list(seen.fields), seen.regular) == ([1, 2, 4], [2, 2, 1], True)
    file.write_bytes(b'a,b\n5" x,2\n')
    assert not scan(file, ",").regular


def test_scan_is_the_same_across_the_borders_of_its_chunks(tmp_path, monkeypatch):
    file = tmp_path / "x"
    file.write_bytes(b'a,b\n"1\n,""",2\n\n3,4\n"",\n' * 3)
    whole = scan(file, ",")
    for size in (1, 2, 3, 5, 7):
        monkeypatch.setattr("revops_helpers.sources.scan.CHUNK", size)
        cut = scan(file, ",")
        assert all(np.array_equal(getattr(whole, f), getattr(cut, f)) for f in ("starts", "lines", "fields", "nul"))
        assert cut.regular == whole.regular


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("CreatedDate", "created_date"),
        ("Created Date", "created_date"),
        ("AccountId", "account_id"),
        ("MQLDate__c", "mql_date_c"),
        ("property_hs_all-funky-name", "property_hs_all_funky_name"),
        ("Situação", "situacao"),
        ("ARR (R$)", "arr_r"),
        ("ID", "id"),
        ("2026", "c2026"),
        ("  ", ""),
    ],
)
def test_column_names_meet_in_snake_case(header, name):
    assert snake(header) == name


def test_a_column_without_a_name_is_called_by_its_place():
    assert columns_of(["a", "", " "], "f") == ("a", "column_2", "column_3")


def test_files_are_raw_tables_by_their_names(tmp_path):
    for name in ("Opportunity.csv.gz", "Metas 2026.xlsx", "notes.txt", "~$Metas 2026.xlsx", ".hidden.csv"):
        (tmp_path / name).write_text("x")
    assert {table: file.name for table, file in files_of(tmp_path).items()} == {
        "opportunity": "Opportunity.csv.gz",
        "metas_2026": "Metas 2026.xlsx",
    }
    assert table_of(tmp_path / "OpportunityFieldHistory.JSONL") == "opportunity_field_history"
    (tmp_path / "opportunity.csv").write_text("x")
    with pytest.raises(InputError, match="two files hold table 'opportunity'"):
        files_of(tmp_path)


def test_json_is_text_too(reader):
    raw = reader("odd.jsonl", json.dumps({"a/b": "x", "a~c": 5}))
    assert reader.rows(raw) == [(1, "x", "5")]
