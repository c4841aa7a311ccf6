# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that is described by data: a directed graph of plain operations, and a tensor for each of their weights.

Brains that are imported have this architecture. The description comes from files of strangers: every name, number,
reference and shape in it is checked before anything is made of it.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...protocol.errors import BrainFileError
from .operations import OPERATIONS
from .operations.cells import ReLU
from .operations.operation import MisfitError, Operation, Shape

ARCHITECTURE = "graph"
MAX_NODES = 10_000
MAX_NAME = 256
MAX_VALUES = 2**29
"""Of all activations together for an image of NOMINAL_SIDE: four times what the largest known networks have."""
NOMINAL_SIDE = 256
FINEST, COARSEST = Fraction(1, 4), Fraction(1024)
"""Pixels of the image per cell of an activation."""

_HINT = "The brain's file is damaged or was not made by this program: import or pull the brain again."


@dataclass(frozen=True, slots=True)
class Node:
    """One operation on earlier nodes. inputs: their names, or the graph's own input."""

    name: str
    operation: Operation
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, each after those it needs. input: the name of the image, 1x3xHxW, preprocessed."""

    input: str
    nodes: tuple[Node, ...]

    def to_json(self) -> dict[str, Any]:
        """The description that `from_json` reads."""
        nodes = [
            {
                "name": node.name,
                "op": node.operation.op,
                "inputs": list(node.inputs),
                "parameters": asdict(node.operation),
            }
            for node in self.nodes
        ]
        return {"input": self.input, "nodes": nodes}

    @classmethod
    def from_json(cls, data: object) -> Graph:
        """A description's graph, whole and in order. Raises BrainFileError."""
        if not isinstance(data, Mapping) or set(data) != {"input", "nodes"} or not isinstance(data["nodes"], list):
            raise BrainFileError("The description of the network is not one.", _HINT)
        if not 0 < len(data["nodes"]) <= MAX_NODES:
            raise BrainFileError(f"The network has {len(data['nodes'])} nodes; 1 to {MAX_NODES} are allowed.", _HINT)
        return cls(_name(data["input"]), tuple(_node(one) for one in data["nodes"]))

    def shapes(self, side: int = NOMINAL_SIDE) -> dict[str, Shape]:
        """Of every activation, by name, for a square image. Raises BrainFileError where something does not fit."""
        known = {self.input: Shape(3, side, side)}
        values = 0
        for node in self.nodes:
            shape = shape_of(node, known)
            values += shape.channels * shape.height * shape.width
            if values > MAX_VALUES:
                raise BrainFileError(f"The network is too large: its layers up to {node.name!r} would not fit.", _HINT)
            known[node.name] = shape
        return known

    def needed(self, layers: Collection[str]) -> list[Node]:
        """The nodes that these layers depend on, themselves included, in order."""
        wanted = set(layers)
        found = []
        for node in reversed(self.nodes):
            if node.name in wanted:
                wanted.update(node.inputs)
                found.append(node)
        return found[::-1]


def shape_of(node: Node, known: Mapping[str, Shape]) -> Shape:
    """Of a node's result, from the shapes before it. Raises BrainFileError."""
    if node.name in known:
        raise BrainFileError(f"The network has two layers {node.name!r}.", _HINT)
    unknown = [name for name in node.inputs if name not in known]
    if unknown:
        raise BrainFileError(f"Layer {node.name!r} needs {unknown[0]!r}, which is not before it.", _HINT)
    low, high = node.operation.inputs
    if not low <= len(node.inputs) <= high:
        raise BrainFileError(f"Layer {node.name!r}, {node.operation.op}, has {len(node.inputs)} inputs.", _HINT)
    try:
        shape = node.operation.shape(*(known[name] for name in node.inputs))
        if not FINEST <= shape.scale <= COARSEST:
            raise MisfitError(f"a cell of it would be {float(shape.scale):g} pixels wide")
        return shape
    except MisfitError as error:
        raise BrainFileError(f"Layer {node.name!r}, {node.operation.op}, does not fit: {error}.", _HINT) from error


def tensor_name(node: str, weight: str) -> str:
    """Under which a file keeps a node's "weight" or "bias"."""
    return f"{node}.{weight}"


class Step(NamedTuple):
    """One node's turn: which one it is. overwrite: it may change its input. done: what nobody needs after it."""

    node: int
    overwrite: bool
    done: tuple[str, ...]


class NodeModule(nn.Module):
    """One node with its weights."""

    def __init__(self, node: Node, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.node = node
        for name, tensor in tensors.items():
            layout = torch.channels_last if tensor.ndim == 4 else torch.contiguous_format
            weight = tensor.float().contiguous(memory_format=layout)
            self.register_parameter(name, nn.Parameter(weight, requires_grad=False))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.node.operation.apply(dict(self.named_parameters()), *inputs)


class GraphNetwork(nn.Module):
    """The network of a graph: frozen, channels last; it runs what the layers asked for need, and nothing else.

    tensors: by `tensor_name`, floating point; those that the graph has no use for are left alone.
    Raises BrainFileError where a tensor is missing or has another shape than its node needs.
    """

    def __init__(self, graph: Graph, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.graph = graph
        shapes = graph.shapes()
        self.operations = nn.ModuleList(NodeModule(node, _weights(node, shapes, tensors)) for node in graph.nodes)
        self._steps = functools.lru_cache(maxsize=16)(self._plan)
        self.eval()

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Activations of the named nodes. x: 1x3xHxW, preprocessed, of any size. Raises KeyError for other names."""
        known = {self.graph.input: x}
        for step in self._steps(frozenset(layers)):
            module = self.operations[step.node]
            node = self.graph.nodes[step.node]
            inputs = [known[name] for name in node.inputs]
            if step.overwrite and isinstance(node.operation, ReLU):
                known[node.name] = node.operation.overwrite(inputs[0])
            else:
                known[node.name] = module(*inputs)
            for name in step.done:
                del known[name]
        return {name: known[name] for name in layers}

    def _plan(self, layers: frozenset[str]) -> tuple[Step, ...]:
        needed = self.graph.needed(layers)
        index = {node.name: number for number, node in enumerate(self.graph.nodes)}
        last = {name: node.name for node in needed for name in node.inputs}
        users = Counter(name for node in needed for name in set(node.inputs))
        fresh = {node.name for node in needed if node.operation.fresh and users[node.name] == 1} - layers
        return tuple(
            Step(
                index[node.name],
                isinstance(node.operation, ReLU) and node.inputs[0] in fresh,
                tuple(name for name in set(node.inputs) - layers if last[name] == node.name),
            )
            for node in needed
        )


def build(description: object, tensors: Mapping[str, Tensor]) -> GraphNetwork:
    """The network that a brain's file describes. Raises BrainFileError."""
    return GraphNetwork(Graph.from_json(description), tensors)


def _weights(node: Node, shapes: Mapping[str, Shape], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    wanted = node.operation.tensors(*(shapes[name] for name in node.inputs))
    return {name: _weight(tensors, tensor_name(node.name, name), shape) for name, shape in wanted.items()}


def _weight(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    tensor = tensors.get(name)
    if tensor is None:
        raise BrainFileError(f"The weights {name!r} are missing.", _HINT)
    if tuple(tensor.shape) != shape or not tensor.is_floating_point():
        found = f"{tuple(tensor.shape)}, {tensor.dtype}"
        raise BrainFileError(f"The weights {name!r} are {found}; the network needs {shape}, floating point.", _HINT)
    return tensor


def _node(data: object) -> Node:
    if not isinstance(data, Mapping) or set(data) != {"name", "op", "inputs", "parameters"}:
        raise BrainFileError("A node of the network is not described by name, op, inputs and parameters.", _HINT)
    name, inputs, parameters = _name(data["name"]), data["inputs"], data["parameters"]
    if not isinstance(inputs, list) or not isinstance(parameters, Mapping) or str(data["op"]) not in OPERATIONS:
        raise BrainFileError(f"Layer {name!r} has an operation {str(data['op'])[:80]!r} that is not known.", _HINT)
    kind = OPERATIONS[data["op"]]
    try:
        operation = kind(**_parameters(kind, parameters))
    except MisfitError as error:
        raise BrainFileError(f"Layer {name!r}, {kind.op}, cannot be: {error}.", _HINT) from error
    return Node(name, operation, tuple(_name(one) for one in inputs))


def _parameters(kind: type[Operation], data: Mapping[Any, Any]) -> dict[str, Any]:
    unknown = set(data) - {one.name for one in fields(kind)}
    missing = {one.name for one in fields(kind) if one.default is MISSING} - set(data)
    if unknown or missing:
        raise MisfitError(f"its parameters {', '.join(sorted(map(str, unknown | missing)))} are unknown or missing")
    return dict(data)


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise BrainFileError(f"The network has a layer whose name is not text of up to {MAX_NAME} letters.", _HINT)
    return value
