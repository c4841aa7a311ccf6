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
from collections.abc import Callable
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
_LEAST_LETTERS = 3
"""That a template has of its own: with fewer it would be found everywhere."""
_PLACE = re.compile(r"\{(\d+)(!r)?\}")
_SEPARATORS = (re.compile(r"((?<=[.?!]) )"), re.compile(r"(\. )"), re.compile(r"(: )"), re.compile(r"(; |, )"))
"""Where texts were joined: sentences, then what is told of one thing, then a list."""

Lookup = Callable[[str], str]


def shown(text: str) -> str:
    """A text of a panel or a dialog, as the artist reads it."""
    return _translated(text, bpy.app.translations.pgettext_iface)


def reported(text: str) -> str:
    """The same for reports, and for why a button is grey: Blender has a switch of its own for them."""
    return _translated(text, bpy.app.translations.pgettext_rpt)


def read() -> dict[str, dict[str, str]]:
    """Each language's translations, by its locale."""
    files = (path for path in FOLDER.glob("*.json") if path.name != TEMPLATE)
    return {path.stem: json.loads(path.read_text("utf-8")) for path in files}


def register() -> None:
    languages = {
        locale: {(context, text): told for text, told in texts.items() for context in _CONTEXTS}
        for locale, texts in read().items()
    }
    bpy.app.translations.register(_NAME, languages)


def unregister() -> None:
    bpy.app.translations.unregister(_NAME)


def _translated(text: str, lookup: Lookup) -> str:
    english = bpy.app.translations.locale.partition("_")[0] in _ENGLISH
    return text if english or len(text) > _MOST_LETTERS else translated(text, lookup)


def translated(text: str, lookup: Lookup) -> str:
    """lookup: gives the translation of a text or of a template; what it has none for, as it is."""
    if told := _whole(text, lookup):
        return told
    for separator in _SEPARATORS:
        parts = separator.split(text)
        if len(parts) > 1:
            return "".join(part if separator.fullmatch(part) else translated(part, lookup) for part in parts)
    return text


def _whole(text: str, lookup: Lookup) -> str:
    """The translation of a text that was not joined; empty if there is none."""
    if (told := lookup(text)) != text:
        return told
    for template in _templates():
        if (parts := template.parts(text)) is not None and (told := lookup(template.text)) != template.text:
            return template.filled(told, parts, lookup)
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
        return [*found, text[at:end]]

    def filled(self, told: str, parts: list[str], lookup: Lookup) -> str:
        """Its translation, with these parts in their places. Names stay as they are; texts of ours are translated."""
        words = [
            part if quoted else _inner(part, lookup) for part, quoted in zip(parts, self._quoted, strict=True)
        ]
        return _PLACE.sub(lambda place: words[int(place[1])] if int(place[1]) < len(words) else "", told)


def _inner(part: str, lookup: Lookup) -> str:
    """A part of a text: single words are names."""
    bare = part.strip()
    told = _whole(bare, lookup) if " " in bare else ""
    return part.replace(bare, told) if told else part


@functools.lru_cache(maxsize=1)
def _templates() -> list[_Template]:
    """Those that say most of their own come first."""
    texts = json.loads((FOLDER / TEMPLATE).read_text("utf-8"))
    found = (_Template(text) for text in texts if _PLACE.search(text))
    return sorted(
        (one for one in found if one.letters >= _LEAST_LETTERS), key=lambda one: one.letters, reverse=True
    )
