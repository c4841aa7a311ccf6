# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read, in the language that Blender's preferences name.

    language_files/template.json    every text in English; `scripts/translation_template.py` writes it
    language_files/de.json          the same with their translations: one file for each language, named by its locale

Blender itself translates labels, tooltips and choices. What is put together (errors, progress, reports) is written in
English all through the product, on the dream server too, and translated where it is shown: it is recognised by its
template, `The folder {0} cannot be written: {1}.`, and what stood at {0} and {1} is put into the translation.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import bpy

FOLDER = Path(__file__).parent / "language_files"
TEMPLATE = "template.json"
_NAME = __package__
_CONTEXTS = ("*", "Operator")
"""Blender looks for what buttons say in the second one."""
_ENGLISH = ("", "C", "en")
_MOST_LETTERS = 2000
"""Longer texts are none of ours: whole logs, which a hostile server may send."""
_LEAST_LETTERS, _FEW_LETTERS = 3, 10
"""That a template has of its own: with fewer it would be found everywhere; with few, only where what stands at its
places is no English that nobody has translated."""
_MOST_PARTS, _DEPTH = 24, 2
_PLACE = re.compile(r"\{(\d+)(!r)?\}")
_A_LIST = re.compile(r"\d.*, |.*; ")
"""Does not stand at a place: the text is a list that ends, or begins, with what the template says."""
_SEPARATORS = (re.compile(r"((?<=[.?!]) )"), re.compile(r"(\. )"), re.compile(r"(; |, )"), re.compile(r"(: )"))
"""Where texts were joined: sentences first, then lists, then what is told of one thing."""
_SENTENCES = _SEPARATORS[:1]

Lookup = Callable[[str], str]


def shown(text: str) -> str:
    """A text of a panel or a dialog, as the artist reads it."""
    return _translated(text, bpy.app.translations.pgettext_iface)


def reported(text: str) -> str:
    """The same for reports, and for why a button is grey: Blender has a switch of its own for them."""
    return _translated(text, bpy.app.translations.pgettext_rpt)


def read() -> dict[str, dict[str, str]]:
    """Each language's translations, by its locale; without texts that wait for one: Blender would show nothing."""
    files = (path for path in FOLDER.glob("*.json") if path.name != TEMPLATE)
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in files}
    return {locale: {text: told for text, told in texts.items() if told} for locale, texts in found.items()}


def register() -> None:
    languages = {
        locale: {(context, text): told for text, told in texts.items() for context in _CONTEXTS}
        for locale, texts in read().items()
    }
    bpy.app.translations.register(_NAME, languages)


def unregister() -> None:
    bpy.app.translations.unregister(_NAME)


def _translated(text: str, lookup: Lookup) -> str:
    english = _locale().partition("_")[0] in _ENGLISH
    return text if english or len(text) > _MOST_LETTERS else translated(text, lookup)


def _locale() -> str:
    return str(bpy.app.translations.locale)


def translated(
    text: str, lookup: Lookup, separators: Sequence[re.Pattern[str]] = _SEPARATORS, depth: int = _DEPTH
) -> str:
    """lookup: gives the translation of a text or of a template; what it has none for, as it is. depth: how often a text
    may stand within another."""
    if told := _whole(text, lookup, depth):
        return told
    for number, separator in enumerate(separators):
        parts = separator.split(text)
        if 1 < len(parts) <= _MOST_PARTS:
            return "".join(_runs(parts, lookup, separators[number + 1 :], depth))
    return text


def _runs(parts: Sequence[str], lookup: Lookup, finer: Sequence[re.Pattern[str]], depth: int) -> Iterator[str]:
    """Parts, every other one a separator: those that are one text are translated together. Of sentences as many as can
    be, of what stands in lists as few."""
    at = 0
    while at < len(parts):
        ends = range(at + 1, len(parts) + 1, 2)
        if len(finer) == len(_SEPARATORS) - 1:
            ends = ends[::-1]
        runs = ((end, _whole("".join(parts[at:end]), lookup, depth)) for end in ends)
        end, told = next(((end, told) for end, told in runs if told), (at + 1, ""))
        yield told or translated(parts[at], lookup, finer, depth)
        yield from parts[end : end + 1]
        at = end + 1


def _whole(text: str, lookup: Lookup, depth: int) -> str:
    """The translation of a text that was not joined; empty if there is none."""
    if (told := lookup(text)) != text:
        return told
    for template in _templates():
        parts = template.parts(text)
        if parts is not None and (told := lookup(template.text)) != template.text:
            words = template.words(parts, lookup, depth)
            if template.letters >= _FEW_LETTERS or not any(map(_is_english, words, parts)):
                return template.filled(told, words)
    return ""


class _Template:
    """A text with places for numbers, names and other texts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.literals = _PLACE.split(text)[::3]
        self._quoted = [bool(quotes) for quotes in _PLACE.split(text)[2::3]]

    @property
    def letters(self) -> int:
        return sum(map(str.isalpha, "".join(self.literals)))

    def parts(self, text: str) -> list[str] | None:
        """What stands at its places; None for a text that was not made from it.

        Each part ends where the next literal is first found: with no back-tracking, long texts cost no more.
        """
        first, *between, last = self.literals
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        at, found = len(first), []
        for literal in between:
            place = text.find(literal, at, end)
            if place < 0:
                return None
            found.append(text[at:place])
            at = place + len(literal)
        found.append(text[at:end])
        return None if any(map(_A_LIST.match, found)) else found

    def words(self, parts: Sequence[str], lookup: Lookup, depth: int) -> list[str]:
        """What stands at its places, in the other language: names stay as they are, texts of ours are translated."""
        pairs = zip(parts, self._quoted, strict=True)
        return [part if quoted or not depth else _inner(part, lookup, depth - 1) for part, quoted in pairs]

    def filled(self, told: str, words: Sequence[str]) -> str:
        """Its translation with these words at their places."""
        return _PLACE.sub(lambda place: words[int(place[1])] if int(place[1]) < len(words) else "", told)


def _inner(part: str, lookup: Lookup, depth: int) -> str:
    """A part of a text: single words are names."""
    bare = part.strip()
    return part.replace(bare, translated(bare, lookup, _SENTENCES, depth)) if " " in bare else part


def _is_english(word: str, part: str) -> bool:
    """Whether it is several words that were not translated; amounts, paths and names of layers are none."""
    return word == part and " " in part.strip() and part.strip()[0].isalpha()


@functools.lru_cache(maxsize=1)
def _templates() -> list[_Template]:
    """Those that say most of their own come first."""
    texts = json.loads((FOLDER / TEMPLATE).read_text("utf-8"))
    found = (_Template(text) for text in texts if _PLACE.search(text))
    return sorted((one for one in found if one.letters >= _LEAST_LETTERS), key=lambda one: one.letters, reverse=True)
