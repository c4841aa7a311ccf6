# SPDX-License-Identifier: GPL-3.0-or-later
import gc
import itertools
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from blender_deepdream.engine.networks.kernels import (
    Activation,
    Convolution,
    Geometry,
    Kernel,
)
from blender_deepdream.engine.networks.pooling import MaxPooling
from blender_deepdream.engine.networks.program import Program, Step
from blender_deepdream.engine.precision import halves_of

if not torch._C._has_mkldnn:
    pytest.skip("no oneDNN here", allow_module_level=True)

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "none": torch.clone,
    "relu": functional.relu,
    "relu6": functional.relu6,
}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def as_network(kernel: Kernel) -> Callable[[Tensor], Tensor]:
    program = Program("image", [Step("found", kernel, ("image",))], {"layer": "found"})
    return lambda x: program(x)["layer"]


def compared(kernel: Kernel, expected: Tensor, x: Tensor) -> None:
    """Result and gradient of a kernel, beside those of torch's own operation."""
    kept = noise(*expected.shape, seed=1)
    (wanted,) = torch.autograd.grad(expected, x, kept)
    found = as_network(kernel)(x)
    (gradient,) = torch.autograd.grad(found, x, kept)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (5, 1), (7, 2), (11, 4), (2, 3)])
@pytest.mark.parametrize("inputs", [3, 16])
def test_a_convolution_is_torchs_own(kernel, stride, inputs):
    for padding, dilation, groups, activation in itertools.product((0, 1, 3), (1, 2), (1, 2, inputs), ACTIVATIONS):
        if inputs % groups or dilation * (kernel - 1) >= 17:
            continue
        weight, bias = noise(48, inputs // groups, kernel, kernel), noise(48)
        x = noise(1, inputs, 17, 22).contiguous(memory_format=torch.channels_last).requires_grad_()
        plain = functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
        geometry = Geometry((stride,) * 2, (padding,) * 2, (dilation,) * 2, groups)
        compared(Convolution(weight, bias, geometry, activation), ACTIVATIONS[activation](plain), x)


def test_a_convolution_adds_its_gradient_to_another():
    for geometry, inputs in ((Geometry(), 16), (Geometry((2, 2)), 3), (Geometry((2, 2)), 16)):
        x, weight = noise(1, inputs, 12, 12).contiguous(memory_format=torch.channels_last), noise(8, inputs, 1, 1)
        kernel, before = Convolution(weight, None, geometry, "relu"), noise(*x.shape, seed=2)
        output, kept = kernel.forward(x)
        gradient = noise(*output.shape, seed=1).contiguous(memory_format=torch.channels_last)
        onto = before.contiguous(memory_format=torch.channels_last)
        kernel.backward(kept, gradient, onto=onto)
        torch.testing.assert_close(onto, before + kernel.backward(kept, gradient)[0], rtol=1e-4, atol=1e-4)


def test_a_gradient_may_be_asked_for_twice():
    x = noise(1, 3, 8, 8).requires_grad_()
    found = as_network(Convolution(noise(4, 3, 3, 3), None, Geometry(), "relu"))(x)
    first, second = (torch.autograd.grad(found.sum(), x, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_what_is_kept_for_the_gradient_goes_with_the_result():
    """Without waiting for Python to look for cycles: a tile's activations are hundreds of megabytes."""
    kernels: list[Kernel] = [
        Convolution(noise(4, 3, 3, 3), None, Geometry(), "relu"),
        MaxPooling((2, 2), Geometry((2, 2)), False, "relu"),
    ]
    for kernel in kernels:
        found = as_network(kernel)(noise(1, 3, 8, 8).requires_grad_())
        kept = weakref.ref(found)
        gc.disable()
        try:
            del found
            assert kept() is None
        finally:
            gc.enable()


@pytest.mark.skipif("bfloat16" not in halves_of(torch.device("cpu")), reason="no bfloat16 on this CPU")
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (1, 16), (2, 16)])
def test_half_precision_is_nearly_the_same(stride, groups):
    x, weight, bias = noise(1, 16, 20, 20), noise(32, 16 // groups, 3, 3), noise(32)
    geometry = Geometry((stride, stride), groups=groups)
    exact = Convolution(weight, bias, geometry)
    half = Convolution(weight.bfloat16(), bias.bfloat16(), geometry)
    (expected, kept), (found, half_kept) = exact.forward(x), half.forward(x.bfloat16())
    gradient = torch.ones_like(expected)
    pairs = [(found, expected), (half.backward(half_kept, gradient.bfloat16())[0], exact.backward(kept, gradient)[0])]
    for mine, wanted in pairs:
        assert mine.dtype == torch.bfloat16
        assert (mine.float() - wanted).norm() < 0.01 * wanted.norm()
