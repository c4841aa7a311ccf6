# SPDX-License-Identifier: GPL-3.0-or-later
"""A brain of a few kilobytes that really dreams: what tests of files and libraries keep, copy and damage."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from blender_deepdream.engine.brain import BrainCard, Layer, Preprocessing

DESCRIPTION: dict[str, Any] = {
    "input": "data",
    "nodes": [
        {
            "name": "conv1",
            "op": "convolution",
            "inputs": ["data"],
            "parameters": {"kernel": [3, 3], "padding": [1, 1], "stride": [2, 2], "channels": 8},
        },
        {"name": "relu1", "op": "relu", "inputs": ["conv1"], "parameters": {}},
        {"name": "logits", "op": "convolution", "inputs": ["relu1"], "parameters": {"kernel": [1, 1], "channels": 3}},
    ],
}


def small_card(name: str = "small", **changes: Any) -> BrainCard:
    facts: dict[str, Any] = {
        "name": name,
        "id": "0" * 64,
        "title": "A small network",
        "licence": "CC0-1.0",
        "layers": (Layer("conv1", 8, 2, "edges"), Layer("relu1", 8, 2, "blots")),
        "default_layers": (("relu1", 1.0),),
        "architecture": "graph",
        "preprocessing": Preprocessing("BGR", 255.0, (104.0, 117.0, 123.0)),
        "classifier": Layer("logits", 3, 2, "classes"),
        "classes": ("circle", "square", "star"),
        "source": "random numbers",
        "recipe": {"seed": 7},
    }
    return BrainCard(**(facts | changes))


def small_tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(7)
    shapes = {"conv1.weight": (8, 3, 3, 3), "conv1.bias": (8,), "logits.weight": (3, 8, 1, 1), "logits.bias": (3,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
