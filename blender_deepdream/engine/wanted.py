# SPDX-License-Identifier: GPL-3.0-or-later
"""From settings to the objective of a dream: layers, channels, weights, and the guide as a brain sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ..protocol.errors import UnknownLayerError
from ..protocol.settings import DreamSettings, check_guide, split_channels
from . import dreamspace, objectives
from .brain import Brain
from .images import Image
from .memory import memory_errors
from .objectives import Objective
from .octaves import Size, resize_picture

GUIDE_SIDE = 384
"""Longer side in pixels at which a guide is looked at: some things in it, and few enough positions to compare with."""


def objective_of(settings: DreamSettings, brain: Brain, guide: Image | None) -> Objective:
    """What these settings maximise, each weight a share of the whole.

    guide: any size and colour space, as `dreamspace.enter` takes it. Raises UnknownLayerError for layers and channels
    that the brain has not, SettingsError for a guide that is missing or of no use, or weights that are all 0.
    """
    check_guide(settings, guide is not None)
    chosen = [(*split_channels(name), weight) for name, weight in settings.layers or brain.card.default_layers]
    for layer, channels, _ in chosen:
        _check_channels(brain, layer, channels)
    features = {} if guide is None else look_at(guide, brain, {layer for layer, _, _ in chosen})
    terms = (weight * _term(settings.objective, layer, channels, features) for layer, channels, weight in chosen)
    return Objective(tuple(term for one in terms for term in one.terms)).shares()


def look_at(guide: Image, brain: Brain, layers: Collection[str]) -> dict[str, Tensor]:
    """What a brain's layers answer to a guide: 1xCxhxw by layer name."""
    with memory_errors(), torch.no_grad():
        seen = dreamspace.enter(guide, 0.0, brain.device)
        stride = brain.stride(layers)
        scale = GUIDE_SIDE / max(guide.height, guide.width)
        # stretched to whole cells rather than padded: what pads it would be a part of the guide
        cells = (
            max(-(-brain.card.smallest // stride), round(side * scale / stride)) for side in guide.pixels.shape[:2]
        )
        size = Size(*(count * stride for count in cells))
        return brain.activations(resize_picture(seen, size), layers)


def _term(kind: str, layer: str, channels: Sequence[int], features: dict[str, Tensor]) -> Objective:
    if kind == "guide-dot":
        return objectives.guide_dot(layer, features[layer], channels)
    if kind == "guide-cosine":
        return objectives.guide_cosine(layer, features[layer], channels)
    return objectives.mean(layer, channels) if kind == "mean" else objectives.l2(layer, channels)


def _check_channels(brain: Brain, layer: str, channels: Sequence[int]) -> None:
    count = brain.card.layer(layer).channels
    for channel in channels:
        if channel >= count:
            raise UnknownLayerError(
                f"Layer {layer!r} of brain {brain.card.name!r} has no channel {channel}.",
                f"It has {count} channels: 0 to {count - 1}.",
            )
