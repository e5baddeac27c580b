"""After a review is published: it goes to a database, and a webhook is told. It stays published whatever comes of that."""

from __future__ import annotations

from pathlib import Path

from revops_helpers.review import bi, notify
from revops_helpers.settings import read_settings
from revops_helpers.workspace import folder_of


def check(publish: str | None, webhook: str | None, link: str, show_people: bool) -> None:
    """InputError when an address is wrong, before anything runs."""
    if publish:
        bi.check_publish(publish, show_people)
    for option, url in (("--notify", webhook), ("--report-url", link)):
        if url:
            notify.checked_address(url, option)


def send(folder: Path, data: str, publish: str | None, webhook: str | None, link: str) -> list[tuple[int, str]]:
    """Send the published review where it was asked for; what did not arrive, as exit status (2 database, 3 webhook) and words."""
    missed = []
    if publish:
        try:
            bi.publish(publish, folder)
        except bi.NotSent as problem:
            missed.append((2, f"{problem}; the review is published"))
    if webhook:
        money = read_settings(folder_of(data) / "company.yml").notify.money
        try:
            notify.notify(webhook, notify.summary(folder, money, link))
        except notify.NotNotified as problem:
            missed.append((3, f"{problem}; it is published"))
    return missed
