# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes that train one brain: each works on its share of every batch, and all take the same steps.

As `torchrun` starts them; gradients are averaged by torch's DistributedDataParallel.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from .training_data import Share

PATIENCE = timedelta(days=1)
"""How long processes wait for the first one, which decodes pictures and measures alone. One that ends, ends the others'
wait: torchrun ends them all."""

Told = TypeVar("Told")
Value = TypeVar("Value")


class Group:
    """The processes of a training. rank: this one's number; the first one writes and speaks. world: how many."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.share = Share(rank, world)

    @property
    def leads(self) -> bool:
        return self.share.rank == 0

    @property
    def world(self) -> int:
        return self.share.world

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module, whose backward pass averages the gradients of all processes."""
        device = next(module.parameters()).device
        if self.world == 1:
            return module
        return DistributedDataParallel(module, device_ids=[device.index] if device.type == "cuda" else None)

    def sum(self, values: Tensor) -> Tensor:
        """Of all processes' values, in each of them."""
        if self.world > 1:
            distributed.all_reduce(values)
        return values

    def from_leader(self, find: Callable[[], Value]) -> Value:
        """What the first process finds, in all of them. An error of its own ends it, and with it the others' wait."""
        return self._spread(find() if self.leads else None)

    def steps_of_leader(self, steps: Generator[Told, None, Value]) -> Generator[Told, None, Value]:
        """What the first process's steps come to, in all processes: the others take none, and wait."""
        return self._spread((yield from steps) if self.leads else None)

    def tensors_from_leader(self, tensors: Mapping[str, Tensor]) -> None:
        """Have the first process's tensors, in place."""
        for tensor in tensors.values() if self.world > 1 else ():
            distributed.broadcast(tensor, 0)

    def _spread(self, value: Value | None) -> Value:
        found = [value]
        if self.world > 1:
            distributed.broadcast_object_list(found)
        return found[0]  # type: ignore[return-value]  # it is the leader's


ALONE = Group()


@contextlib.contextmanager
def group_of_torchrun(device: str) -> Iterator[tuple[Group, torch.device]]:
    """The group that this process was started in, and its own device. device: cpu, cuda or another kind of device."""
    rank, world, local = (int(os.environ.get(name, default)) for name, default in _VARIABLES.items())
    own = torch.device(device, local) if device == "cuda" else torch.device(device)
    if world == 1:
        yield ALONE, own
        return
    if own.type == "cuda":
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if own.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Group(rank, world), own
    finally:
        distributed.destroy_process_group()


_VARIABLES = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
