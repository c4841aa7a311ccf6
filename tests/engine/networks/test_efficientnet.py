# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import nn

from blender_deepdream.engine.lite0 import LITE0_BYTES, LITE0_SHA256, lite0_path, read_weights
from blender_deepdream.engine.networks.efficientnet import (
    BATCH_NORM_EPSILON,
    CLASSIFIER,
    EfficientNetLite0,
    block_strides,
    efficientnet_lite0,
    same_convolution,
)


@pytest.fixture(scope="module")
def state():
    return read_weights(lite0_path(), LITE0_BYTES, LITE0_SHA256)


def test_strides_of_the_blocks():
    assert block_strides() == (2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32, 32)


@pytest.mark.parametrize(
    ("conv", "norm", "stride"), [("_conv_stem", "_bn0", 2), ("_blocks.3._depthwise_conv", "_blocks.3._bn1", 2)]
)
def test_folding_changes_nothing_but_the_speed(state, conv, norm, stride):
    """Against the plain way: TensorFlow's padding, a convolution, then batch norm."""
    weight = state[f"{conv}.weight"]
    plain_norm = nn.BatchNorm2d(len(weight), eps=BATCH_NORM_EPSILON).eval()
    plain_norm.load_state_dict({name: state[f"{norm}.{name}"] for name in plain_norm.state_dict()}, strict=True)
    depthwise = weight.shape[1] == 1
    x = torch.randn(1, len(weight) if depthwise else 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pad = weight.shape[-1] - stride
    padded = nn.functional.pad(x, (pad // 2, pad - pad // 2, pad // 2, pad - pad // 2))
    expected = plain_norm(nn.functional.conv2d(padded, weight, None, stride, groups=len(weight) if depthwise else 1))
    torch.testing.assert_close(same_convolution(state, conv, norm, stride)(x), expected, rtol=1e-4, atol=1e-4)


def test_every_weight_of_the_file_is_used(state):
    network = EfficientNetLite0(state)
    norms = sum(name.endswith("running_mean") for name in state)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) - 1 == norms
    # where the file has kernels of 3 or 5, a strided convolution has one row and column of zeros more
    sides = [(conv.kernel_size[0] - 1) // 2 * 2 + 1 for conv in convolutions]
    grown = (conv.weight[..., -side:, -side:] for conv, side in zip(convolutions, sides, strict=True))
    counted = sum(weight.numel() + len(weight) for weight in grown)
    expected = sum(t.numel() for name, t in state.items() if "conv" in name or "_fc" in name or name.endswith("mean"))
    assert counted == expected


def test_it_still_knows_what_it_learnt(brain):
    squares = torch.zeros(1, 3, 224, 224)
    rows, columns = torch.meshgrid(torch.arange(224) // 16, torch.arange(224) // 16, indexing="ij")
    squares[:] = ((rows * 7 + columns * 3 + rows * columns) % 3 > 0).float()
    with torch.no_grad():
        scores = brain.activations(squares, ["_fc"])["_fc"].mean(dim=(2, 3))[0]
    assert "crossword puzzle" in [brain.card.classes[index] for index in scores.topk(3).indices]


def test_its_kernels_calculate_what_its_modules_do(state):
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)).requires_grad_()
    plain, quick = EfficientNetLite0(state).eval()(x), efficientnet_lite0(state)(x, [CLASSIFIER])[CLASSIFIER]
    torch.testing.assert_close(quick, plain, rtol=1e-3, atol=1e-3)
    expected, found = (torch.autograd.grad(value.square().sum(), x)[0] for value in (plain, quick))
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-3 * float(expected.abs().max()))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_may_be_stored_in_any_precision(state, kind):
    stored = {name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found, expected = (efficientnet_lite0(weights)(x, [CLASSIFIER])[CLASSIFIER] for weights in (stored, state))
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found.flatten(), expected.flatten(), dim=0) > 0.99
