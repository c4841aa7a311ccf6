# SPDX-License-Identifier: GPL-3.0-or-later
"""Texels and pixels, both ways."""

from __future__ import annotations

import torch

from blender_deepdream.engine.surface.textures import Layout, Spots, filled


def spots(count: int = 200) -> Spots:
    generator = torch.Generator().manual_seed(3)
    return Spots(torch.arange(count) % 2, torch.rand(count, 2, generator=generator))


def test_a_texture_is_sampled_as_blender_does() -> None:
    layout = Layout((4, 8))
    ramp = torch.linspace(0, 1, 4).expand(1, 1, 4, 4).clone()
    texels = layout.join([ramp, torch.full((1, 1, 8, 8), 0.5)])
    places = torch.tensor([[0.125, 0.5], [0.875, 0.5], [0.0, 0.5], [0.3, 0.7]])
    seen = layout.footprint(Spots(torch.tensor([0, 0, 0, 1]), places)).sample(texels)
    assert torch.allclose(seen[0], torch.tensor([0.0, 1.0, 0.5, 0.5])), "at its edge it goes on at its other side"
    upper = torch.zeros(1, 1, 4, 4)
    upper[..., 0, :] = 1
    top = Layout((4,)).footprint(Spots(torch.tensor([0]), torch.tensor([[0.4, 0.875]]))).sample(upper.flatten(2)[0])
    assert torch.allclose(top, torch.ones(1, 1)), "v counts from below"


def test_splat_is_the_transpose_of_sample() -> None:
    layout = Layout((5, 7))
    print_ = layout.footprint(spots())
    generator = torch.Generator().manual_seed(4)
    texels, pixels = torch.rand(3, layout.count, generator=generator), torch.rand(3, 200, generator=generator)
    one = (print_.sample(texels) * pixels).sum()
    other = (texels * print_.splat(pixels, layout.count)).sum()
    assert torch.allclose(one, other, rtol=1e-4)


def test_split_undoes_join() -> None:
    layout = Layout((3, 5))
    sheets = [torch.rand(1, 3, side, side) for side in layout.sides]
    assert all(torch.equal(a, b) for a, b in zip(layout.split(layout.join(sheets)), sheets, strict=True))


def test_holes_are_filled_from_beside_them() -> None:
    values, weight = torch.zeros(1, 3, 40, 33), torch.zeros(1, 1, 40, 33)
    values[..., :10] = 0.25
    weight[..., :10] = 1
    full = filled(values, weight)
    assert torch.equal(full[..., :10], values[..., :10])
    assert torch.allclose(full, torch.full_like(full, 0.25), atol=1e-4)
    near = filled(values, weight, 2)
    assert float(near[..., 11].min()) > 0
    assert float(near[..., 20:].abs().max()) == 0
