# SPDX-License-Identifier: GPL-3.0-or-later
"""How the network of each architecture learns: as a module from preprocessed images to logits, with a new head."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..engine.brain_file import Contents
from ..engine.networks.graph import Graph, GraphNetwork, Node, tensor_name
from ..engine.networks.operations.windows import Convolution
from ..protocol.errors import BrainFileError
from .lite0 import LearningLite0


@dataclass(frozen=True, slots=True)
class Form:
    """network: Nx3xHxW, preprocessed, to logits, Nxclasses. head: its parameters that are new. places: where each of
    the brain's layers begins, as paths of modules. names: of tensors in a brain's file that have another name there.
    description: of a "graph"."""

    network: nn.Module
    head: frozenset[str]
    places: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    description: object = None


class _Same(dict[str, str]):
    """Layers that are called as the modules are."""

    def __missing__(self, name: str) -> str:
        return name


def lite0_form(tensors: Mapping[str, Tensor], classes: int) -> Form:
    """Raises BrainFileError for weights of another network."""
    network = LearningLite0(classes)
    head = frozenset(("_fc.weight", "_fc.bias"))
    _take_over(network, tensors, head)
    return Form(network, head, _Same())


def vision_form(architecture: str, tensors: Mapping[str, Tensor], classes: int) -> Form:
    """Any of torchvision's, without auxiliary heads. Raises BrainFileError for weights of another network."""
    from ..engine.networks import vision  # torchvision's models take their time to import

    network = vision.construct(architecture, classes, torch.device("cpu"))
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    wider = vision.construct(architecture, classes + 1, torch.device("meta"))
    head = frozenset(name for name, tensor in wider.state_dict().items() if tensor.shape != shapes[name])
    _take_over(network, tensors, head)
    return Form(network, head, _Same())


def graph_form(base: Contents, classes: int) -> Form:
    """A network that its file describes: one without batch norms. Raises BrainFileError where no head is found."""
    known = Graph.from_json(base.description)
    assert base.card.classifier is not None
    head = _head_of(known, base.card.classifier.name)
    nodes = tuple(_with_channels(node, classes) if node.name == head else node for node in known.nodes)
    learnt = Graph(known.input, nodes)
    network = GraphLogits(learnt, _with_head(learnt, head, base.tensors), base.card.classifier.name)
    names = {
        f"graph.operations.{number}.{weight}": tensor_name(node.name, weight)
        for number, node in enumerate(nodes)
        for weight in ("weight", "bias")
    }
    new = frozenset(own for own, name in names.items() if name.rpartition(".")[0] == head)
    return Form(network, new, _beginnings(learnt, base), names, learnt.to_json())


class GraphLogits(nn.Module):
    """A described network, with its weights free to learn: the mean of its logits over the positions."""

    def __init__(self, described: Graph, tensors: Mapping[str, Tensor], classifier: str) -> None:
        super().__init__()
        self.graph = GraphNetwork(described, tensors)
        self._classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        found: dict[str, Tensor] = self.graph(x, [self._classifier])
        return found[self._classifier].mean((2, 3))


def _head_of(known: Graph, classifier: str) -> str:
    """The convolution that finds the logits: the classifier's layer, or what stands before it alone."""
    nodes = {node.name: node for node in known.nodes}
    node = nodes[classifier]
    while not isinstance(node.operation, Convolution):
        before = [nodes[name] for name in node.inputs if name in nodes]
        if len(node.inputs) != 1 or not before or node.operation.tensors(known.shapes()[before[0].name]):
            raise BrainFileError(
                f"Layer {classifier!r} is not made of a convolution, so it cannot be made for other classes.",
                "Choose another base brain, such as lite0.",
            )
        node = before[0]
    return node.name


def _with_channels(node: Node, classes: int) -> Node:
    assert isinstance(node.operation, Convolution)
    return dataclasses.replace(node, operation=dataclasses.replace(node.operation, channels=classes, groups=1))


def _with_head(learnt: Graph, head: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with empty ones for the head."""
    shapes = learnt.shapes()
    node = next(node for node in learnt.nodes if node.name == head)
    wanted = node.operation.tensors(*(shapes[name] for name in node.inputs))
    return {**tensors, **{tensor_name(head, name): torch.zeros(shape) for name, shape in wanted.items()}}


def _beginnings(learnt: Graph, base: Contents) -> dict[str, str]:
    """Where each layer begins: after the one listed before it."""
    index = {node.name: number for number, node in enumerate(learnt.nodes)}
    ends = sorted(index[layer.name] for layer in base.card.layers)
    begins = {end: before + 1 for before, end in zip([-1, *ends], ends, strict=False)}
    return {layer.name: f"graph.operations.{begins[index[layer.name]]}" for layer in base.card.layers}


def _take_over(network: nn.Module, tensors: Mapping[str, Tensor], head: frozenset[str]) -> None:
    """The base's weights, but for the head's. Raises BrainFileError for those of another network."""
    wanted = {name for name, tensor in network.state_dict().items() if tensor.is_floating_point()} - head
    own = {name: tensor for name, tensor in tensors.items() if name in wanted}
    try:
        missing = set(network.load_state_dict(own, strict=False).missing_keys) & wanted
    except RuntimeError as error:
        raise BrainFileError(f"The base brain's weights do not fit: {str(error)[:200]}.", "Get it again.") from error
    if missing:
        raise BrainFileError(f"The base brain has no weights {min(missing)!r}.", "Get it again.")
