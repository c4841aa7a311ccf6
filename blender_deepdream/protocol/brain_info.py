# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain's description as it crosses the wire: short in lists, whole where one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .layers import LayerWeights
from .wire import check_hash


@dataclass(frozen=True, slots=True)
class BrainInfo:
    """A brain as a list shows it. id: SHA-256 of its file, of `size` bytes. source: where it came from.

    layers: names from early to late. default_layers: the mixture that dreams when none is asked for.
    """

    name: str
    id: str
    title: str
    licence: str
    layers: tuple[str, ...]
    default_layers: LayerWeights
    source: str = ""
    size: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": self.id,
            "title": self.title,
            "licence": self.licence,
            "layers": list(self.layers),
            "default_layers": [list(layer) for layer in self.default_layers],
            "source": self.source,
            "size": self.size,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainInfo:
        return cls(
            name=str(data["name"]),
            id=check_hash(data["id"]),
            title=str(data["title"]),
            licence=str(data["licence"]),
            layers=tuple(map(str, data["layers"])),
            default_layers=tuple((str(name), float(weight)) for name, weight in data["default_layers"]),
            source=str(data.get("source", "")),
            size=int(data.get("size", 0)),
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a brain. stride: pixels of the image per cell. dreams: a word on what it brings out."""

    name: str
    channels: int
    stride: int
    dreams: str

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layer:
        return cls(str(data["name"]), int(data["channels"]), int(data["stride"]), str(data["dreams"]))


@dataclass(frozen=True, slots=True)
class BrainDetails:
    """All that is known of a brain: what a list shows, each of its layers, the classes that it tells apart.

    classes: in the order of its logits; empty if it has no classifier or nobody named them. recipe: how it was
    trained, if it was trained here.
    """

    info: BrainInfo
    architecture: str
    layers: tuple[Layer, ...]
    classes: tuple[str, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return self.info.to_json() | {
            "architecture": self.architecture,
            "layer_details": [layer.to_json() for layer in self.layers],
            "classes": list(self.classes),
            "recipe": dict(self.recipe),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrainDetails:
        return cls(
            info=BrainInfo.from_json(data),
            architecture=str(data["architecture"]),
            layers=tuple(map(Layer.from_json, data["layer_details"])),
            classes=tuple(map(str, data["classes"])),
            recipe=dict(data["recipe"]),
        )
