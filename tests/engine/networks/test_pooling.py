# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from blender_deepdream.engine.networks.kernels import Geometry
from blender_deepdream.engine.networks.pooling import Input, MaxPooling

GEOMETRIES = [(1, 1, False), (2, 0, True), (2, 1, False)]
"""Stride, padding, ceil."""


def found(x: Tensor, gradient: Tensor, stride: int, padding: int, ceil: bool, kind: Input) -> tuple[Tensor, Tensor]:
    """A pooling's result and gradient."""
    kernel = MaxPooling((3, 3), Geometry((stride,) * 2, (padding,) * 2), ceil, kind)
    output, kept = kernel.forward(x.contiguous(memory_format=torch.channels_last))
    return output, kernel.backward(kept, gradient)[0]


def expected(x: Tensor, stride: int, padding: int, ceil: bool, kind: Input) -> tuple[Tensor, Tensor, Tensor]:
    """What torch's own come to, in float32, and the gradient of the result that they were asked with."""
    x = x.float().requires_grad_()
    seen = functional.relu(x) if kind == "relu" else x
    output = functional.max_pool2d(seen, 3, stride, padding, ceil_mode=ceil)
    gradient = torch.randn(output.shape, generator=torch.Generator().manual_seed(1)).bfloat16().float()
    return output.detach(), torch.autograd.grad(output, x, gradient)[0], gradient


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["any", "positive", "relu"])
@pytest.mark.parametrize(("stride", "padding", "ceil"), GEOMETRIES)
def test_a_pooling_is_torchs_own(stride, padding, ceil, kind, precision):
    x = torch.randn(1, 5, 17, 22, generator=torch.Generator().manual_seed(0)).to(precision)
    x = x.abs() if kind == "positive" else x
    output, image_gradient, gradient = expected(x, stride, padding, ceil, kind)
    result, back = found(x, gradient.to(precision), stride, padding, ceil, kind)
    assert result.dtype == back.dtype == precision
    assert torch.equal(result.float(), output), "nothing is rounded"
    torch.testing.assert_close(
        back.float(), image_gradient, rtol=2e-2, atol=3e-2 if precision == torch.bfloat16 else 1e-5
    )


def test_a_map_too_large_for_16_bits_is_pooled():
    x = torch.rand(1, 2, 200, 200, generator=torch.Generator().manual_seed(0)).bfloat16()
    output, _, gradient = expected(x, 2, 0, True, "positive")
    result, _ = found(x, gradient.bfloat16(), 2, 0, True, "positive")
    assert torch.equal(result.float(), output)
