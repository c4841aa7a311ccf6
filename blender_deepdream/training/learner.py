# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of learning, and all that changes in it: weights, momentum, and the weights' average."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from ..engine.memory import memory_errors
from ..engine.precision import TYPES, automatic, halves_of
from ..protocol.errors import OutOfMemoryError, SettingsError
from ..protocol.recipe import Recipe
from .averaging import Average, state_of
from .clarity import perturbed, radius_of, random_start
from .distributed import Group
from .schedule import optimizer_of, set_rate
from .trainable import Trainable
from .training_data import Batch

_WEIGHTS, _AVERAGE, _MOMENTUM, _SCALE = "weights/", "average/", "momentum/", "scale"


class Learnt(NamedTuple):
    """What a step saw: mean loss and accuracy of its batch, of all processes."""

    loss: float
    accuracy: float


class Diverged(Exception):
    """The loss, or what was learned, is no number any more."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is made: its place in the training decides its random numbers. epoch, number: from 0. rate: the
    head's. clarity: by now."""

    epoch: int
    number: int
    rate: float
    clarity: float

    def seed(self, of: int) -> int:
        """A number for this moment of a training with that seed, unlike those of all others."""
        return int(np.random.SeedSequence([of, self.epoch, self.number]).generate_state(1, np.uint64)[0])


class Learner:
    """A network while it learns. trainable: on the device that it learns on."""

    def __init__(self, trainable: Trainable, recipe: Recipe, group: Group) -> None:
        self.trainable = trainable
        self.average = Average(trainable, recipe.average)
        self.step = 0
        """Steps that were made."""
        self._recipe = recipe
        self._group = group
        self.device = next(trainable.parameters()).device
        self._parallel = group.parallel(trainable)
        self._optimizer = optimizer_of(trainable, recipe)
        self._precision = TYPES[precision_of(recipe, trainable)]
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self._precision == torch.float16)

    def learn(self, batch: Batch, moment: Moment) -> Learnt:
        """Make a step. batch: this process's share. Raises Diverged where the loss is no number, OutOfMemoryError."""
        try:
            with memory_errors():
                return self._learn(batch, moment)
        except OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"There is too little memory to learn from {self._recipe.batch} pictures of {self._recipe.side} px.",
                f"Set accumulate to {2 * self._recipe.accumulate}, or a smaller batch or side, or close programs.",
            ) from error

    def _learn(self, batch: Batch, moment: Moment) -> Learnt:
        seen = self._group.sum(torch.tensor([float(len(batch.labels))], device=self.device)).item()
        set_rate(self._optimizer, moment.rate)
        self._optimizer.zero_grad()
        told = torch.zeros(2, device=self.device)
        radius = radius_of(moment.clarity, self._recipe.side)
        parts = self._parts(batch, moment, radius, int(seen))
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(moment.seed(self._recipe.seed))  # for networks that drop some of what they see
            for number, (part, start) in enumerate(parts, 1):
                with self._only_last(number == len(parts)):
                    told += self._work_on(part, start, radius, seen / self._group.world)
        loss, right = (self._group.sum(told) / seen).tolist()
        if not math.isfinite(loss):
            raise Diverged
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self.step += 1
        self.average.add(self.trainable, self.step)
        return Learnt(loss, right)

    @property
    def is_finite(self) -> bool:
        """Whether all that was learned is numbers."""
        return all(bool(tensor.isfinite().all()) for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """All that a later process needs to go on, by name."""
        found = {_WEIGHTS + name: tensor for name, tensor in state_of(self.trainable).items()}
        found |= {_AVERAGE + name: tensor for name, tensor in state_of(self.average.network).items()}
        found |= {_MOMENTUM + name: buffer for name, buffer in self._momentum()}
        scale = self._scaler.state_dict()
        return found | ({_SCALE: torch.tensor([scale["scale"], scale["_growth_tracker"]])} if scale else {})

    def restore(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Go back, or on, to what `tensors` gave after a step. Raises KeyError, RuntimeError for those of others."""
        self.step = step
        with torch.no_grad():
            for prefix, network in ((_WEIGHTS, self.trainable), (_AVERAGE, self.average.network)):
                for name, tensor in state_of(network).items():
                    tensor.copy_(tensors[prefix + name])
        self._optimizer.state.clear()
        for name, weight in self.trainable.named_parameters():
            if _MOMENTUM + name in tensors:
                buffer = tensors[_MOMENTUM + name].to(weight.device, memory_format=torch.preserve_format)
                self._optimizer.state[weight]["momentum_buffer"] = torch.empty_like(weight).copy_(buffer).detach()
        if _SCALE in tensors and self._scaler.is_enabled():
            scale, tracker = tensors[_SCALE].tolist()
            self._scaler.load_state_dict(self._scaler.state_dict() | {"scale": scale, "_growth_tracker": int(tracker)})

    def _work_on(self, part: Batch, start: Tensor | None, radius: float, whole: float) -> Tensor:
        """Add a part's gradients to the weights'. whole: pictures of which the loss is the mean. Returns the sums of
        losses and of right answers."""
        images = part.images if start is None else self._attacked(part, start, radius)
        self.trainable.learn()
        with self._autocast():
            logits = self._parallel(images)
        losses = functional.cross_entropy(
            logits.float(), part.labels, reduction="sum", label_smoothing=self._recipe.label_smoothing
        )
        self._scaler.scale(losses / whole).backward()  # type: ignore[no-untyped-call]
        return torch.stack([losses.detach(), logits.argmax(1).eq(part.labels).sum()])

    def _attacked(self, part: Batch, start: Tensor, radius: float) -> Tensor:
        self.trainable.eval()
        with self._autocast():
            return perturbed(self.trainable, part.images, part.labels, radius, self._recipe.attack_steps, start)

    def _parts(self, batch: Batch, moment: Moment, radius: float, of: int) -> list[tuple[Batch, Tensor | None]]:
        """A batch in even parts, each with where its perturbations start. of: pictures in all processes' batches
        together, each of which gets the same start whoever works on it."""
        count = max(1, min(self._recipe.accumulate, len(batch.labels)))
        parts = list(map(Batch, batch.images.tensor_split(count), batch.labels.tensor_split(count)))
        if not radius:
            return [(part, None) for part in parts]
        generator = torch.Generator(self.device).manual_seed(moment.seed(self._recipe.seed))
        shape = torch.Size((of, *batch.images.shape[1:]))
        starts = random_start(shape, radius, generator)
        return list(zip(parts, starts[self._group.share.of(of)].tensor_split(count), strict=True))

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        half = self._precision != torch.float32
        return torch.autocast(self.device.type, self._precision) if half else contextlib.nullcontext()

    def _only_last(self, last: bool) -> contextlib.AbstractContextManager[object]:
        """Processes exchange their gradients once in a step."""
        parallel = self._parallel
        waits = isinstance(parallel, DistributedDataParallel) and not last
        return parallel.no_sync() if waits else contextlib.nullcontext()  # type: ignore[operator]  # it has it then

    def _momentum(self) -> Iterator[tuple[str, Tensor]]:
        for name, weight in self.trainable.named_parameters():
            buffer = self._optimizer.state.get(weight, {}).get("momentum_buffer")
            if buffer is not None:
                yield name, buffer


def precision_of(recipe: Recipe, network: Trainable) -> str:
    """In which a network learns where it is: auto is bfloat16 wherever that is quicker.

    On CPUs it is slower by a third but for networks made for it: backward passes of grouped convolutions are slow in
    half precision. Raises SettingsError for one that the device cannot.
    """
    device = next(network.parameters()).device
    if recipe.precision == "auto":
        return automatic(device) if device.type == "cuda" or network.quick_in_half else "float32"
    if recipe.precision not in ("float32", *halves_of(device)):
        able = ", ".join(("auto", "float32", *halves_of(device)))
        raise SettingsError(f"precision = {recipe.precision} does not work on this device.", f"Choose {able}.")
    return recipe.precision
