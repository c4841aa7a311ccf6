# SPDX-License-Identifier: GPL-3.0-or-later
"""Any torch module as a network for dreaming: traced once, cut after the layers that are asked for.

Tracing (torch.fx; Reed et al., "torch.fx: Practical Program Capture and Transformation for Deep Learning in Python",
2022) turns the module into a graph of operations, each known by the path of the module that it belongs to.
"""

from __future__ import annotations

import copy
import operator
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .kernels import Convolution
from .quick import Kernels, has_kernels, quicken

CUTS_KEPT = 32
"""How many sets of layers a network keeps its cut graph for, more than an image has regions; the one not used for
longest goes first."""

Part = Callable[[Tensor], dict[str, Tensor]]
"""What finds some layers' values."""

_OUT_OF_PLACE: Mapping[Any, Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
}


@dataclass(frozen=True, slots=True)
class Traced:
    """A module as a graph of operations."""

    module: nn.Module
    graph: fx.Graph

    @property
    def output(self) -> fx.Node:
        """The node whose value the module returns."""
        value = next(reversed(self.graph.nodes)).args[0]
        assert isinstance(value, fx.Node)
        return value

    def last_of(self, path: str) -> fx.Node | None:
        """The node whose value the module at this path returns; none if it is not run."""
        return next((node for node in reversed(self.graph.nodes) if path in _modules_around(node)), None)


def _modules_around(node: fx.Node) -> set[str]:
    """The paths of the modules, one in the other, that a node belongs to."""
    return {path for path, _ in node.meta.get("nn_module_stack", {}).values()}


def trace(module: nn.Module) -> Traced:
    """The graph of a module, which is put into evaluation mode.

    Nothing in it changes a tensor in place any more: it might be one that is asked for.
    """
    graph = fx.Tracer().trace(module.eval())
    for part in module.modules():
        if getattr(part, "inplace", False) is True:
            setattr(part, "inplace", False)  # noqa: B010  (modules are typed as if they held tensors only)
    for node in graph.nodes:
        _out_of_place(node)
    return Traced(module, graph)


def _out_of_place(node: fx.Node) -> None:
    if node.op == "call_function":
        node.target = _OUT_OF_PLACE.get(node.target, node.target)
    elif node.op == "call_method" and isinstance(node.target, str) and not node.target.startswith("_"):
        node.target = node.target.removesuffix("_")
    if node.kwargs.get("inplace"):
        node.kwargs = {**node.kwargs, "inplace": False}


class TracedNetwork(nn.Module):
    """A traced module that answers with the layers it is asked for, and runs nothing that they do not need.

    places: for each layer, the path of the module whose value it is; "" is the whole module. rows_first: layers whose
    values are 1xhxwxC. The traced module is taken over: frozen, batch norms folded into the convolutions before them.
    """

    any_precision = True
    """It calculates in the precision of what it is given."""

    def __init__(self, traced: Traced, places: Mapping[str, str], rows_first: Collection[str] = ()) -> None:
        super().__init__()
        fold_batch_norms(traced)
        found = {name: traced.last_of(path) if path else traced.output for name, path in places.items()}
        self._nodes = {name: node.name for name, node in found.items() if node is not None}
        self._rows_first = frozenset(rows_first)
        self.whole = fx.GraphModule(traced.module, traced.graph).requires_grad_(False).eval()
        self.whole.to(memory_format=torch.channels_last)
        self._cuts: OrderedDict[tuple[frozenset[str], torch.dtype, torch.device], Part] = OrderedDict()
        self._kernels: Kernels = {}

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Activations of the layers, 1xCxhxw each; what has no place in the image is 1xCx1x1.

        x: 1x3xHxW, preprocessed, in the precision to calculate in.
        """
        found = self._cut(frozenset(layers), x.dtype, x.device)(x)
        return {name: self._as_map(name, found[name]) for name in layers}

    def _as_map(self, name: str, value: Tensor) -> Tensor:
        if name in self._rows_first:
            return value.permute(0, 3, 1, 2)
        return value[..., None, None] if value.ndim == 2 else value

    def _cut(self, layers: frozenset[str], dtype: torch.dtype, device: torch.device) -> Part:
        key = (layers, dtype, device)
        if key not in self._cuts:
            self._cuts[key] = self._part({name: self._nodes[name] for name in sorted(layers)}, dtype, device)
            while len(self._cuts) > CUTS_KEPT:
                self._cuts.popitem(last=False)
        self._cuts.move_to_end(key)
        return self._cuts[key]

    def _part(self, wanted: Mapping[str, str], dtype: torch.dtype, device: torch.device) -> Part:
        part = cut(self.whole, wanted)
        part = part if dtype == torch.float32 else copy.deepcopy(part).to(dtype)
        return quicken(part, dtype, self._kernels) if has_kernels(device) else part

    def copies(self) -> Iterator[Tensor]:
        """The weights in other precisions and layouts, as they are kept beside its own for what was asked until now."""
        for part in self._cuts.values():
            if isinstance(part, nn.Module):
                yield from part.parameters()
        for kernel in self._kernels.values():
            if isinstance(kernel, Convolution):
                yield from kernel.tensors()


def cut(whole: fx.GraphModule, wanted: Mapping[str, str]) -> fx.GraphModule:
    """The part of a graph that finds the values of some nodes: returns them by name. Shares the whole's weights.

    wanted: the names of nodes, by the name that each value shall have.
    """
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    graph.graph_copy(whole.graph, copies)
    by_name = {node.name: copy for node, copy in copies.items()}
    graph.output({name: by_name[node] for name, node in wanted.items()})
    _remove_dead(graph)
    return fx.GraphModule(whole, graph)


def _remove_dead(graph: fx.Graph) -> None:
    """Assertions, too, go where nothing looks at what they let through."""
    for node in reversed(graph.nodes):
        if not node.users and node.op not in ("placeholder", "output"):
            graph.erase_node(node)


def fold_batch_norms(traced: Traced) -> None:
    """Fold every batch norm into the convolution before it, where nothing else looks at what that one finds."""
    calls = Counter(node.target for node in traced.graph.nodes if node.op == "call_module")
    modules = dict(traced.module.named_modules())
    for node in list(traced.graph.nodes):
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or node.op != "call_module" or before.op != "call_module":
            continue
        conv, norm = modules[str(before.target)], modules[str(node.target)]
        alone = len(before.users) == 1 and calls[before.target] == 1
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and alone:
            traced.module.set_submodule(str(before.target), fuse_conv_bn_eval(conv, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
