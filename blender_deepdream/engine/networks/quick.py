# SPDX-License-Identifier: GPL-3.0-or-later
"""A network's graph with the kernels that dreaming on a CPU is quickest with, in place of convolutions and poolings."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from .kernels import Activation, Convolution, Geometry, Kernel, KernelFunction, MaxPooling, Pair

Kernels = MutableMapping[tuple[str, torch.dtype, Activation], Kernel]
"""What was made from a network's weights already: by module, precision and activation."""

_RELU = (functional.relu, torch.relu, "relu")


class KernelModule(nn.Module):
    """A kernel where a graph calls a module."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self, *inputs: Tensor) -> Tensor:
        found: Tensor = KernelFunction.apply(self.kernel, *inputs)
        return found


def has_kernels(device: torch.device) -> bool:
    """Whether torch has what the kernels are made from, on this device."""
    return device.type == "cpu" and bool(torch._C._has_mkldnn)


def quicken(cut: fx.GraphModule, dtype: torch.dtype, kernels: Kernels) -> fx.GraphModule:
    """A graph with kernels for what there are any for. kernels: those made before; more are added.

    cut: frozen, its weights in this precision; it is changed.
    """
    modules = dict(cut.named_modules())
    for node in list(cut.graph.nodes):
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str):
            relu = _relu_after(node, modules)
            activation: Activation = "relu" if relu else "none"
            key = (str(node.target), dtype, activation)
            if key not in kernels:
                kernels[key] = _convolution(module, activation)
            _put(cut, node, kernels[key])
            if relu:
                relu.replace_all_uses_with(node)
                cut.graph.erase_node(relu)
        elif isinstance(module, nn.MaxPool2d) and not module.return_indices:
            _put(cut, node, MaxPooling(_pair(module.kernel_size), _geometry(module), module.ceil_mode))
    cut.delete_all_unused_submodules()
    cut.recompile()
    return cut


def _put(cut: fx.GraphModule, node: fx.Node, kernel: Kernel) -> None:
    name = f"kernel_{node.name}"
    cut.add_module(name, KernelModule(kernel))
    node.op, node.target = "call_module", name


def _relu_after(node: fx.Node, modules: Mapping[str, nn.Module]) -> fx.Node | None:
    """The ReLU that alone looks at a node's value."""
    if len(node.users) != 1:
        return None
    (user,) = node.users
    module = modules.get(str(user.target)) if user.op == "call_module" else None
    return user if isinstance(module, nn.ReLU) or (user.op != "call_module" and user.target in _RELU) else None


def _convolution(module: nn.Conv2d, activation: Activation) -> Convolution:
    bias = None if module.bias is None else module.bias.detach()
    return Convolution(module.weight.detach(), bias, _geometry(module), activation)


def _geometry(module: nn.Conv2d | nn.MaxPool2d) -> Geometry:
    groups = module.groups if isinstance(module, nn.Conv2d) else 1
    return Geometry(_pair(module.stride), _pair(module.padding), _pair(module.dilation), groups)


def _pair(size: Any) -> Pair:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
