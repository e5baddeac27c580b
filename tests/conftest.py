"""Fixtures that several test files share."""

from __future__ import annotations

import ibis
import pytest

from tests.folders import COMPANY, company_folder

ibis.options.sql.fuse_selects = False  # as the engine has it: what is tested in memory is compiled as what runs


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """opened(files, company=..., as_of=...) writes a company folder and opens it, with a cache of its own."""
    from revops_helpers.workspace import open_company

    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))

    def open_(files, company: str = COMPANY, **how):
        return open_company(company_folder(tmp_path / "data", files, company), **how)

    return open_
