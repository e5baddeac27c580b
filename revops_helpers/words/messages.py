"""The words: translation by gettext, and the guard that keeps data from becoming markup.

English is the message id; another language is `locale/<language>/LC_MESSAGES/revops.mo` and nothing else. Markdown cells
of the notebooks are messages too, a whole cell each. `words.extract` collects all of them into `locale/revops.pot`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal

from revops_helpers.settings import LANGUAGES, InputError

FOLDER = Path(__file__).parent / "locale"
DOMAIN = "revops"
NOT_RECORDED = "(not recorded)"  # the member of a cut for what no record says, as metrics.dimensions writes it
STAR = "\ue000"  # stands for an asterisk of data until a part is drawn, so that data never becomes **bold**
OF, IS, END = "\ue001\ue002\ue003"  # in a sentence, around a number and its metric: OF win_rate IS 24% END; data lose them

_now = {"language": "en"}


class Text(str):
    """Text of our own: it may hold **bold**, and the data inside it is guarded."""

    __slots__ = ()


class Quantity(Text):
    """A formatted number; tables align a column of them to the right.

    of: the id of the metric that defines it, which goes with it into a sentence; empty where there is none.
    """

    __slots__ = ("of",)

    def __new__(cls, words: str, of: str = "") -> Quantity:
        made = super().__new__(cls, words)
        made.of = of
        return made


def use(language: str | None) -> None:
    """Speak `language` from now on; "" and None mean English. InputError for a language that is not there."""
    language = (language or "en").replace("-", "_")
    if language not in LANGUAGES:
        raise InputError(f"language '{language}' is not there; use one of {', '.join(LANGUAGES)}")
    _now["language"] = language


def current() -> str:
    """The language in use, such as "en" or "pt_BR"."""
    return _now["language"]


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    return translation(DOMAIN, FOLDER, languages=[language], fallback=True)


def _(message: str, **values: object) -> Text:
    """The message in the language in use, its {fields} filled. Values that are plain strings are data and are guarded."""
    return _fill(_catalogue(current()).gettext(message) if message else "", values)


def n_(singular: str, plural: str, n: int, **values: object) -> Text:
    """The form of the message for n things; {n} is written as a count."""
    return _fill(
        _catalogue(current()).ngettext(singular, plural, n), {"n": Text(format_decimal(n, locale=locale_now())), **values}
    )


def N_(message: str) -> str:
    """Mark a message for translation later."""
    return message


def _fill(message: str, values: dict[str, object]) -> Text:
    return Text(message.format(**{name: _held(value) for name, value in values.items()}) if values else message)


def _held(value: object) -> object:
    """A value as a sentence holds it: data guarded, a number with its metric, the interval after it without."""
    if isinstance(value, Quantity) and value.of:
        told, gap, interval = value.partition(" [")
        return Text(f"{OF}{value.of}{IS}{told}{END}{gap}{interval}")
    return data(value) if type(value) is str else value


def translate_markdown(text: str) -> str:
    """A Markdown cell in the language in use; the whole cell is one message."""
    return _catalogue(current()).gettext(text.strip()) if text.strip() else text


# Control characters but line ends and tabs, lone surrogates, Unicode's noncharacters, and marks that turn the reading
# direction of what follows (isolates of our own are put back around right-to-left text).
_NONCHARACTERS = "".join(chr(plane << 16 | code) for plane in range(17) for code in (0xFFFE, 0xFFFF)) + "\ufdd0-\ufdef"
_TURNS = "\u200e\u200f\u061c\u202a-\u202e\u2066\u2067"
_GUARDS = str.maketrans({"*": STAR} | dict.fromkeys(f"\u2068\u2069{OF}{IS}{END}", ""))
_UNSEEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}{_TURNS}]")


def clean(text: object) -> str:
    """The text without control characters, lone surrogates and direction marks."""
    return _UNSEEN.sub("", str(text))


def data(text: object) -> Text:
    """A value of data as text that cannot become markup: asterisks guarded, marks taken off, right-to-left text isolated."""
    if text == NOT_RECORDED:
        return _(NOT_RECORDED)
    plain = clean(text).translate(_GUARDS)
    if not plain.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in plain):
        plain = f"\u2068{plain}\u2069"
    return Text(plain)


def listing(items: list[str] | tuple[str, ...]) -> Text:
    """a, b and c."""
    return Text(format_list([_held(item) for item in items], locale="en_GB" if current() == "en" else current()))


def sentences(*texts: str) -> Text:
    """Sentences one after another; the empty ones are left out."""
    return Text(" ".join(text for text in texts if text))


def lower_first(words: str) -> Text:
    """A label inside a sentence: its first letter small, unless it is an abbreviation."""
    return Text(words if words[:2].isupper() else words[:1].lower() + words[1:])


def locale_now() -> Locale:
    """Babel's locale of the language in use."""
    return Locale.parse(current())
