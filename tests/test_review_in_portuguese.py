"""The whole review of the sample in Portuguese: no page mixes languages, and numbers and days are written as in Brazil."""

import re
from pathlib import Path

import pytest

from revops_helpers.review.build import Request, review
from revops_helpers.review.gates import read_page
from tests.seen import phrases, seen_in
from tests.shared import sample_review

pytestmark = pytest.mark.slow

# Short words that English text cannot do without and Portuguese text does not have.
ENGLISH = re.compile(r"\b(the|of|and|with|from|which|that|are|was|were|not|have|their|its|than|been|these|what)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    """Page → its HTML."""
    sample_review(tmp_path_factory)  # what it measured is read again
    folder = review(Request(out=tmp_path_factory.mktemp("pt") / "reports", language="pt_BR"))
    return {path.stem: path.read_text(encoding="utf-8") for path in Path(folder).rglob("*.html")}


@pytest.fixture(scope="module")
def texts(pages) -> dict[str, str]:
    """Page → what a reader sees or hears of it."""
    return {name: seen_in(page) for name, page in pages.items()}


def test_no_english_message_is_left_on_a_page(texts):
    ours = phrases("en")
    assert len(ours) > 500 and {(name, phrase) for name, text in texts.items() for phrase in ours if phrase in text} == set()


def test_no_english_sentence_of_any_kind_is_left_on_a_page(texts):
    without_sources = {name: re.sub(r"\([^()]+, 20\d\d\)", "", text) for name, text in texts.items()}
    assert {(name, line) for name, text in without_sources.items() for line in text.splitlines() if ENGLISH.search(line)} == set()


def test_every_page_says_that_it_is_portuguese_and_passes_the_gates(pages):
    assert len(pages) > 3
    for name, page in pages.items():
        assert '<html lang="pt-BR">' in page, name
        assert read_page(page).problems == [], name


def test_numbers_money_and_days_are_written_as_in_brazil(texts):
    text = texts["index"]
    for pattern in (r"R\$ \d+,\d mi\b", r"R\$ \d+ mil\b", r"\b\d+,\d%", r"\b\d{2}/\d{2}/2026\b", r"\d+\.\d{3} linhas lidas"):
        assert re.search(pattern, text), pattern
    assert re.search(r"−\d+,\d p\.p\.", texts["03_optimization"])
    for wrong in (r"\d\.\d%", r"R\$ \d+\.\d [MkB]\b", r"\b\d+ (Sep|Oct|Dec) 20\d\d", r"\d pp\b", r"\d mo\b"):
        assert not re.search(wrong, text), wrong
