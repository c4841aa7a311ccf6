# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor, fx, nn

from blender_deepdream.engine.networks.program import Program
from blender_deepdream.engine.networks.quick import has_kernels, quicken

if not has_kernels(torch.device("cpu")):
    pytest.skip("no oneDNN here", allow_module_level=True)


class Branches(nn.Module):
    """Convolutions, pooling, a sum, a concatenation, and something that no kernel is known for."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.stem, self.left, self.right = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.pool, self.soft = nn.MaxPool2d(3, 1, 1), nn.Softplus()
        self.end, self.halve = nn.Conv2d(16, 8, 1), nn.MaxPool2d(2)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3, generator=generator)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        stem = torch.relu(self.stem(x))
        summed = torch.relu(self.left(stem)) + self.soft(self.right(stem))
        joined = torch.cat([summed, self.pool(stem)], 1)
        last = self.halve(torch.relu(self.end(joined)))
        return {"early": stem, "late": joined, "again": stem, "last": self.pool(last)}


@pytest.fixture
def program() -> Program:
    made = quicken(fx.symbolic_trace(Branches()), torch.float32, {})
    assert isinstance(made, Program)
    return made


def image() -> Tensor:
    return torch.rand(1, 3, 20, 28, generator=torch.Generator().manual_seed(1)).requires_grad_()


def test_it_finds_what_the_graph_finds(program):
    x = image()
    expected = Branches()(x)
    with torch.no_grad():
        unobserved = program(x)
    for found in (program(x), unobserved):
        assert found.keys() == expected.keys()
        for name, value in found.items():
            torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)
    assert not unobserved["late"].requires_grad


@pytest.mark.parametrize("layers", [["early"], ["late"], ["last"], ["early", "late", "last"]])
def test_its_gradient_is_the_graphs(program, layers):
    x = image()
    (expected,), (found,) = (
        torch.autograd.grad(sum(values[name].square().sum() for name in layers), x)
        for values in (Branches()(x), program(x))
    )
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_a_gradient_may_be_asked_for_again(program):
    x = image()
    values = program(x)
    first, second = (torch.autograd.grad(values["late"].sum(), x, retain_graph=True)[0] for _ in range(2))
    (last,) = torch.autograd.grad(values["late"].sum(), x)
    assert torch.equal(first, second)
    assert torch.equal(first, last)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(values["late"].sum(), x)


def test_the_gradients_that_it_is_given_stay_as_they_are(program):
    values = program(image := torch.rand(1, 3, 20, 28).requires_grad_())
    given = {name: torch.rand_like(values[name]) for name in ("early", "late", "last")}
    before = {name: gradient.clone() for name, gradient in given.items()}
    torch.autograd.grad([values[name] for name in given], image, list(given.values()))
    assert all(torch.equal(given[name], before[name]) for name in given)


def test_a_graph_that_is_not_all_maps_is_left_as_it_is():
    class Shapes(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"layer": x.reshape(x.shape[0], -1)}

    traced = fx.symbolic_trace(Shapes())
    assert quicken(traced, torch.float32, {}) is traced


@pytest.mark.parametrize(("capability", "quick"), [("DEFAULT", False), ("AVX2", True), ("AVX512", True)])
def test_kernels_are_for_processors_that_are_quick_with_them(monkeypatch, capability, quick):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: capability)
    assert has_kernels(torch.device("cpu")) is quick
    assert not has_kernels(torch.device("meta"))
