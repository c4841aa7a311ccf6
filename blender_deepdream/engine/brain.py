# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain: a network, its preprocessing, its named layers, and where it came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from ..protocol.brain_info import BrainDetails, BrainInfo, Layer
from ..protocol.errors import UnknownLayerError, did_you_mean
from ..protocol.layers import LayerWeights

__all__ = ["Brain", "BrainCard", "Layer", "Network", "Preprocessing"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From dream space to what the network was trained on: `(x * range - mean) / std`, channel by channel.

    order: of the network's channels; mean and std are given in it. range: what dream space's 1 is to the network.
    """

    order: Literal["RGB", "BGR"] = "RGB"
    range: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __call__(self, x: Tensor) -> Tensor:
        ordered = x.flip(1) if self.order == "BGR" else x
        scale = x.new_tensor([self.range / std for std in self.std]).view(1, 3, 1, 1)
        shift = x.new_tensor([-mean / std for mean, std in zip(self.mean, self.std, strict=True)]).view(1, 3, 1, 1)
        return torch.addcmul(shift, ordered, scale)


@dataclass(frozen=True, slots=True)
class BrainCard:
    """What is known of a brain without its weights.

    id: SHA-256 of its file. layers: early to late. default_layers: the mixture that it dreams with when nobody
    says otherwise, the chief one first. architecture: which of `networks` it is. smallest: side in pixels of the
    smallest image that the network takes. classifier: the layer whose channels are the logits of `classes`, if any.
    source: where the weights came from. recipe: how it was trained, if it was trained here. size: of its file in bytes.
    """

    name: str
    id: str
    title: str
    licence: str
    layers: tuple[Layer, ...]
    default_layers: LayerWeights
    architecture: str
    preprocessing: Preprocessing
    smallest: int = 1
    classifier: Layer | None = None
    classes: tuple[str, ...] = ()
    source: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0

    def info(self) -> BrainInfo:
        names = tuple(layer.name for layer in self.layers)
        return BrainInfo(
            self.name, self.id, self.title, self.licence, names, self.default_layers, self.source, self.size
        )

    def details(self) -> BrainDetails:
        return BrainDetails(self.info(), self.architecture, self.layers, self.classes, self.recipe)

    @property
    def every_layer(self) -> tuple[Layer, ...]:
        """The layers, early to late, and the classifier."""
        return self.layers if self.classifier is None else (*self.layers, self.classifier)

    def layer(self, name: str) -> Layer:
        """A layer, the classifier among them. Raises UnknownLayerError, which names the layers there are."""
        for layer in self.every_layer:
            if layer.name == name:
                return layer
        raise _unknown_layer(self.name, name, [layer.name for layer in self.layers])


class Network(Protocol):
    """What `networks` are: their parameters are frozen.

    Called with a preprocessed 1x3xHxW tensor and layer names; returns those layers' activations by name (1xCxhxw, the
    classifier's logits too) and computes no more than they need.
    """

    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]: ...


class Brain:
    """A brain ready to dream. network: on this device already. precision: in which it calculates."""

    precision = torch.float32

    def __init__(self, card: BrainCard, network: Network, device: torch.device) -> None:
        self.card = card
        self.network = network
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
        Returns 1xCxhxw by layer name, float32 whatever the precision. Raises UnknownLayerError.
        """
        for name in layers:
            self.card.layer(name)
        # laid out last: to turn pixels around takes longer than to calculate with them
        seen = self.card.preprocessing(x).to(self.precision).contiguous(memory_format=torch.channels_last)
        found = self.network(seen, layers)
        return {name: value.float() for name, value in found.items()}


def _unknown_layer(brain: str, name: str, known: Sequence[str]) -> UnknownLayerError:
    hint = f"{did_you_mean(name, known)}Its layers are: {', '.join(known)}."
    return UnknownLayerError(f"Brain {brain!r} has no layer {name!r}.", hint)
