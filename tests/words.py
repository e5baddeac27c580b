"""What the tests of words share: a company without data, text as it is read, and shares."""

from __future__ import annotations

from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Unavailable
from revops_helpers.words.markup import plain
from tests.support import company_of

COMPANY = company_of(opportunities=[])
MISSING = Unavailable(["subscriptions.mrr", "subscriptions.starts_on"])


def said(part) -> str:
    return plain(part if isinstance(part, str) else part.text).replace("\u00a0", " ")


def share(value, low=None, high=None, **more):
    return Measurement(value, n=more.pop("n", 100), low=low, high=high, unit="percent", **more)
