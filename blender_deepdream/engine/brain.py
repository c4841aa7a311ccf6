# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain: a network, its preprocessing, its named layers, and where it came from."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..protocol.errors import UnknownLayerError
from ..protocol.messages import BrainInfo
from ..protocol.settings import LayerWeights


@dataclass(frozen=True, slots=True)
class Layer:
    """A named activation. stride: pixels of the image per cell. dreams: a word on what it brings out."""

    name: str
    channels: int
    stride: int
    dreams: str


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From dream space to what the network was trained on: `x * scale + shift`."""

    scale: float
    shift: float

    def __call__(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


@dataclass(frozen=True, slots=True)
class BrainCard:
    """What is known of a brain without its weights.

    id: SHA-256 of the weights file. layers: early to late. default_layers: the mixture that it dreams with when nobody
    says otherwise, the chief one first.
    """

    name: str
    id: str
    title: str
    licence: str
    layers: tuple[Layer, ...]
    default_layers: LayerWeights

    def info(self) -> BrainInfo:
        names = tuple(layer.name for layer in self.layers)
        return BrainInfo(self.name, self.id, self.title, self.licence, names, self.default_layers)

    def layer(self, name: str) -> Layer:
        """Raises UnknownLayerError, which names the layers there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise _unknown_layer(self.name, name, [layer.name for layer in self.layers])


class Brain:
    """A brain ready to dream.

    network: called with a preprocessed 1x3xHxW tensor and layer names, returns those layers' activations by name and
    computes no more than they need. Its parameters must be frozen.
    """

    def __init__(self, card: BrainCard, network: nn.Module, preprocessing: Preprocessing, device: torch.device) -> None:
        self.card = card
        self.network = network.to(device)
        self.preprocessing = preprocessing
        self.device = device

    @property
    def info(self) -> BrainInfo:
        return self.card.info()

    def stride(self, layers: Collection[str]) -> int:
        """Sides of an image given to `activations` must be divisible by this. Raises UnknownLayerError."""
        return max(self.card.layer(name).stride for name in layers)

    def activations(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """What the named layers answer to an image; nothing after the last of them runs.

        x: 1x3xHxW, RGB, dream space (sRGB-encoded, 0 to 1), sides divisible by `stride(layers)`.
        Returns 1xCxhxw by layer name. Raises UnknownLayerError.
        """
        for name in layers:
            self.card.layer(name)
        found: dict[str, Tensor] = self.network(self.preprocessing(x), layers)
        return found


def _unknown_layer(brain: str, name: str, known: Sequence[str]) -> UnknownLayerError:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return UnknownLayerError(f"Brain {brain!r} has no layer {name!r}.", f"{hint}Its layers are: {', '.join(known)}.")
