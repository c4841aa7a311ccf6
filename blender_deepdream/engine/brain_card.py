# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain's card as JSON, and what a card may say: cards come in files of strangers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..protocol.errors import BrainFileError, InputError
from ..protocol.layers import CLASSES, MAX_LAYERS, MAX_NAME_LENGTH
from .brain import BrainCard

MAX_CLASSES = 100_000
MAX_LISTED_LAYERS = 10_000
MAX_TEXT = 2_000
MAX_SMALLEST = 1024
MAX_STRIDE = 1024
MAX_CHANNELS = 2**20

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_MARKS = re.compile(r"::|[@,=]|:[-+*.0-9]*$")
_HINT = "The brain's file is damaged or was not made by this program: import or pull the brain again."

_CARD: TypeAdapter[BrainCard] = TypeAdapter(BrainCard)


def check_name(name: str) -> str:
    """The name if a brain can have it: it becomes a file's on any system. Raises InputError."""
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise InputError(
            f"A brain cannot be called {name[:80]!r}.",
            "Take 1 to 64 small letters, digits, dots, dashes or underscores, a letter or digit first: places205.",
        )
    return name


def to_json(card: BrainCard) -> dict[str, Any]:
    """What `from_json` reads back; without what only the file itself can tell. Raises BrainFileError."""
    _check(card)
    return {name: value for name, value in asdict(card).items() if name not in ("id", "size")}


def from_json(facts: object, brain_id: str, size: int) -> BrainCard:
    """The card of a brain's file. brain_id: the file's SHA-256. size: in bytes. Raises BrainFileError."""
    if not isinstance(facts, dict):
        raise BrainFileError("The brain's card is not a JSON object.", _HINT)
    try:
        card = _CARD.validate_json(json.dumps(facts | {"id": brain_id, "size": size}), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BrainFileError(f"The brain's card is wrong at {where[:80]}: {first['msg']}.", _HINT) from error
    except (ValueError, RecursionError) as error:
        raise BrainFileError("The brain's card is too deep for a card.", _HINT) from error
    _check(card)
    return card


def _check(card: BrainCard) -> None:
    """Raises BrainFileError for what no brain of ours can say."""
    try:
        check_name(card.name)
    except InputError as error:
        raise BrainFileError(error.message, error.hint) from error
    _check_texts((card.title, card.licence, card.architecture, card.source), MAX_TEXT)
    _check_texts(card.classes, MAX_NAME_LENGTH)
    _check_layers(card)
    _check_defaults(card)
    _check_numbers(card)


def _check_layers(card: BrainCard) -> None:
    names = [layer.name for layer in card.every_layer]
    if not 0 < len(card.layers) <= MAX_LISTED_LAYERS or len(set(names)) != len(names):
        raise BrainFileError("The brain has no layers, too many, or two of one name.", _HINT)
    _check_texts((layer.dreams for layer in card.every_layer), MAX_TEXT)
    for layer in card.every_layer:
        name = layer.name
        if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable() or name != name.strip() or name == CLASSES:
            raise BrainFileError(f"A layer cannot be called {name[:80]!r}.", _HINT)
        if _MARKS.search(name):
            raise BrainFileError(f"The layer's name {name[:80]!r} means something else in a list of layers.", _HINT)
        if not 0 < layer.channels <= MAX_CHANNELS or not 0 < layer.stride <= MAX_STRIDE:
            raise BrainFileError(f"Layer {name[:80]!r} has impossible channels or strides.", _HINT)


def _check_defaults(card: BrainCard) -> None:
    unknown = {name for name, _ in card.default_layers} - {layer.name for layer in card.layers}
    if unknown or not 0 < len(card.default_layers) <= MAX_LAYERS:
        raise BrainFileError("The brain's default layers are none of its own.", _HINT)
    if len(card.classes) > MAX_CLASSES or (card.classes and card.classifier is None):
        raise BrainFileError("The brain has too many classes, or no layer that tells them apart.", _HINT)
    if card.classifier is not None and len(card.classes) not in (0, card.classifier.channels):
        raise BrainFileError(f"The brain names {len(card.classes)} of {card.classifier.channels} classes.", _HINT)


def _check_numbers(card: BrainCard) -> None:
    entry = card.preprocessing
    numbers = (entry.range, *entry.mean, *entry.std, *(weight for _, weight in card.default_layers))
    if not all(math.isfinite(number) and abs(number) <= 1e6 for number in numbers):
        raise BrainFileError("The brain's preprocessing or its weights of layers are beyond all bounds.", _HINT)
    if entry.range <= 0 or min(entry.std) < 1e-6 or not 0 < card.smallest <= MAX_SMALLEST:
        raise BrainFileError("The brain's preprocessing or its smallest image makes no sense.", _HINT)


def _check_texts(texts: Iterable[str], longest: int) -> None:
    for text in texts:
        if len(text) > longest or not text.isprintable():
            raise BrainFileError(f"The brain's card has a text too long or not printable: {text[:80]!r}.", _HINT)
