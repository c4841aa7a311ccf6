# SPDX-License-Identifier: GPL-3.0-or-later
"""Every blob against OpenCV's own reader of Caffe's files."""

import cv2
import numpy as np
import pytest
import torch

from blender_deepdream.engine.caffe.assembly import Assembly, assemble
from blender_deepdream.engine.caffe.prototxt import read_prototxt
from blender_deepdream.engine.caffe.weights import CaffeModel
from blender_deepdream.engine.networks.graph import GraphNetwork

from .networks import Written, caffenet, googlenet, odd_ones, resnet50, vgg16

NETWORKS = {
    "googlenet": googlenet,
    "googlenet_v1": lambda: googlenet(old=True),
    "caffenet": caffenet,
    "vgg16_v1": vgg16,
    "resnet50": resnet50,
    "odd_ones": odd_ones,
}


def differences_from_opencv(written: Written, side: int) -> tuple[dict[str, float], Assembly]:
    """The largest of each blob, relative to the largest value in it."""
    net = read_prototxt(written.prototxt)
    with written.caffemodel.open("rb") as file:
        assembly = assemble(net, CaffeModel(file))
    image = np.random.default_rng(1).standard_normal((1, 3, side, side)).astype(np.float32) * 50
    reference = cv2.dnn.readNetFromCaffe(str(written.prototxt), str(written.caffemodel))
    reference.enableFusion(False)
    reference.setInput(image)
    makers = {
        top: layer.name for layer in net.layers for top in layer.tops if assembly.blobs.get(top) in assembly.shapes
    }
    expected = reference.forward(list(makers.values()))
    names = {blob: str(assembly.blobs[blob]) for blob in makers}
    with torch.no_grad():
        found = GraphNetwork(assembly.graph, assembly.tensors)(torch.from_numpy(image), set(names.values()))
    differences = {
        blob: np.abs(found[names[blob]].numpy().ravel() - wanted.ravel()).max() / np.abs(wanted).max()
        for blob, wanted in zip(makers, expected, strict=True)
    }
    return differences, assembly


@pytest.mark.parametrize("name", NETWORKS)
def test_every_blob_is_that_of_opencv(name, tmp_path):
    net = NETWORKS[name]()
    differences, _ = differences_from_opencv(net.write(tmp_path), net.shapes["data"][1])
    assert len(differences) >= 14
    assert {blob: one for blob, one in differences.items() if one > 1e-4} == {}


def test_a_network_that_was_really_trained(faces):
    differences, assembly = differences_from_opencv(faces, 300)
    assert len(differences) >= 35
    assert {blob: one for blob, one in differences.items() if one > 1e-4} == {}
    assert set(assembly.left_out) == {"Permute", "PriorBox"}
