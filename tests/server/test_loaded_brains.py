# SPDX-License-Identifier: GPL-3.0-or-later
"""Which brains stay loaded, and which goes when memory is short."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.lite0 import LITE0_CARD
from blender_deepdream.engine.networks.quick import has_kernels
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.server.loaded_brains import RESERVE_BYTES, LoadedBrains, bytes_of

MIB = 2**20


class Weights(nn.Module):
    """A network that is nothing but so many bytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.empty(size, dtype=torch.uint8))

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        return dict.fromkeys(layers, x)


class Device:
    """Memory of which loaded brains take their part. Each brain is called by its size in MiB."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.loads: list[str] = []
        self.brains = LoadedBrains(self.load, lambda: self.total - self.held)

    @property
    def held(self) -> int:
        return sum(int(name) for name in set(self.loads) if name in self.brains) * MIB

    def load(self, name: str) -> Brain:
        self.loads.append(name)
        return Brain(replace(LITE0_CARD, name=name, id=name), Weights(int(name) * MIB), torch.device("cpu"))

    def get(self, *names: str) -> None:
        for name in names:
            assert self.brains.get(name, name, names).card.name == name


def test_brains_stay_while_there_is_room() -> None:
    device = Device(2 * RESERVE_BYTES)
    for _ in range(3):
        for name in ("1", "2", "3"):
            device.get(name)
    assert device.loads == ["1", "2", "3"]


def test_the_least_recently_used_goes_first() -> None:
    device = Device(RESERVE_BYTES + 7 * MIB)
    for name in ("1", "2", "3", "1"):
        device.get(name)
    device.get("4")
    assert [name for name in ("1", "2", "3", "4") if name in device.brains] == ["1", "4"]
    assert device.total - device.held >= RESERVE_BYTES


def test_what_one_dream_mixes_stays_together() -> None:
    device = Device(RESERVE_BYTES)
    device.get("5")
    device.get("1", "2", "3")
    assert [name for name in ("5", "1", "2", "3") if name in device.brains] == ["1", "2", "3"]


def test_brains_take_no_more_than_they_leave() -> None:
    device = Device(RESERVE_BYTES)
    device.brains = LoadedBrains(device.load, lambda: 8 * MIB)
    device.get("4")
    device.get("3")
    assert "4" not in device.brains, "the reserve is not free"


def test_where_nobody_knows_what_is_free() -> None:
    device = Device(0)
    device.brains = LoadedBrains(device.load, lambda: None)
    for name in ("1", "2"):
        device.get(name)
    assert "1" in device.brains


def test_a_brain_that_was_replaced_is_loaded_anew() -> None:
    device = Device(2 * RESERVE_BYTES)
    device.get("1")
    device.brains.get("1", "another id")
    assert device.loads == ["1", "1"]


def test_a_brain_that_cannot_be_loaded_is_not_there() -> None:
    device = Device(2 * RESERVE_BYTES)
    with pytest.raises(ValueError, match="no number"):
        device.get("no number")
    assert "no number" not in device.brains


def test_its_bytes() -> None:
    assert bytes_of(Device(0).load("3")) == 3 * MIB


def test_its_bytes_with_the_copies_that_it_calculates_with() -> None:
    brain = load_brain()
    fresh = bytes_of(brain)
    seen = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        brain.activations(seen, ["_blocks.15"])
        told = bytes_of(brain)
        brain.activations(seen, ["_blocks.15"])
    if has_kernels(brain.device):
        assert 1.2 * fresh < told < 3 * fresh, "one more layout forwards, one backwards"
    assert bytes_of(brain) == told, "nothing is kept twice"
