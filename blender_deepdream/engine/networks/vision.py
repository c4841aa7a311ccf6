# SPDX-License-Identifier: GPL-3.0-or-later
"""Every classification architecture of torchvision as a network for dreaming: GoogLeNet, VGG, ResNet and all others.

Their layers are named as torchvision's modules are: `inception4c`, `layer3.5`, `features.12`. What is listed is what
each block of an architecture hands on, not every step in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.ops import Permute

from ...protocol.errors import BrainFileError, did_you_mean
from ..brain import Layer
from .survey import blocks, smallest_side, spots
from .traced import TracedNetwork, fold_batch_norms, trace

CLASSIFIER = "classifier"
"""The layer that holds the logits: one for each class, for the image as a whole."""

_NO_BALLAST = {"aux_logits": False, "init_weights": False}
"""What GoogLeNet and Inception v3 are told beyond the others. transform_input is off where no weights are named."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of an architecture without weights.

    layers: early to late. smallest: side in pixels of the smallest image that passes through all of it. rows_first:
    layers whose values come as 1xhxwxC.
    """

    layers: tuple[Layer, ...]
    classifier: Layer
    smallest: int
    rows_first: frozenset[str]


def architectures() -> tuple[str, ...]:
    """The names of all of them: "alexnet", "convnext_base", ..."""
    return tuple(models.list_models(module=models))


@functools.lru_cache(maxsize=32)
def describe(architecture: str, classes: int = 1000) -> Description:
    """The layers of an architecture, without weights and their memory.

    Raises BrainFileError for a name that torchvision does not know, or a network that takes images of one size only.
    """
    traced = trace(construct(architecture, classes, torch.device("meta")))
    fold_batch_norms(traced)
    smallest = smallest_side(traced)
    if smallest is None:
        raise BrainFileError(
            f"Networks of architecture {architecture} take images of one size only.",
            "Choose one that is convolutional, like googlenet.",
        )
    found = spots(traced)
    layers = tuple(Layer(path, spot.channels, spot.stride, "") for path, spot in found.items())
    logits = Layer(CLASSIFIER, classes, max(layer.stride for layer in layers), "classes")
    return Description(layers, logits, smallest, frozenset(path for path, spot in found.items() if spot.rows_first))


def build(
    architecture: str,
    state: Mapping[str, Tensor] | None,
    *,
    classes: int = 1000,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> TracedNetwork:
    """An architecture with weights, frozen and ready to dream on `device`.

    state: weights by torchvision's names; those of heads that only training needs are passed over. None: random ones
    from `seed`. Raises BrainFileError for an architecture that torchvision does not know, and weights that are not its.
    """
    model = construct(architecture, classes, torch.device("cpu" if state is None else "meta"))
    if state is None:
        _randomize(model, seed)
    else:
        _take_over(model, state, architecture)
    permutes = any(isinstance(part, Permute) for part in model.modules())
    rows_first = describe(architecture, classes).rows_first if permutes else ()
    places = {path: path for path in blocks(model)} | {CLASSIFIER: ""}
    return TracedNetwork(trace(model), places, rows_first).to(device)


def construct(architecture: str, classes: int, device: torch.device) -> nn.Module:
    """The module as torchvision makes it, without the heads that only training needs. Raises BrainFileError."""
    if architecture not in architectures():
        near = did_you_mean(architecture, architectures()).rstrip()
        hint = near or "torchvision.models.list_models() lists those it has."
        raise BrainFileError(f"torchvision has no architecture {architecture!r}.", hint)
    ballast = _NO_BALLAST if architecture in ("googlenet", "inception_v3") else {}

    def make() -> nn.Module:
        model: nn.Module = models.get_model(architecture, weights=None, num_classes=classes, **ballast)
        return model

    try:
        with device:
            return make()
    except NotImplementedError:  # RegNets calculate their widths with tensors
        return make().to(device)


def _take_over(model: nn.Module, state: Mapping[str, Tensor], architecture: str) -> None:
    """Put weights into a model on the meta device, without copying them."""
    weights = model.state_dict()
    given = {name: tensor for name, tensor in state.items() if not _is_ballast(name)}
    if unknown := given.keys() - weights.keys():
        raise _unfitting(architecture, f"it has no {min(unknown)}")
    for name, tensor in weights.items():
        if name not in given and name.endswith("num_batches_tracked"):
            given[name] = torch.zeros((), dtype=torch.long)
        if name not in given or given[name].shape != tensor.shape:
            there = f"{tuple(given[name].shape)}" if name in given else "missing"
            raise _unfitting(architecture, f"{name} is {there}, not {tuple(tensor.shape)}")
        weights[name] = given[name].to(tensor.dtype)
    model.load_state_dict(weights, assign=True)


def _is_ballast(name: str) -> bool:
    """Whether a weight belongs to the auxiliary heads, which only help training."""
    return name.startswith(("aux1.", "aux2.", "AuxLogits."))


def _unfitting(architecture: str, fault: str) -> BrainFileError:
    return BrainFileError(f"The weights are not those of {architecture}: {fault}.", "Get the brain again.")


def _randomize(model: nn.Module, seed: int) -> None:
    """He initialisation ("Delving Deep into Rectifiers", 2015): signals pass through at their strength."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
