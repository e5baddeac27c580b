"""Fixtures that several test files share."""

from __future__ import annotations

import gc
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import ibis
import pytest

from tests.folders import COMPANY, company_folder

# The files that take longest, first: a worker that came last upon one would run it alone, with nothing left for the others.
# Those that look at one review of shared.py are not neighbours: the second would only wait for the first to make it.
LONGEST = (
    "test_hostile_text", "test_missing", "test_review_in_portuguese", "test_kill", "test_truth", "test_rows", "test_reproducible",
    "test_dashboard", "test_planning_words", "test_review", "test_forecast", "test_forget", "test_third_party", "test_compare",
    "test_hostile_files", "test_conservation",
)  # fmt: skip

ibis.options.sql.fuse_selects = False  # as the engine has it: what is tested in memory is compiled as what runs


def pytest_collection_modifyitems(items):
    """The longest files come first; the order is otherwise as it was, and every test is there."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish():
    """What is imported stays: no collection looks at it again, and queries are built with fewer of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """opened(files, company=..., as_of=...) writes a company folder and opens it, with a cache of its own."""
    from revops_helpers.workspace import open_company

    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))

    def open_(files, company: str = COMPANY, **how):
        return open_company(company_folder(tmp_path / "data", files, company), **how)

    return open_


@pytest.fixture
def hook():
    """A webhook on this machine: hook.answers are given in turn (200 after them), hook.taken holds what was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status = server.answers.pop(0) if server.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", server.address + "/elsewhere")
            self.end_headers()

        def log_message(self, *_said):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.taken = [], []
    server.address = f"http://127.0.0.1:{server.server_port}/T0/B0/secret"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
