# SPDX-License-Identifier: GPL-3.0-or-later
"""A network's graph as a program of the kernels that dreaming on a CPU is quickest with."""

from __future__ import annotations

import operator
import platform
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from .kernels import Activation, Concatenation, Convolution, Differentiated, Geometry, Kernel, Pair, Sum
from .pooling import Input, MaxPooling
from .program import Program, Step

Kernels = MutableMapping[tuple[str, torch.dtype, Activation], Kernel]
"""What was made from a network's weights already: by module, precision and activation."""

_ACTIVATIONS: Mapping[Any, Activation] = {
    **dict.fromkeys((nn.ReLU, functional.relu, torch.relu, "relu"), "relu"),
    **dict.fromkeys((nn.ReLU6, functional.relu6), "relu6"),
}
"""By the module's kind, the function or the method's name."""

X86 = ("x86_64", "AMD64")
"""Processors on which the kernels have been run, as Linux and macOS, and Windows, say their kind."""

_MAKE_A_MAP = {
    *(functional.relu, torch.relu, functional.relu6),
    *(functional.max_pool2d, functional.avg_pool2d, functional.adaptive_avg_pool2d),
    *(operator.mul, torch.mul, torch.flatten),
}
"""Functions without a kernel of their own, of which it is known that they make a map from maps."""


def has_kernels(device: torch.device) -> bool:
    """Whether torch has what the kernels are made from, on this device, and they are known to be quick there.

    Where a processor has SSE alone, torch's own operations take three quarters of their time.
    """
    if device.type != "cpu" or platform.machine() not in X86 or not torch._C._has_mkldnn:
        return False
    return torch.backends.cpu.get_cpu_capability() != "DEFAULT"


def quicken(cut: fx.GraphModule, dtype: torch.dtype, kernels: Kernels) -> Callable[[Tensor], dict[str, Tensor]]:
    """What calculates the same as a graph, but quicker; the graph itself where it does more than turn maps into maps.

    cut: returns values by name; frozen, its weights in this precision. kernels: those made before; more are added.
    """
    modules = dict(cut.named_modules())
    image, *nodes, output = cut.graph.nodes
    relus = _relus_in_others(nodes, modules)
    places = {relu: relu.all_input_nodes[0].name for relu in relus}
    active = {other: _activation(relu, modules) for relu, other in relus.items()}
    steps = []
    for node in nodes:
        if node not in places:
            kernel = _kernel(node, modules, dtype, kernels, active.get(node, "none"))
            if kernel is None:
                return cut
            steps.append(Step(node.name, kernel, tuple(places.get(one, one.name) for one in node.all_input_nodes)))
    return Program(image.name, steps, {name: places.get(node, node.name) for name, node in output.args[0].items()})


def _relus_in_others(nodes: Sequence[fx.Node], modules: Mapping[str, nn.Module]) -> dict[fx.Node, fx.Node]:
    """For activations that need no step of their own what does their work: the pooling that alone looks at a ReLU, or
    the convolution that it alone looks at."""
    found = {}
    for relu in nodes:
        kind = _activation(relu, modules)
        if kind != "none":
            before, (after, *others) = relu.all_input_nodes[0], relu.users
            if kind == "relu" and _is_pooling(_module(after, modules)) and not others:
                found[relu] = after
            elif _is_convolution(_module(before, modules)) and len(before.users) == 1:
                found[relu] = before
    return found


def _kernel(
    node: fx.Node, modules: Mapping[str, nn.Module], dtype: torch.dtype, kernels: Kernels, activation: Activation
) -> Kernel | None:
    """What does a node's work; none if that is not known to make a map from maps."""
    module = _module(node, modules)
    if _is_convolution(module):
        key = (str(node.target), dtype, activation)
        if key not in kernels:
            kernels[key] = _convolution(module, activation)
        return kernels[key]
    if _is_pooling(module):
        known: Input = "positive" if _is_positive(node, modules) else "any"
        kind = "relu" if activation == "relu" else known
        return MaxPooling(_pair(module.kernel_size), _geometry(module), module.ceil_mode, kind)
    if node.target is torch.cat and (*node.args[1:], *node.kwargs.values()) == (1,):
        return Concatenation()
    return _plain_kernel(node, module)


def _plain_kernel(node: fx.Node, module: nn.Module | None) -> Kernel | None:
    """For what takes nothing but maps first, and then constants."""
    maps = len(node.all_input_nodes)
    if node.op == "get_attr" or any(not isinstance(one, fx.Node) for one in node.args[:maps]):
        return None
    if node.target in (operator.add, torch.add) and maps == 2:
        return Sum()
    if module is None and node.target not in _MAKE_A_MAP:
        return None
    return Differentiated(module or _with_constants(node))


def _with_constants(node: fx.Node) -> Callable[..., Tensor]:
    """A node's function of its maps alone: they come first."""
    function, constants, named = node.target, node.args[len(node.all_input_nodes) :], node.kwargs
    assert callable(function)
    return lambda *maps: function(*maps, *constants, **named)


def _module(node: fx.Node, modules: Mapping[str, nn.Module]) -> nn.Module | None:
    return modules[str(node.target)] if node.op == "call_module" else None


def _is_convolution(module: nn.Module | None) -> TypeGuard[nn.Conv2d]:
    return isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _activation(node: fx.Node, modules: Mapping[str, nn.Module]) -> Activation:
    module = _module(node, modules)
    return _ACTIVATIONS.get(node.target if module is None else type(module), "none")


def _is_positive(pooling: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Whether nothing below 0 comes into a pooling: from ReLUs, joined and pooled in whatever way."""
    unsure = list(pooling.all_input_nodes)
    while unsure:
        node = unsure.pop()
        if _activation(node, modules) == "none":
            if node.target is not torch.cat and not _is_pooling(_module(node, modules)):
                return False
            unsure += node.all_input_nodes
    return True


def _is_pooling(module: nn.Module | None) -> TypeGuard[nn.MaxPool2d]:
    return isinstance(module, nn.MaxPool2d) and not module.return_indices


def _convolution(module: nn.Conv2d, activation: Activation) -> Convolution:
    bias = None if module.bias is None else module.bias.detach()
    return Convolution(module.weight.detach(), bias, _geometry(module), activation)


def _geometry(module: nn.Conv2d | nn.MaxPool2d) -> Geometry:
    groups = module.groups if isinstance(module, nn.Conv2d) else 1
    return Geometry(_pair(module.stride), _pair(module.padding), _pair(module.dilation), groups)


def _pair(size: Any) -> Pair:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
