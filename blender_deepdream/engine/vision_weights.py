# SPDX-License-Identifier: GPL-3.0-or-later
"""torchvision's own weights as brains: https://docs.pytorch.org/vision/stable/models.html"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..protocol.errors import BrainFileError
from .brain import BrainCard, Layer, Preprocessing
from .networks.architectures import TORCHVISION

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

TITLES = {
    "googlenet": "GoogLeNet, ImageNet",
    "inception_v3": "Inception v3, ImageNet",
    "vgg16": "VGG-16, ImageNet",
    "vgg19": "VGG-19, ImageNet",
    "resnet50": "ResNet-50, ImageNet",
    "squeezenet1_1": "SqueezeNet 1.1 of torchvision, ImageNet",
    "alexnet": "AlexNet, ImageNet",
    "densenet121": "DenseNet-121, ImageNet",
    "mobilenet_v3_large": "MobileNet v3 large, ImageNet",
    "convnext_tiny": "ConvNeXt tiny, ImageNet",
    "efficientnet_b0": "EfficientNet-B0, ImageNet",
}
"""Those that are offered, by the names that torchvision gives the architectures."""

LICENCE = "BSD-3-Clause (torchvision; ImageNet has terms of its own)"

_DEFAULTS = {"googlenet": "inception4c", "inception_v3": "Mixed_6b"}
"""Chosen by eye over the years. All others: two thirds of the way."""

_TENSORFLOWS = ("googlenet", "inception_v3")
"""Weights that came from TensorFlow: they want [-1, 1], which torchvision brings about inside the network."""

_STAGES = (
    (0.15, "lines and colours"),
    (0.35, "textures"),
    (0.55, "patterns"),
    (0.8, "parts of animals and things"),
    (1.0, "animals and things"),
)
"""What layers up to this share of the way mostly dream in networks that know ImageNet."""

_DOWNLOAD = (
    "import sys; from torchvision.models import get_weight; get_weight(sys.argv[1])"
    ".get_state_dict(model_dir=sys.argv[2], check_hash=True, weights_only=True, progress=False, map_location='cpu')"
)


def weights_of(architecture: str) -> WeightsEnum:
    """The ones that are pulled: trained plainly, because what later recipes add to accuracy dreams no better."""
    from torchvision import models  # takes its time: not for a list of names

    weights: WeightsEnum = models.get_model_weights(architecture)["IMAGENET1K_V1"]
    return weights


def size(architecture: str) -> int:
    """Of the download, in bytes, as torchvision says it."""
    return round(float(weights_of(architecture).meta["_file_size"]) * 2**20)


def download_command(architecture: str, folder: Path) -> list[str]:
    """torchvision's own download, which checks the eight digits of the hash that a file's name ends with."""
    return [sys.executable, "-c", _DOWNLOAD, str(weights_of(architecture)), str(folder)]


def downloaded(architecture: str, folder: Path) -> tuple[dict[str, Tensor], str]:
    """The weights that were downloaded, and where they are from, with their whole hash. Raises BrainFileError."""
    weights = weights_of(architecture)
    path = folder / weights.url.rpartition("/")[2]
    try:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if not sha256.startswith(path.stem.rpartition("-")[2]):
            raise BrainFileError(f"{path.name} was damaged on its way.", "Pull it again.")
        state: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise BrainFileError(f"{path.name} holds no weights: {str(error)[:200]}.", "Pull it again.") from error
    return state, f"torchvision {weights}, {weights.url}, sha256 {sha256}"


def vision_card(architecture: str, source: str) -> BrainCard:
    """What is known of the brain without its weights. source: where they came from. Raises BrainFileError."""
    from .networks import vision

    weights = weights_of(architecture)
    classes = tuple(weights.meta["categories"])
    about = vision.describe(architecture, len(classes))
    return BrainCard(
        name=architecture,
        id="",
        title=TITLES[architecture],
        licence=LICENCE,
        layers=with_words(about.layers),
        default_layers=((default_layer(architecture, about.layers), 1.0),),
        architecture=f"{TORCHVISION}{architecture}",
        preprocessing=_preprocessing(architecture, weights),
        smallest=about.smallest,
        classifier=about.classifier,
        classes=classes,
        source=source,
    )


def with_words(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Layers early to late, each with a word on what its like mostly dream."""
    last = max(len(layers) - 1, 1)
    return tuple(
        Layer(layer.name, layer.channels, layer.stride, next(word for share, word in _STAGES if index / last <= share))
        for index, layer in enumerate(layers)
    )


def default_layer(architecture: str, layers: tuple[Layer, ...]) -> str:
    """The layer that a brain dreams with when nobody says otherwise."""
    return _DEFAULTS.get(architecture) or layers[round((len(layers) - 1) * 2 / 3)].name


def _preprocessing(architecture: str, weights: WeightsEnum) -> Preprocessing:
    if architecture in _TENSORFLOWS:
        return Preprocessing("RGB", 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    transforms = weights.transforms()
    return Preprocessing("RGB", 1.0, tuple(transforms.mean), tuple(transforms.std))
