# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a graph's nodes are worth offering as layers, which one dreams well unasked, and which holds the logits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..networks.graph import Node
from ..networks.operations import (
    ELU,
    Absolute,
    Affine,
    AveragePooling,
    Concat,
    Convolution,
    GlobalMax,
    MaxPooling,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Sum,
    TanH,
)
from .assembly import Assembly

ACTIVATIONS = (Absolute, Affine, ELU, PReLU, ReLU, Sigmoid, TanH)
"""What finishes another layer: that one is not offered besides."""
POOLING = (MaxPooling, AveragePooling, GlobalMax)
DEFAULT_DEPTH = 2 / 3


@dataclass(frozen=True)
class Choice:
    """Names of nodes: the layers to offer, early to late; the one to dream with; the logits, if there are any."""

    layers: tuple[str, ...]
    default: str
    classifier: str | None


class Chooser:
    """Knows each node, how deep it lies, and its origin: the node whose result it is but an activation of."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self.nodes = {node.name: node for node in assembly.nodes}
        self._users = Counter(name for node in assembly.nodes for name in set(node.inputs))
        self._finished = {node.inputs[0] for node in assembly.nodes if isinstance(node.operation, ACTIVATIONS)}
        self._depth: dict[str, int] = {}
        self._origins: dict[str, Node] = {}
        for node in assembly.nodes:
            before = max((self._depth.get(name, 0) for name in node.inputs), default=0)
            self._depth[node.name] = before + isinstance(node.operation, Convolution)
            is_activation = isinstance(node.operation, ACTIVATIONS)
            self._origins[node.name] = self._origins.get(node.inputs[0], node) if is_activation else node

    def choose(self, every_branch: bool) -> Choice:
        """every_branch: offer what lies in the branches of a module too, not only what all of the image passes."""
        classifier = self._classifier()
        end = classifier or self._deepest()
        trunk = [name for name in self._trunk(end) if self._is_worth(name, classifier)]
        layers = [name for name in self.nodes if self._is_worth(name, classifier)] if every_branch else trunk
        return Choice(tuple(layers), self._default(trunk), classifier)

    def word(self, name: str) -> str:
        """On what kind of layer it is: what it dreams has to be seen."""
        node = self._origins[name]
        operation = node.operation
        if node.name in self._assembly.lumped:
            return "fully connected"
        if isinstance(operation, Convolution):
            return f"convolution {operation.kernel[0]}x{operation.kernel[1]}"
        words = {Concat: "branches joined", Sum: "sum", MaxPooling: "pooling", AveragePooling: "pooling"}
        return next((word for kind, word in words.items() if isinstance(operation, kind)), operation.op)

    def _classifier(self) -> str | None:
        """The last convolution or inner product that something judged, seen through pooling."""
        for name in reversed(self._assembly.logits):
            while name in self.nodes and isinstance(self.nodes[name].operation, POOLING):
                name = self.nodes[name].inputs[0]  # noqa: PLW2901 - upwards, as long as there is only pooling
            if name in self.nodes and isinstance(self._origins[name].operation, Convolution):
                return name
        return None

    def _deepest(self) -> str:
        """The end of what is no head: of equally deep ones the last."""
        ends = [name for name in self.nodes if not self._is_head(name)]
        return max(reversed(ends or list(self.nodes)), key=self._depth.__getitem__)

    def _is_head(self, name: str) -> bool:
        """Whether it is one of several answers to what the same layer sees, and only what was left out reads it."""
        siblings = self._users[self._origins[name].inputs[0]]
        return name in self._assembly.heads and not self._users[name] and siblings > 1

    def _trunk(self, end: str) -> list[str]:
        """The nodes on every way from the image to the end: what lies in the branches of a module is not among them."""
        needed = self._assembly.graph.needed([end])
        last = {name: number for number, node in enumerate(needed) for name in node.inputs}
        found, open_until = [], last.get(self._assembly.input, 0)
        for number, node in enumerate(needed):
            if open_until <= number:
                found.append(node.name)
            open_until = max(open_until, last.get(node.name, 0))
        return found

    def _is_worth(self, name: str, classifier: str | None) -> bool:
        """Whether it is a blob of its own, learned something, is finished, and is not yet an answer."""
        node = self.nodes[name]
        is_answer = name == classifier or isinstance(node.operation, Softmax | GlobalMax)
        is_new = name in self._assembly.final and name not in self._finished
        return is_new and self._depth[name] > 0 and not is_answer

    def _default(self, layers: Sequence[str]) -> str:
        """About two thirds of the way through what is a map: there things begin to have shapes. Joints see most."""
        maps = [name for name in layers if self._origins[name].name not in self._assembly.lumped] or list(layers)
        far = {name: abs(index - DEFAULT_DEPTH * (len(maps) - 1)) for index, name in enumerate(maps)}
        for kinds in ((Concat, Sum), (Convolution,), (object,)):
            found = [name for name in maps if isinstance(self._origins[name].operation, kinds)]
            if found:
                return min(found, key=far.__getitem__)
        return ""
