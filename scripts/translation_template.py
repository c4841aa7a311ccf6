# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect every text that the add-on shows into the template that translators begin with.

    .venv-blender/bin/python scripts/translation_template.py

writes blender_deepdream/addon/language_files/template.json and says, for each language beside it, what is missing.
Where numbers and names come into a text it has {0}, {1}, ...; {0!r} is a name in quotation marks.

What is shown: labels, tooltips and choices as Blender has them registered; and in the add-on's source, and in what of
the protocol speaks to artists, texts of several words, single words where panels and events show them, and errors.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import blender_deepdream
from blender_deepdream import addon
from blender_deepdream.addon import languages, looks
from blender_deepdream.protocol.knob import Knob
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.settings import KNOBS

_PACKAGE = Path(blender_deepdream.__file__).parent
_COMMAND_LINE = {"batch.py", "batch_surface.py", "batch_train.py", "command_line.py"}
"""They speak to terminals, whose language is English."""
_OF_THE_PROTOCOL = ("client.py", "frames.py", "knob.py", "layers.py", "look.py", "picture_folder.py", "settings.py")
_SHOWN_BY = {"Status", "SurfaceEvent", "InstallEvent", "wrapped", "_Step"}
_SHOWN_AS = {"text", "title", "message", "confirm_text", "placeholder", "bl_label", "busy", "kept", "idle"}
_SHOWN_TABLES = {"_DOING"}
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_NOT_SHOWN = re.compile(
    r"[A-Z_]+$|Render Result|Base Color|Is Camera Ray|Linear Rec\.709|DeepDream \w+|Dream of \{|Region \{0\}$|Reads \{"
    r"|(layers|single|attribute|image) \{|\{0\} (dreamed|trains|\{1\} trains)|.* met a defect|Bearer|import "
    r"|look at brains|no history|an? \w+ that is none"
)
"""Names of things in the file, and what only logs say."""


def texts() -> list[str]:
    """All that is shown, in the order of the alphabet."""
    found = {*_registered(), *_with_the_addon()}
    for path in _sources():
        found |= set(_in_source(ast.parse(path.read_text("utf-8"))))
    return sorted(text for text in found if _LETTERS.search(re.sub(r"\{\d+(!r)?\}", "", text)))


def _sources() -> Iterator[Path]:
    yield from (path for path in (_PACKAGE / "addon").rglob("*.py") if path.name not in _COMMAND_LINE)
    yield from (_PACKAGE / "protocol" / name for name in _OF_THE_PROTOCOL)


def _registered() -> Iterator[str]:
    """Labels, tooltips and choices of all that the add-on registers."""
    for item in addon.CLASSES:
        yield from (getattr(item, name, "") for name in ("bl_label", "bl_description"))
        yield from itertools.chain(*map(_of_property, typing.get_type_hints(item).values()))


def _of_property(made: object) -> Iterator[str]:
    if not isinstance(made, bpy.props._PropertyDeferred) or "HIDDEN" in made.keywords.get("options", ()):
        return
    yield from (made.keywords.get(name, "") for name in ("name", "description"))
    choices = made.keywords.get("items", ())
    for choice in () if callable(choices) else choices:
        yield from choice[1:3]


def _with_the_addon() -> Iterator[str]:
    """Names of looks, what layers dream, and labels of settings."""
    yield from (looks.shown_name(path) for path in (_PACKAGE / "addon" / "look_files").glob("*.json"))
    for path in (_PACKAGE / "addon" / "brains").glob("*/brain.json"):
        layers = json.loads(path.read_text("utf-8"))["layer_details"]
        yield from (layer["dreams"][:1].upper() + layer["dreams"][1:] for layer in layers if layer.get("dreams"))
    knobs: Iterable[Knob] = (*KNOBS.values(), *Recipe.knobs().values())
    for knob in knobs:
        yield from (knob.label, knob.help)


def _in_source(tree: ast.Module) -> Iterator[str]:
    unshown = {id(part) for node in ast.walk(tree) for part in _unshown(node)}
    shown = {id(part) for node in ast.walk(tree) for part in _shown(node)}
    for node in ast.walk(tree):
        if id(node) in unshown or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        text = _template(node)
        if (id(node) in shown or _is_prose(text)) and not _NOT_SHOWN.match(text):
            yield text.strip(" ,;:")


def _is_prose(text: str) -> bool:
    """Whether it has words with a space between them."""
    return bool(re.search(r"[A-Za-z}][,.:;]? [a-zA-Z{]", text)) and len(_LETTERS.findall(text)) >= 1


def _shown(node: ast.AST) -> Iterator[ast.AST]:
    """Texts that are shown even if they are single words."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        yield from (keyword.value for keyword in node.keywords if keyword.arg in _SHOWN_AS)
        if name in _SHOWN_BY or name.endswith("Error"):
            yield from node.args
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id in _SHOWN_AS:
            yield node.value
        if isinstance(target, ast.Name) and target.id in _SHOWN_TABLES and isinstance(node.value, ast.Dict):
            yield from node.value.values


def _unshown(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, texts of logs, types, and parts of what is one text."""
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    if isinstance(node, ast.Call):
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if owner in {"log", "re", "struct"}:
            yield from ast.walk(node)
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
        yield from ast.walk(node.annotation)


def _template(node: ast.AST) -> str:
    """A text with {0}, {1} where something is put in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    assert isinstance(node, ast.JoinedStr)
    parts, number = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            parts.append(f"{{{number}{'!r' * (part.conversion == ord('r'))}}}")
            number += 1
    return "".join(parts)


def write(found: list[str]) -> None:
    path = languages.FOLDER / languages.TEMPLATE
    path.write_text(json.dumps(dict.fromkeys(found, ""), indent=1, ensure_ascii=False) + "\n", "utf-8")


def missing(found: list[str], language: dict[str, Any]) -> list[str]:
    return [text for text in found if not language.get(text)]


def main() -> None:
    blender_deepdream.register()
    found = texts()
    write(found)
    for locale, language in languages.read().items():
        print(f"{locale}: {len(missing(found, language))} of {len(found)} texts are missing")


if __name__ == "__main__":
    main()
