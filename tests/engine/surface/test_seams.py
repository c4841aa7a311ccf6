# SPDX-License-Identifier: GPL-3.0-or-later
"""Beyond the edge of an island its texture goes on, and both sides of the edge come to the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from blender_deepdream.engine.surface.seams import beyond_edges
from blender_deepdream.engine.surface.sight import Sight
from blender_deepdream.engine.surface.textures import Layout
from blender_deepdream.engine.surface.ties import tied
from blender_deepdream.engine.surface.views import read_view
from blender_deepdream.protocol.messages import ColorSpace

from .test_measures import SIDE, island_edge
from .walls import write_view

MIDDLE = SIDE // 2


def test_pixels_beyond_an_edge_have_a_place_where_the_island_before_it_goes_on() -> None:
    passes = island_edge()
    found = beyond_edges(passes)
    rows, columns = found.pixel // SIDE, found.pixel % SIDE
    assert set(columns) == {MIDDLE - 2, MIDDLE - 1, MIDDLE, MIDDLE + 1}
    assert len(found.pixel) == 4 * SIDE, "each of them once"
    u = (columns + 0.5) / SIDE * 0.5
    expected = np.where(columns < MIDDLE, u + 0.4, u)
    assert np.allclose(found.place[:, 0], expected, atol=1e-4)
    assert np.allclose(found.place[:, 1], passes.places[rows, columns, 1], atol=1e-4)


def test_an_island_that_has_no_edge_goes_on_nowhere() -> None:
    passes = island_edge()
    passes.places[..., 0] = passes.positions[..., 0] / 2
    assert not len(beyond_edges(passes).pixel)


def test_a_texture_that_goes_on_at_its_other_side_has_no_edge_there() -> None:
    passes = island_edge()
    passes.places[..., 0] = (passes.positions[..., 0] + 0.5) % 1
    assert not len(beyond_edges(passes).pixel)


@pytest.mark.parametrize("name", ["positions", "normals"])
def test_what_lies_behind_or_round_a_corner_is_no_neighbour(name: str) -> None:
    passes = island_edge()
    getattr(passes, name)[:, MIDDLE:] += (0, 9, -1)
    assert not len(beyond_edges(passes).pixel)


def test_where_two_sheets_meet_each_goes_on() -> None:
    passes = island_edge()
    passes.sheet[:, MIDDLE:] = 2
    found = beyond_edges(passes)
    assert set(found.sheet[found.pixel % SIDE < MIDDLE]) == {2}
    assert set(found.sheet[found.pixel % SIDE >= MIDDLE]) == {1}


@pytest.mark.parametrize("value", [0.0, 3e38, -3e38])
def test_numbers_of_no_use_are_harmless(value: float) -> None:
    passes = island_edge()
    passes.positions[::3] = passes.normals[::5] = value
    assert np.isfinite(beyond_edges(passes).place).all()


def test_both_sides_of_an_edge_come_to_the_same(tmp_path: Path) -> None:
    """Both halves of the wall lie on the same sheet, one upside down."""
    dark, light, facts = write_view(tmp_path, sheets=1, turned=True)
    device = torch.device("cpu")
    view = read_view(dark, light, facts, (0.0, 0.0, 2.0), ColorSpace.LINEAR_REC709, sheets=1, device=device)
    layout = Layout((48,))
    sight = Sight.of(view, layout)
    texels = torch.rand(3, layout.count, generator=torch.Generator().manual_seed(0))
    number = view.second.number

    def gap(values: torch.Tensor) -> float:
        return float((sight.first.part(number).sample(values) - sight.second.sample(values)).abs().mean())

    after = tied(texels, [sight], sight.first.splat(view.weight[None], layout.count))
    assert gap(after) < 0.5 * gap(texels)
    change = layout.split(after - texels)[0]
    assert float(change[..., :10].abs().max()) == 0, "what lies far from edges stays as it is"
