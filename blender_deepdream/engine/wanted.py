# SPDX-License-Identifier: GPL-3.0-or-later
"""From settings to the objective of a dream: layers, channels, classes, weights, and the guide as a brain sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from ..protocol.errors import SettingsError, UnknownBrainError, UnknownLayerError
from ..protocol.layers import CLASSES, LayerChoice, read_choice
from ..protocol.settings import DreamSettings, check_direction, check_guide
from . import dreamspace, objectives
from .brain import Brain
from .classes import find_classes
from .images import Image
from .memory import memory_errors
from .objectives import Objective
from .octaves import Size, resize_picture
from .precision import in_precision

GUIDE_SIDE = 384
"""Longer side in pixels at which a guide is looked at: some things in it, and few enough positions to compare with."""

Load = Callable[[str], Brain]
"""Finds a brain by name. Raises UnknownBrainError."""


def no_other_brain(name: str) -> Brain:
    """The `Load` of those who have one brain only."""
    raise UnknownBrainError(f"These layers need brain {name!r} as well, and it is not at hand.", "Give it along.")


def chosen_layers(settings: DreamSettings, brain: Brain) -> list[tuple[LayerChoice, float]]:
    """What the settings choose, or the brain's own choice; without the name of the settings' own brain."""
    chosen = ((read_choice(name), weight) for name, weight in settings.layers or brain.card.default_layers)
    own = ("", settings.brain)
    return [(replace(choice, brain="") if choice.brain in own else choice, weight) for choice, weight in chosen]


def brains_of(wishes: Sequence[DreamSettings], brain: Brain, load: Load) -> dict[str, Brain]:
    """The brains that an image and its regions dream with, the settings' own as "", in the precision of the image.

    wishes: the image's settings, then its regions'. Raises UnknownBrainError; SettingsError where the precision does
    not work.
    """
    names = {choice.brain for settings in wishes for choice, _ in chosen_layers(settings, brain)}
    brains = {"": brain} | {name: load(name) for name in sorted(names - {""})}
    return {name: in_precision(known, wishes[0].precision) for name, known in brains.items()}


def objective_of(settings: DreamSettings, guide: Image | None, brains: Mapping[str, Brain], octaves: int) -> Objective:
    """What these settings maximise, each weight a share of the whole.

    brains: as `brains_of` finds them. guide: any size and colour space, as `dreamspace.enter` takes it. octaves: how
    many there are. Raises UnknownLayerError for layers, channels and classes that a brain has not, SettingsError for a
    guide that is missing, a direction without channels, octaves that are not there, or weights that are all 0.
    """
    # one that is given for the regions' sake is of no use here
    guide = guide if settings.needs_guide else None
    check_guide(settings, guide is not None)
    check_direction(settings)
    wanted = Objective(())
    chosen = chosen_layers(settings, brains[""])
    features = {} if guide is None else _features(guide, brains, [choice for choice, _ in chosen])
    for choice, weight in chosen:
        if choice.octaves.first > octaves:
            raise SettingsError(
                f"Layer {str(choice)!r} never dreams: this image has {octaves} octaves.",
                f"Octaves count from 1, the smallest, to {octaves}; a larger image or octave scale has more.",
            )
        (term,) = _term(settings, choice, brains[choice.brain], features).terms
        wanted += Objective((replace(term, weight=weight, brain=choice.brain, octaves=choice.octaves),))
    return wanted.shares()


class Wished(Protocol):
    """A region, of an image or of surfaces: what it dreams of, and its guide if its objective needs one."""

    @property
    def settings(self) -> DreamSettings: ...
    @property
    def guide(self) -> Image | None: ...


def all_objectives(
    settings: DreamSettings, guide: Image | None, regions: Sequence[Wished], brain: Brain, load: Load, octaves: int
) -> tuple[dict[str, Brain], list[Objective]]:
    """The brains of a whole and its regions, as `brains_of` finds them; what the whole maximises, then what each region
    does. Raises as `brains_of` and `objective_of` do."""
    wishes = [(settings, guide), *((region.settings, region.guide) for region in regions)]
    brains = brains_of([wanted for wanted, _ in wishes], brain, load)
    return brains, [objective_of(*wish, brains, octaves) for wish in wishes]


def look_at(guide: Image, brain: Brain, layers: Collection[str]) -> dict[str, Tensor]:
    """What a brain's layers answer to a guide: 1xCxhxw by layer name."""
    with memory_errors(), torch.no_grad():
        seen = dreamspace.enter(guide, 0.0, brain.device)
        stride = brain.stride(layers)
        scale = GUIDE_SIDE / max(guide.height, guide.width)
        # stretched to whole cells rather than padded: what pads it would be a part of the guide
        cells = (max(-(-brain.card.smallest // stride), round(side * scale / stride)) for side in guide.size)
        size = Size(*(count * stride for count in cells))
        return brain.activations(resize_picture(seen, size), layers)


Features = Mapping[tuple[str, str], Tensor]
"""What a guide's layers answer, by brain and layer."""


def _features(guide: Image, brains: Mapping[str, Brain], choices: Collection[LayerChoice]) -> Features:
    layers = {(choice.brain, choice.layer) for choice in choices if choice.layer != CLASSES}
    found: dict[tuple[str, str], Tensor] = {}
    for name, brain in brains.items():
        own = {layer for owner, layer in layers if owner == name}
        seen = look_at(guide, brain, own) if own else {}
        found |= {(name, layer): answer for layer, answer in seen.items()}
    return found


def _term(settings: DreamSettings, choice: LayerChoice, brain: Brain, features: Features) -> Objective:
    """What the settings want of one choice, at weight 1."""
    kind, power, layer = settings.objective, settings.cosine_power, choice.layer
    if layer == CLASSES:
        return objectives.mean(*find_classes(brain.card, choice.classes))
    channels = [channel for channel, _ in choice.channels]
    _check_channels(brain, layer, channels)
    if kind == "direction":
        return objectives.direction(layer, choice.channels, power)
    if kind == "guide-dot":
        return objectives.guide_dot(layer, features[choice.brain, layer], channels)
    if kind == "guide-cosine":
        return objectives.guide_cosine(layer, features[choice.brain, layer], channels, power)
    return objectives.mean(layer, channels) if kind == "mean" else objectives.l2(layer, channels)


def _check_channels(brain: Brain, layer: str, channels: Collection[int]) -> None:
    count = brain.card.layer(layer).channels
    for channel in channels:
        if channel >= count:
            raise UnknownLayerError(
                f"Layer {layer!r} of brain {brain.card.name!r} has no channel {channel}.",
                f"It has {count} channels: 0 to {count - 1}.",
            )
