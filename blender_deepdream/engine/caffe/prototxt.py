# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prototxt says: the layers that run when nothing is trained, and the images that the network takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...protocol.errors import BrainFileError
from ..networks.graph import MAX_NAME, MAX_NODES
from .schema import MAX_TEXT, message, parse_prototxt

TEST_PHASE = 1
HINT = "Give the network's deploy.prototxt and the caffemodel that belongs to it."

_MODERN_TYPES = {
    **{"ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "HDF5_DATA": "HDF5Data", "HDF5_OUTPUT": "HDF5Output"},
    **{"LRN": "LRN", "BNLL": "BNLL", "MVN": "MVN", "RELU": "ReLU", "TANH": "TanH", "SOFTMAX_LOSS": "SoftmaxWithLoss"},
}
"""Those that are not the V1 name in other letters."""


@dataclass(frozen=True)
class Layer:
    """parameters: a LayerParameter or V1LayerParameter, whose fields for a type have the same names in both."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    parameters: Any


@dataclass(frozen=True)
class Input:
    """A blob that the network is given. channels, size (height, width): 0 where the prototxt does not say."""

    name: str
    channels: int = 0
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Prototxt:
    """inputs: the image, then what else there is (labels). layers: in order, those of the test phase only.

    mean, scale: what its data layer does to an image of 0..255, as far as it says so.
    """

    name: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    mean: tuple[float, ...] = ()
    scale: float = 1.0


def read_prototxt(path: Path) -> Prototxt:
    """Raises BrainFileError for a file that cannot be read or that describes no network."""
    try:
        with path.open("rb") as file:
            # comments are in all the world's encodings, and nothing that counts is
            text = file.read(MAX_TEXT + 1).decode("utf-8", "replace")
    except OSError as error:
        raise BrainFileError(f"The prototxt {path} cannot be read: {error.strerror}.", HINT) from error
    return parse(text)


def parse(text: str) -> Prototxt:
    """What the text of a prototxt says. Raises BrainFileError."""
    net = parse_prototxt(text)
    if len(net.layer) + len(net.layers) > MAX_NODES or len(net.input) > MAX_NODES:
        raise BrainFileError(f"The prototxt has more than {MAX_NODES} layers.", HINT)
    layers = [one for one in (*map(_v1_layer, net.layers), *map(_layer, net.layer)) if _runs(one.parameters)]
    # what takes nothing gives data
    sources = [layer for layer in layers if not layer.bottoms]
    inputs = (*_net_inputs(net), *(one for layer in sources for one in _layer_inputs(layer)))
    if not inputs:
        raise BrainFileError("The prototxt names no input.", HINT)
    transforms = [layer.parameters.transform_param for layer in sources]
    mean = next((tuple(one.mean_value) for one in transforms if one.mean_value), ())
    scale = next((one.scale for one in transforms if one.HasField("scale")), 1.0)
    return Prototxt(net.name, inputs, tuple(layer for layer in layers if layer.bottoms), mean, scale)


def _layer(data: Any) -> Layer:
    return _checked(Layer(data.name, data.type, tuple(data.bottom), tuple(data.top), data))


def _v1_layer(data: Any) -> Layer:
    if data.HasField("layer"):
        raise BrainFileError(
            "The prototxt has the form of Caffe's first days.",
            "Bring it up to date with Caffe's upgrade_net_proto_text and upgrade_net_proto_binary.",
        )
    old = message("V1LayerParameter").DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[data.type].name
    modern = _MODERN_TYPES.get(old) or "".join(word.capitalize() for word in old.split("_"))
    return _checked(Layer(data.name, modern, tuple(data.bottom), tuple(data.top), data))


def _checked(layer: Layer) -> Layer:
    names = (layer.name, *layer.bottoms, *layer.tops)
    if any(len(name) > MAX_NAME for name in names) or len(names) > MAX_NODES:
        raise BrainFileError(f"Layer {layer.name[:80]!r} has names that are too long, or too many of them.", HINT)
    return layer


def _runs(parameters: Any) -> bool:
    """Caffe's rule: a layer runs where one of its include rules is met, or where none of its exclude rules is."""
    if parameters.include:
        return any(_is_met(rule) for rule in parameters.include)
    return not any(_is_met(rule) for rule in parameters.exclude)


def _is_met(rule: Any) -> bool:
    """At the test phase, level 0, no stage."""
    wrong_phase = rule.HasField("phase") and rule.phase != TEST_PHASE
    wrong_level = rule.min_level > 0 or (rule.HasField("max_level") and rule.max_level < 0)
    return not (wrong_phase or wrong_level or rule.stage)


def _net_inputs(net: Any) -> Iterator[Input]:
    """Those that are named before all layers."""
    shapes = [tuple(shape.dim) for shape in net.input_shape] or [
        tuple(net.input_dim[start : start + 4]) for start in range(0, len(net.input_dim), 4)
    ]
    for index, name in enumerate(net.input):
        yield _input(name, shapes[index] if index < len(shapes) else ())


def _layer_inputs(layer: Layer) -> Iterator[Input]:
    """What a data layer gives: the image, then its label."""
    declared = layer.parameters.input_param.shape if layer.type == "Input" else ()
    shapes = [tuple(shape.dim) for shape in declared]
    crop = layer.parameters.transform_param.crop_size
    for index, name in enumerate(layer.tops):
        if shapes:
            yield _input(name, shapes[min(index, len(shapes) - 1)])
        else:
            yield Input(name, 0 if index == 0 else 1, _size(crop, crop))


def _input(name: str, shape: tuple[int, ...]) -> Input:
    if len(shape) != 4:
        return Input(name, 1 if shape else 0)
    return Input(name, shape[1], _size(shape[2], shape[3]))


def _size(height: int, width: int) -> tuple[int, int]:
    limit = 2**14
    return (height, width) if 0 < height <= limit and 0 < width <= limit else (0, 0)
