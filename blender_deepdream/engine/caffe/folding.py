# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch norm and scale, folded into the convolutions before them: the same numbers in half the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..networks.graph import Graph, Node, tensor_name
from ..networks.operations import Affine, Convolution, Deconvolution

Tensors = dict[str, Tensor]


def fold(graph: Graph, tensors: Mapping[str, Tensor], keep: Collection[str]) -> tuple[Graph, Tensors]:
    """What the kept nodes need, each affine node made one with the convolution or affine node that it alone follows.

    The pair has the second one's name; a node in `keep` stays what it is.
    """
    needed = graph.needed(keep)
    users = Counter(name for node in needed for name in node.inputs)
    nodes: dict[str, Node] = {}
    kept: Tensors = {}
    for node in needed:
        kept |= _tensors(node, tensors)
        before = nodes.get(node.inputs[0])
        if before and isinstance(node.operation, Affine) and users[before.name] == 1 and before.name not in keep:
            folded = _folded(before, node, kept)
            if folded:
                del nodes[before.name]
                node = folded  # noqa: PLW2901 - what follows finds the pair where it looks for the second one
        nodes[node.name] = node
    return Graph(graph.input, tuple(nodes.values())), kept


def _tensors(node: Node, tensors: Mapping[str, Tensor]) -> Tensors:
    names = (tensor_name(node.name, weight) for weight in ("weight", "bias"))
    return {name: tensors[name] for name in names if name in tensors}


def _folded(before: Node, affine: Node, tensors: Tensors) -> Node | None:
    """Both in one, its weights among the tensors instead of theirs; None if they cannot be one."""
    operation = before.operation
    if not isinstance(operation, Affine | Convolution):
        return None
    scale, shift = (tensors[tensor_name(affine.name, name)].double() for name in ("weight", "bias"))
    weight = tensors.pop(tensor_name(before.name, "weight"))
    bias = tensors.pop(tensor_name(before.name, "bias"), torch.zeros_like(scale)).double()
    tensors[tensor_name(affine.name, "weight")] = _scaled(weight, scale, operation).float()
    tensors[tensor_name(affine.name, "bias")] = (bias * scale + shift).float()
    if isinstance(operation, Convolution):
        operation = replace(operation, bias=True)
    return Node(affine.name, operation, before.inputs)


def _scaled(weight: Tensor, scale: Tensor, operation: Affine | Convolution) -> Tensor:
    """Weights whose result is scaled, channel by channel."""
    if isinstance(operation, Deconvolution):
        # its output channels are its second axis, a group's share of them at a time
        parts = weight.double().view(operation.groups, -1, *weight.shape[1:])
        return (parts * scale.view(operation.groups, 1, -1, 1, 1)).flatten(0, 1)
    return weight.double() * scale.view(-1, *[1] * (weight.ndim - 1))
