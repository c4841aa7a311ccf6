# SPDX-License-Identifier: GPL-3.0-or-later
"""A prototxt and its weights become a graph: every layer that can be, under the name of the blob that it makes.

Caffe's layers may write into the blob that they read. What a blob holds in the end carries its name, as in Caffe; what
it held before carries the name of the layer that made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from ...protocol.errors import BrainFileError
from ..networks.graph import Graph, Node, shape_of, tensor_name
from ..networks.operations.operation import MisfitError, Shape
from .layers import Piece, UnsupportedError, convert, is_learned
from .names import unique_name
from .prototxt import HINT, Input, Layer, Prototxt

USUAL_SIZE = (224, 224)
"""Of the images that a network takes whose prototxt does not say."""
IMAGE_CHANNELS = 3

SAME = frozenset(("Dropout", "Flatten", "Split"))
"""What they give is what they take, as far as a network that does not learn and keeps its maps is concerned."""
CELL_WISE = SAME | {"AbsVal", "ELU", "Power", "ReLU", "Sigmoid", "TanH"}
ENDS = frozenset(("Accuracy", "ArgMax", "HDF5Output", "Silence", "SoftmaxWithLoss"))
"""Beside the types that end in "Loss": what only training or reporting has a use for."""
JUDGES = frozenset(("Softmax", "SoftmaxWithLoss", "SigmoidCrossEntropyLoss", "Accuracy"))
"""What they judge are logits."""


class WeightSource(Protocol):
    """Where weights come from: a CaffeModel, or what a test makes up."""

    def take(self, layer: str) -> list[Tensor]: ...


@dataclass(frozen=True, slots=True)
class Cut:
    """A blob that there is not. reason: like `layer 'x' has type Permute, ...`; empty: nobody would miss it."""

    reason: str = ""


@dataclass
class Assembly:
    """What became of a prototxt.

    blobs: the node that each blob came to. final: nodes that carry a blob's name. logits: nodes that something judged,
    in order. lumped: nodes that were inner products. heads: nodes that something asked for which was left out.
    left_out: the layers that are not supported, by type. flat: blobs that were flattened.
    """

    input: str
    shapes: dict[str, Shape]
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    blobs: dict[str, str | Cut] = field(default_factory=dict)
    final: set[str] = field(default_factory=set)
    logits: list[str] = field(default_factory=list)
    lumped: set[str] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    flat: set[str] = field(default_factory=set)

    @property
    def graph(self) -> Graph:
        return Graph(self.input, tuple(self.nodes))


def assemble(prototxt: Prototxt, weights: WeightSource) -> Assembly:
    """The graph of a network, all of it.

    Raises BrainFileError: for what is not supported and cannot be left out, for blobs that no layer before makes, for
    weights that are missing or do not fit.
    """
    image = _image(prototxt.inputs)
    taken: dict[str, int] = {}
    input_name = unique_name(image.name, taken)
    height, width = image.size if all(image.size) else USUAL_SIZE
    assembly = Assembly(input_name, {input_name: Shape(IMAGE_CHANNELS, height, width)})
    assembly.blobs = {one.name: Cut(f"there is no input {one.name!r}") for one in prototxt.inputs}
    assembly.blobs[image.name] = input_name
    makers = {top: layer for layer in prototxt.layers if layer.type not in SAME for top in layer.tops}
    names = {blob: unique_name(blob, taken) for blob in makers}
    for layer in prototxt.layers:
        own = [names[top] for top in layer.tops[:1] if makers.get(top) is layer]
        assembly.final.update(own)
        _add(assembly, layer, weights, own[0] if own else "", taken)
    if not assembly.nodes:
        raise BrainFileError("The prototxt has no layer that could dream.", HINT)
    return assembly


def _image(inputs: Sequence[Input]) -> Input:
    image = next((one for one in inputs if one.channels in (0, IMAGE_CHANNELS)), None)
    if image is None:
        channels = inputs[0].channels
        raise BrainFileError(f"The network takes images of {channels} channels.", "Only colour images can dream here.")
    return image


def _add(assembly: Assembly, layer: Layer, weights: WeightSource, name: str, taken: dict[str, int]) -> None:
    """name: of the node that it ends in; empty: its blob is overwritten later."""
    bottoms = [_bottom(assembly, layer, blob) for blob in layer.bottoms]
    if layer.type in ENDS or layer.type.endswith("Loss"):
        _judge(assembly, layer, bottoms)
        _leave_out(assembly, layer, Cut())
        return
    cut = next((one for one in bottoms if isinstance(one, Cut)), None)
    if cut:
        _check_dispensable(layer, cut)
        _leave_out(assembly, layer, cut)
        return
    inputs = [one for one in bottoms if isinstance(one, str)]
    try:
        _check_flat(assembly, layer, inputs)
        if layer.type in SAME:
            result = inputs[0]
        else:
            pieces = _pieces(assembly, layer, inputs, weights)
            result = _add_nodes(assembly, layer, pieces, inputs, name or unique_name(layer.name, taken), taken)
    except UnsupportedError as error:
        assembly.left_out.setdefault(layer.type, []).append(layer.name)
        _leave_out(assembly, layer, Cut(f"layer {layer.name!r} is {layer.type}, {error}"))
        return
    _judge(assembly, layer, bottoms)
    _make(assembly, layer, result)


def _bottom(assembly: Assembly, layer: Layer, blob: str) -> str | Cut:
    if blob not in assembly.blobs:
        raise BrainFileError(f"Layer {layer.name!r} needs {blob!r}, which no layer before it makes.", HINT)
    return assembly.blobs[blob]


def _check_dispensable(layer: Layer, cut: Cut) -> None:
    if cut.reason and is_learned(layer):
        raise BrainFileError(
            f"The network cannot be imported: {cut.reason}, and layer {layer.name!r} needs it.",
            "Only layers that nothing learned comes after can be left out. Cut the prototxt before them.",
        )


def _leave_out(assembly: Assembly, layer: Layer, cut: Cut) -> None:
    assembly.blobs.update(dict.fromkeys(layer.tops, cut))
    assembly.heads.update(one for one in map(assembly.blobs.get, layer.bottoms) if isinstance(one, str))


def _judge(assembly: Assembly, layer: Layer, bottoms: Sequence[str | Cut]) -> None:
    if layer.type in JUDGES and bottoms and isinstance(bottoms[0], str):
        assembly.logits.append(bottoms[0])


def _check_flat(assembly: Assembly, layer: Layer, inputs: Sequence[str]) -> None:
    """A map that was flattened is kept as a map, which only layers that do not look at its shape may see."""
    if layer.type == "Flatten" and getattr(layer.parameters, "flatten_param", None) is not None:
        axis = layer.parameters.flatten_param.axis
        if axis != 1:
            raise UnsupportedError(f"along axis {axis}, which is not supported")
    flat = [blob for blob, name in zip(layer.bottoms, inputs, strict=True) if blob in assembly.flat]
    if flat and layer.type not in CELL_WISE | {"InnerProduct"}:
        raise UnsupportedError("of a flattened map, which is not supported")


def _make(assembly: Assembly, layer: Layer, result: str) -> None:
    assembly.blobs.update(dict.fromkeys(layer.tops[1:], Cut(f"layer {layer.name!r} gives more than one blob")))
    assembly.blobs.update(dict.fromkeys(layer.tops if layer.type in SAME else layer.tops[:1], result))
    is_map = assembly.shapes[result].size != (1, 1)
    was_flat = layer.type == "Flatten" or (layer.type in CELL_WISE and not assembly.flat.isdisjoint(layer.bottoms))
    (assembly.flat.update if is_map and was_flat else assembly.flat.difference_update)(layer.tops)


def _pieces(assembly: Assembly, layer: Layer, inputs: Sequence[str], weights: WeightSource) -> list[Piece]:
    blobs = weights.take(layer.name)
    if is_learned(layer) and not blobs:
        raise BrainFileError(
            f"The caffemodel has no weights for layer {layer.name!r} ({layer.type}).",
            "Do the two files belong together?",
        )
    try:
        return convert(layer, [assembly.shapes[one] for one in inputs], blobs)
    except MisfitError as error:
        raise BrainFileError(f"Layer {layer.name!r} ({layer.type}) does not fit: {error}.", HINT) from error


def _add_nodes(
    assembly: Assembly, layer: Layer, pieces: Sequence[Piece], inputs: Sequence[str], name: str, taken: dict[str, int]
) -> str:
    """One after the other; the last has the name."""
    for piece in pieces:
        own = name if piece is pieces[-1] else unique_name(layer.name, taken)
        node = Node(own, piece.operation, tuple(inputs))
        try:
            assembly.shapes[own] = shape_of(node, assembly.shapes)
        except BrainFileError as error:
            raise BrainFileError(error.message, HINT) from error
        assembly.nodes.append(node)
        assembly.tensors.update({tensor_name(own, weight): tensor for weight, tensor in piece.tensors.items()})
        if layer.type == "InnerProduct":
            assembly.lumped.add(own)
        inputs = [own]
    return name
