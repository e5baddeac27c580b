"""What a reader meets on a built page."""

import re
from html.parser import HTMLParser


class _Seen(HTMLParser):
    """The text of a page that a reader meets, and what is read aloud of it; queries and code apart."""

    APART = frozenset({"head", "style", "script", "pre", "svg", "code"})
    ALOUD = ("alt", "aria-label", "data-l")

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.held = 0, []

    def handle_starttag(self, name, given):
        self.depth += name in self.APART
        self.held += [f"\n{value}\n" for key, value in given if key in self.ALOUD and value and not self.depth]
        self.held.append("" if name in ("b", "strong", "em", "a", "span", "i") else "\n")

    def handle_endtag(self, name):
        self.depth -= name in self.APART

    def handle_data(self, text):
        self.held.append("" if self.depth else text)


def seen_in(page: str) -> str:
    """What a reader sees or hears of a page's HTML, a line for each block, with ordinary spaces."""
    reader = _Seen()
    reader.feed(page)
    return re.sub(r"[ \u00a0\u202f]+", " ", "".join(reader.held))
