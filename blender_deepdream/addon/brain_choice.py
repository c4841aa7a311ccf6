# SPDX-License-Identifier: GPL-3.0-or-later
"""Brain and layers of a dream chosen by pictures: choices that read and write the text that is saved and sent.

They are mixed into the settings of nodes, images and surfaces, which have `brain` and `layers`.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..protocol.errors import SettingsError
from ..protocol.layers import format_layers, parse_layers
from .known_brains import KnownBrain, known_brains
from .languages import shown
from .pictures import icon

Item = tuple[str, str, str, int, int]
OWN, MIXTURE = "Brain's own", "Mixture"

_shown: dict[str, list[Item]] = {}
"""Blender keeps no strings of choices that are made as they are drawn: they must live on here."""


def brain_items(settings: bpy.types.PropertyGroup, _context: bpy.types.Context | None) -> list[Item]:
    """One for each known brain, and one for a brain that is named and not known."""
    found = known_brains()
    items = [
        (
            brain.name,
            brain.title,
            shown(f"{brain.name}: {len(brain.details.layers)} layers"),
            icon(brain.portrait),
            number,
        )
        for number, brain in enumerate(found.values())
    ]
    if settings.brain not in found:
        items.append((settings.brain, settings.brain, "Update Brains fetches its pictures", 0, len(items)))
    return _kept("brains", items)


def layer_items(settings: bpy.types.PropertyGroup, _context: bpy.types.Context | None) -> list[Item]:
    """The brain's own choice, each of its layers, and, where several are mixed, the mixture."""
    brain = known_brains().get(settings.brain)
    own = shown(f"Dream {brain.own_choice}") if brain else ""
    items = [(OWN, OWN, own, icon(brain.portrait) if brain else 0, 0)]
    for layer in brain.details.layers if brain else ():
        title = layer.dreams[:1].upper() + layer.dreams[1:] or layer.name
        items.append((layer.name, title, shown(f"Dream {layer.name}"), icon(brain.picture(layer.name)), len(items)))
    if _only_layer(settings) not in {item[0] for item in items}:
        picture = icon(brain.picture(_loudest(settings))) if brain else 0
        items.append((MIXTURE, MIXTURE, settings.layers, picture, len(items)))
    return _kept(f"layers {settings.brain} {settings.layers}", items)


def single_layers(settings: bpy.types.PropertyGroup) -> list[Item]:
    """One for each layer of the brain, and nothing else."""
    alone = [item for item in layer_items(settings, None) if item[0] not in (OWN, MIXTURE)]
    return _kept(f"single {settings.brain}", [(*item[:4], number) for number, item in enumerate(alone)])


def title_of(settings: bpy.types.PropertyGroup, choice: str) -> str:
    """What is written below a picture."""
    items = brain_items(settings, None) if choice == "brain" else layer_items(settings, None)
    number = _brain_number(settings) if choice == "brain" else _layer_number(settings)
    return items[number][0 if choice == "brain" else 1]


def known_brain(settings: bpy.types.PropertyGroup) -> KnownBrain | None:
    return known_brains().get(settings.brain)


def _kept(name: str, items: list[Item]) -> list[Item]:
    """The same strings as long as they say the same: Blender may still hold those of the last drawing."""
    if _shown.get(name) != items:
        _shown[name] = items
    return _shown[name]


def _brain_number(settings: bpy.types.PropertyGroup) -> int:
    return next(item[4] for item in brain_items(settings, None) if item[0] == settings.brain)


def _set_brain(settings: bpy.types.PropertyGroup, number: int) -> None:
    """Another brain has other layers."""
    chosen = brain_items(settings, None)[number][0]
    if chosen != settings.brain:
        settings.brain, settings.layers = chosen, ""


def _layer_number(settings: bpy.types.PropertyGroup) -> int:
    wanted = _only_layer(settings)
    items = layer_items(settings, None)
    return next((item[4] for item in items if item[0] == wanted), items[-1][4])


def _set_layer(settings: bpy.types.PropertyGroup, number: int) -> None:
    chosen = layer_items(settings, None)[number][0]
    if chosen != MIXTURE:
        settings.layers = "" if chosen == OWN else chosen


def _only_layer(settings: bpy.types.PropertyGroup) -> str:
    """The one layer that is named, OWN where none is; a text that says more stands for itself."""
    text = settings.layers.strip()
    return text.removesuffix("=1") or OWN


def _loudest(settings: bpy.types.PropertyGroup) -> str:
    try:
        layers = parse_layers(settings.layers, 0.0)
    except SettingsError:
        return ""
    name = max(layers, key=lambda pair: pair[1])[0] if layers else ""
    return name.partition("::")[2] or name.split(":")[0].split("@")[0]


def mixed(text: str, layer: str, weight: float) -> str:
    """Layers as text, with this one at this weight; 0 takes it out. Raises SettingsError."""
    rest = [pair for pair in parse_layers(text) if pair[0] != layer]
    return format_layers([*rest, (layer, round(weight, 4))] if weight else rest)


CHOICES: dict[str, Any] = {
    "brain_picture": bpy.props.EnumProperty(
        name="Brain",
        description="The network that dreams",
        items=brain_items,
        get=_brain_number,
        set=_set_brain,
        options={"SKIP_SAVE"},
    ),
    "layer_picture": bpy.props.EnumProperty(
        name="Layer",
        description="What the dream is made of: early layers draw lines and cells, late ones things",
        items=layer_items,
        get=_layer_number,
        set=_set_layer,
        options={"SKIP_SAVE"},
    ),
}
