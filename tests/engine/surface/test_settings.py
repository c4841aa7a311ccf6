# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting there is: on surfaces it changes the dream, or is refused in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.precision import automatic, halves_of
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.views import View
from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.settings import KNOBS, NOT_ON_SURFACES, DreamSettings
from blender_deepdream.protocol.surface import Sheet, SurfaceRequest
from blender_deepdream.protocol.surface import View as ViewBlobs

from .test_dream import CPU, sheets, wall

A = "a" * 64
REQUEST = SurfaceRequest((ViewBlobs(A, A, A, (0.0, 0.0, 2.0)),), (Sheet(A, 64),))

GUIDED = {"objective": "guide-cosine"}
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "layers": ((("_blocks.6", 1.0),), {}),
    "objective": ("mean", {}),
    "cosine_power": (4.0, GUIDED),
    "strength": (0.5, {}),
    "octaves": (3, {}),
    "octave_scale": (2.0, {}),
    "steps": (3, {}),
    "step_size": (0.03, {}),
    "jitter": (0, {}),
    "smoothing": (1, {}),
    "total_variation": (2.0, {}),
    "pull": (0.3, {}),
    "color": ("lightness", {}),
    "highlights": ("roll-off", {"exposure": 1.5}),
    "exposure": (-1.0, {}),
    "seed": (1, {}),
    "tile": (32, {}),
    "precision": ("float32" if "16" in automatic(CPU) else "bfloat16", {}),
}
"""What each setting is changed to, and what it takes beside that to mean anything."""
REFUSED: dict[str, Any] = {
    "zoom": 1.1,
    "rotate": 5.0,
    "shift_x": 0.1,
    "shift_y": 0.1,
    "seamless": "both",
    "coherence": 0.5,
}


def dreamt(views: list[View], brain: Brain, settings: DreamSettings) -> np.ndarray:
    noise = Image(np.random.default_rng(3).random((64, 64, 3), np.float32))
    guide = noise if settings.needs_guide else None
    result = finish(dream_surface(views, sheets(), brain, settings, guide))
    return np.stack([image.pixels for image in result.images])


def test_none_is_left_out() -> None:
    assert set(CHANGES) | set(REFUSED) | {"brain"} == set(KNOBS)
    assert set(REFUSED) == set(NOT_ON_SURFACES)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[View]:
    return [wall(tmp_path_factory.mktemp("wall"))]


@pytest.mark.parametrize("name", CHANGES)
def test_it_changes_the_dream(views: list[View], brain: Brain, quick: DreamSettings, name: str) -> None:
    value, beside = CHANGES[name]
    before = quick.replace(**beside)
    after = before.replace(**{name: value})
    if name == "precision" and not halves_of(CPU):
        with pytest.raises(SettingsError, match="does not work for brain 'lite0' on this device"):
            dreamt(views, brain, after)
        return
    assert not np.array_equal(dreamt(views, brain, after), dreamt(views, brain, before))


def test_the_brain_is_the_one_that_is_asked_for(quick: DreamSettings) -> None:
    squeezenet = quick.replace(brain="squeezenet", layers=(("lite0::_blocks.4", 1.0),))
    assert replace(REQUEST, settings=squeezenet).brains == ("squeezenet", "lite0")


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} means nothing to a surface: .+"):
        replace(REQUEST, settings=DreamSettings().replace(**{name: REFUSED[name]}))
