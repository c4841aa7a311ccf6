# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to what it comes to on this server: the object whose hash is the job's id.

It holds all that decides a result, so that the same id means the same bits: the brains' ids, the layers that nobody
named, the engine with what "auto" comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol.atlas import AtlasRequest
from ..protocol.brain_info import BrainInfo
from ..protocol.brains import ImportBrainRequest, PullBrainRequest
from ..protocol.errors import UnknownBrainError, UnknownLayerError
from ..protocol.jobs import JobRequest
from ..protocol.layers import CLASSES, read_choice
from ..protocol.messages import DreamRequest
from ..protocol.surface import SURFACE_VERSION, SurfaceRequest
from ..protocol.wire import canonical_hash


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker says of itself once it is ready.

    fingerprint: all that decides the bits, besides the request and the brain. brains: by name. accelerators: how many
    devices like its own the machine has.
    """

    device: str
    fingerprint: str
    brains: Mapping[str, BrainInfo]
    accelerators: int = 1

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Facts:
        return cls(data["device"], data["fingerprint"], by_name(data["brains"]), data["accelerators"])


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request with its job's id, and the ids of the brains that it needs, by name."""

    id: str
    request: JobRequest
    brains: Mapping[str, str]
    content: Mapping[str, Any]


def resolve(request: JobRequest, facts: Facts) -> Resolved:
    """Raises UnknownBrainError, UnknownLayerError."""
    if isinstance(request, DreamRequest | SurfaceRequest):
        return _resolve_dream(request, facts)
    if isinstance(request, ImportBrainRequest | PullBrainRequest):
        return Resolved(canonical_hash(request.to_json()), request, {}, request.to_json())
    found = {name: brain_called(name, facts.brains) for name in request.brains}
    if isinstance(request, AtlasRequest):
        for layer in request.layers:
            _check_layer(found[request.brain], read_choice(layer).layer)
    return _resolved(request, request.to_json(), found.values(), facts)


def _resolve_dream(request: DreamRequest | SurfaceRequest, facts: Facts) -> Resolved:
    own = brain_called(request.settings.brain, facts.brains)
    layers = request.settings.layers or own.default_layers
    of_regions = (layer for region in request.regions for layer in region.layers)
    choices = [read_choice(name) for name, _ in (*layers, *of_regions)]
    found = {name: brain_called(name, facts.brains) for name in request.brains}
    for choice in choices:
        _check_layer(found[choice.brain or own.name], choice.layer)
    settings = request.settings.replace(layers=layers).to_json()
    version = {"surface": SURFACE_VERSION} if isinstance(request, SurfaceRequest) else {}
    return _resolved(request, request.to_json() | {"settings": settings} | version, found.values(), facts)


def _resolved(request: JobRequest, content: Mapping[str, Any], brains: Iterable[BrainInfo], facts: Facts) -> Resolved:
    """content: the request with what it left open. brains: those that the result depends on."""
    ids = {brain.name: brain.id for brain in brains}
    whole = {**content, "brains": ids, "engine": facts.fingerprint}
    return Resolved(canonical_hash(whole), request, ids, whole)


def by_name(brains: Iterable[Mapping[str, Any]]) -> dict[str, BrainInfo]:
    """Brains as the worker lists them."""
    return {brain.name: brain for brain in map(BrainInfo.from_json, brains)}


def brain_called(name: str, brains: Mapping[str, BrainInfo]) -> BrainInfo:
    """Raises UnknownBrainError."""
    brain = brains.get(name)
    if brain is None:
        raise UnknownBrainError(f"There is no brain {name[:200]!r}.", f"This server has: {', '.join(brains)}.")
    return brain


def _check_layer(brain: BrainInfo, layer: str) -> None:
    if layer not in (CLASSES, *brain.layers):
        raise UnknownLayerError(
            f"Brain {brain.name} has no layer {layer!r}.", f"Its layers are: {', '.join(brain.layers)}."
        )
