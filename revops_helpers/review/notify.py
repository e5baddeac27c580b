"""A short message about a published review to a webhook: Slack, Teams, Workato, or whatever takes JSON."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Mapping
from datetime import date
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import nbformat

from revops_helpers.review.collect import report
from revops_helpers.settings import InputError
from revops_helpers.words.language import _, day, label, use
from revops_helpers.words.markup import plain

SECONDS, PAUSE, MOST = 10, 1.0, 3
CARDS = (".logic.azure.com", ".powerplatform.com")  # Teams' workflows take cards only


class NotNotified(Exception):
    """The message was not taken. The text says by which host and why, and never the address, which is a secret."""


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could lead to where nobody meant the message to go."""

    def redirect_request(self, *_given: object) -> None:
        return None


def checked_address(url: str, option: str) -> str:
    """The address as it is. InputError unless it is https, or http on this machine; the address is not said back."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"{option}: not a web address") from None
    if parts.username or parts.password or any(c.isspace() for c in url):
        raise InputError(f"{option}: an address without user, password and blanks is needed")
    if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not _is_here(host)):
        raise InputError(f"{option}: the address must be https (http only on this machine)")
    return url


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def summary(folder: Path, money: bool, link: str = "") -> dict[str, Any]:
    """What a published review says in short: title, gap, the findings worth most, how many there are, the link.

    Without money, and where the review names people, no computed sentence goes out: findings are then told by their metric alone.
    """
    made_of = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    about, told = made_of["review"], list(made_of["parameters"].values())
    use(next((one["language"] for one in told if one.get("language")), ""))
    sentences = money and not any(one.get("show_people") for one in told)
    first = next(iter(sorted((folder / "notebooks").glob("00_*.ipynb"))), None) if sentences else None
    gap = report("", nbformat.read(first, as_version=4), 0).title if first else ""
    return {
        "title": plain(_("{company}: review as of {day}", company=about["company"], day=day(date.fromisoformat(about["as_of"])))),
        "company": about["company"],
        "as_of": about["as_of"],
        "gap": plain(gap),
        "findings": [plain(one["headline"] if sentences else label(one["metric"])) for one in found[:MOST]],
        "findings_in_all": len(found),
        "url": link,
    }


def message(said: Mapping[str, Any], host: str) -> dict[str, Any]:
    """The summary as the host takes it: a card for Teams' workflows; else `text`, in which data is no markup, and the fields."""
    lines = [said["gap"], *(f"{place}. {text}" for place, text in enumerate(said["findings"], 1)), said["url"]]
    if host.endswith(CARDS):
        blocks = [{"type": "TextBlock", "text": _unmarked(said["title"]), "weight": "Bolder", "wrap": True}]
        blocks += [{"type": "TextBlock", "text": _unmarked(line), "wrap": True} for line in lines if line]
        schema = "http://adaptivecards.io/schemas/adaptive-card.json"
        card = {"$schema": schema, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
        return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]}
    text = "\n".join(line for line in (said["title"], *lines) if line)
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), **said}


def _unmarked(text: str) -> str:
    """Text in a card's Markdown: no link, no emphasis."""
    return "".join(f"\\{c}" if c in "\\[]*_`" else c for c in text)


def notify(url: str, said: Mapping[str, Any], pause: float = PAUSE, seconds: float = SECONDS) -> None:
    """Send the message, once more when that fails. NotNotified when it fails twice, or is refused."""
    host = urlsplit(url).hostname or ""
    body = json.dumps(message(said, host), ensure_ascii=False).encode()
    asked = Request(url, body, {"Content-Type": "application/json; charset=utf-8", "User-Agent": "revops-workbook"})
    for again in (True, False):
        try:
            with build_opener(_NoRedirects).open(asked, timeout=seconds):
                return
        except HTTPError as error:
            error.close()
            problem, passing = f"answered {error.code}", error.code == 429 or error.code >= 500
        except (OSError, HTTPException) as error:
            problem, passing = str(getattr(error, "reason", error)) or "no answer", True
        if not (again and passing):
            raise NotNotified(f"{host} was not told of the review: {problem}")
        time.sleep(pause)
