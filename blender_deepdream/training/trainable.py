# SPDX-License-Identifier: GPL-3.0-or-later
"""From a brain to a network that learns, with a new head for other classes; and back to what a brain's file holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeGuard

import torch
from torch import Tensor, nn

from ..engine.brain import BrainCard, Layer
from ..engine.brain_file import Contents
from ..engine.networks import architectures, graph
from ..protocol.errors import BrainFileError, SettingsError
from ..protocol.recipe import ALL_LAYERS, HEAD_ONLY, Recipe
from .forms import Form, graph_form, lite0_form, vision_form

SMALL_BATCH = 16
"""Pictures: statistics of fewer are worse than those that the base brain has already."""
HEAD_DEVIATION = 0.01


class Trainable(nn.Module):
    """From images in dream space to logits. card: of the brain that it becomes, without layers to dream by default."""

    def __init__(self, form: Form, card: BrainCard) -> None:
        super().__init__()
        self.network = form.network
        self.card = card
        self.description = form.description
        self.quick_in_half = bool(getattr(form.network, "quick_in_half", False))
        self._form = form
        self._frozen_norms: list[nn.Module] = []
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Nx3xSxS, RGB, sRGB-encoded, 0 to 1, to logits, Nxclasses."""
        logits: Tensor = self.network(self.card.preprocessing(images).contiguous(memory_format=torch.channels_last))
        return logits

    def is_head(self, name: str) -> bool:
        """Whether a parameter is the head's. name: as in `named_parameters`."""
        return name.removeprefix("network.") in self._form.head

    def learn(self) -> None:
        """Into the state for learning: statistics that stay as they are do not learn."""
        self.train()
        for norm in self._frozen_norms:
            norm.eval()

    def choose(self, trains: str, *, frozen_norm: bool) -> None:
        """Say what learns: all, the head, or a layer and those after it. Raises UnknownLayerError."""
        wanted = self._wanted(trains)
        for name, weight in self.named_parameters():
            weight.requires_grad_(wanted(name.removeprefix("network.")))
        norms = {path: part for path, part in self.network.named_modules() if _is_norm(part)}
        self._frozen_norms = [part for path, part in norms.items() if frozen_norm or not wanted(f"{path}.")]

    def tensors(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a brain's file holds, from a state of this network."""
        plain = {name.removeprefix("network."): tensor for name, tensor in state.items()}
        return {self._form.names.get(name, name): tensor for name, tensor in plain.items()}

    @torch.no_grad()
    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """The weights of a brain's file that `tensors` gave."""
        own = {name: tensor for name, tensor in self.state_dict().items() if tensor.is_floating_point()}
        for name, tensor in self.tensors(own).items():
            tensor.copy_(tensors[name])

    def _wanted(self, trains: str) -> Callable[[str], bool]:
        """Whether the parameter of a name, or what lies in the module of a path, learns."""
        if trains == ALL_LAYERS:
            return lambda _: True
        if trains == HEAD_ONLY:
            return lambda name: name in self._form.head
        place = self._form.places[self.card.layer(trains).name] if trains != self._classifier else ""
        paths = [path for path, _ in self.network.named_modules() if path]
        first = next((index for index, path in enumerate(paths) if f"{path}.".startswith(f"{place}.")), len(paths))
        late = tuple(f"{path}." for path in paths[first:])
        return lambda name: name in self._form.head or name.startswith(late)

    @property
    def _classifier(self) -> str:
        return self.card.classifier.name if self.card.classifier else ""


def trainable(base: Contents, classes: tuple[str, ...], recipe: Recipe, workers: int = 1) -> Trainable:
    """The base brain's network with a head for these classes, on the CPU; what learns is chosen.

    workers: processes that share a batch. Raises BrainFileError for a base without logits, SettingsError for a recipe
    that does not go with the base, UnknownLayerError.
    """
    _check(base.card, recipe)
    _check_batch(recipe, workers)
    form = _form(base, len(classes))
    with torch.no_grad():
        _initialize(form, torch.Generator().manual_seed(recipe.seed), scratch=recipe.scratch)
    made = Trainable(form, _card(base.card, classes))
    made.choose(recipe.trains, frozen_norm=_freezes_norms(recipe, workers))
    return made


def _form(base: Contents, classes: int) -> Form:
    architecture = base.card.architecture
    if architecture == architectures.LITE0:
        return lite0_form(base.tensors, classes)
    if architecture.startswith(architectures.TORCHVISION):
        return vision_form(architecture.removeprefix(architectures.TORCHVISION), base.tensors, classes)
    if architecture == graph.ARCHITECTURE:
        return graph_form(base, classes)
    raise BrainFileError(f"This version cannot train the architecture {architecture[:80]!r}.", "Update the program.")


def _check(card: BrainCard, recipe: Recipe) -> None:
    if card.classifier is None:
        raise BrainFileError(
            f"Brain {card.name!r} has no logits, so it cannot learn to tell classes apart.",
            "Choose another base brain, such as lite0.",
        )
    if recipe.side < card.smallest:
        raise SettingsError(
            f"side = {recipe.side} is too small for brain {card.name!r}.", f"Choose {card.smallest} px or more."
        )
    if recipe.scratch and recipe.trains != ALL_LAYERS:
        raise SettingsError("From scratch there is nothing that need not learn.", "Set trains = all.")


def _check_batch(recipe: Recipe, workers: int) -> None:
    """Raises SettingsError for batches that do not go round, or of which there are no statistics."""
    least = recipe.batch // (workers * recipe.accumulate)
    if recipe.batch < workers:
        raise SettingsError(f"batch = {recipe.batch} is too small for {workers} processes.", f"Set batch = {workers}.")
    if least < 2 and not _freezes_norms(recipe, workers):
        raise SettingsError("There are no statistics of single pictures.", "Set a larger batch, or frozen_norm = yes.")


def _freezes_norms(recipe: Recipe, workers: int) -> bool:
    small = recipe.batch / (recipe.accumulate * workers) < SMALL_BATCH
    return recipe.frozen_norm == "yes" or (recipe.frozen_norm == "auto" and small and not recipe.scratch)


def _initialize(form: Form, generator: torch.Generator, *, scratch: bool) -> None:
    """Small random weights for the head; from scratch for all (He et al., "Delving Deep into Rectifiers", 2015)."""
    for name, weight in form.network.named_parameters():
        if name in form.head:
            nn.init.zeros_(weight) if weight.ndim < 2 else nn.init.normal_(
                weight, 0, HEAD_DEVIATION, generator=generator
            )
        elif scratch and weight.ndim >= 2:
            # what each value of the result is summed from: right for depthwise convolutions, too
            nn.init.normal_(weight, 0, math.sqrt(2 / weight[0].numel()), generator=generator)
        elif scratch:
            nn.init.zeros_(weight)
    for part in form.network.modules() if scratch else ():
        if _is_norm(part):
            part.reset_parameters()


def _card(base: BrainCard, classes: tuple[str, ...]) -> BrainCard:
    """The base's, with other classes. What its layers dream now, nobody has seen yet."""
    assert base.classifier is not None
    layers = tuple(Layer(layer.name, layer.channels, layer.stride, "") for layer in base.layers)
    return replace(
        base,
        id="",
        layers=layers,
        classifier=replace(base.classifier, channels=len(classes), dreams="its own classes"),
        classes=classes,
        size=0,
    )


def _is_norm(part: nn.Module) -> TypeGuard[nn.modules.batchnorm._BatchNorm]:
    return isinstance(part, nn.modules.batchnorm._BatchNorm)
