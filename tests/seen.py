"""What a reader meets on a built page."""

import re
from html.parser import HTMLParser

from babel.messages.pofile import read_po

from revops_helpers.words import extract


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


def phrases(language: str, longer: int = 12) -> list[str]:
    """The longest stretch between the fields of every message in `language`, en or pt_BR, that the other does not have."""
    with (extract.FOLDER / "pt_BR/LC_MESSAGES/revops.po").open("rb") as file:
        held = [(m.id, m.string) if isinstance(m.id, tuple) else ((m.id,), (m.string,)) for m in read_po(file) if m.id]
    english, portuguese = ([text for pair in held for text in pair[side]] for side in (0, 1))
    own, other = (english, portuguese) if language == "en" else (portuguese, english)
    lines = [re.sub(r"[*#`]|\[([^]]*)\]\([^)]*\)", r"\1", line) for text in own for line in text.split("\n")]
    longest = {max((part.strip() for part in re.split(r"\{\w*\}", line)), key=len) for line in lines}
    abroad = "\n".join(other)
    return sorted(phrase for phrase in longest if len(phrase) > longer and phrase not in abroad)
