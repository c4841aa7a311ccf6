# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces as they cross the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blender_deepdream.protocol.errors import RequestError, SettingsError
from blender_deepdream.protocol.jobs import request_from_json
from blender_deepdream.protocol.messages import Depth
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.protocol.surface import Sheet, SurfaceRegion, SurfaceRequest, SurfaceResult, View

A, B, C, D = (letter * 64 for letter in "abcd")
REQUEST = SurfaceRequest((View(A, B, C, (0.0, -3.0, 1.5)),), (Sheet(D, 512),), depth=Depth.HALF)


def test_regions_there_and_back() -> None:
    guided = SurfaceRegion((A,), (("squeezenet::fire9", 1.0),), "guide-dot", B)
    request = replace(REQUEST, sheets=(Sheet(D, 512, C),), regions=(guided, SurfaceRegion((D,))))
    assert request_from_json(request.to_json()) == request
    assert request.blobs == (A, B, C, D)
    assert request.brains == ("lite0", "squeezenet")
    assert guided.settings(request.settings).objective == "guide-dot"


def test_there_and_back() -> None:
    assert request_from_json(REQUEST.to_json()) == REQUEST
    assert REQUEST.blobs == (A, B, C, D)
    whole = replace(REQUEST, views=(View(A, A, A, (0.0, -3.0, 1.5), B),))
    assert request_from_json(whole.to_json()) == whole
    assert whole.blobs == (A, B, D)
    assert REQUEST.brains == ("lite0",)
    deep = replace(REQUEST, relief=0.5)
    assert request_from_json(deep.to_json()) == deep
    result = SurfaceResult((A, B), 0.9, 12.5, (C, D))
    assert SurfaceResult.from_json(result.to_json()) == result
    assert result.blobs == (A, B, C, D)
    assert SurfaceResult.from_json({"textures": [A], "coverage": 1, "seconds": 2}) == SurfaceResult((A,), 1.0, 2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"views": []},
        {"views": [{"dark": A, "light": B, "facts": "x", "eye": [0, 0, 0]}]},
        {"views": [{"dark": A, "light": B, "facts": C, "eye": [0, 0]}]},
        {"views": [{"dark": A, "light": B, "facts": C, "behind": "x", "eye": [0, 0, 0]}]},
        {"views": [{"dark": A, "light": B, "facts": C, "eye": [0, 0, float("nan")]}]},
        {"sheets": [{"base": D, "side": 8193}]},
        {"sheets": [{"base": D, "side": True}]},
        {"sheets": [{"base": D, "side": 512}] * 65},
        {"color_space": "sRGB"},
        {"depth": "16"},
        {"regions": [{"masks": []}]},
        {"regions": [{"masks": [A, A]}]},
        {"regions": [{"masks": "x" * 64}]},
        {"regions": [{"masks": ["x"]}]},
        {"regions": [{"masks": [A], "steps": 3}]},
        {"regions": [{"masks": [A]}] * 17},
        {"relief": -1},
        {"relief": 5},
        {"relief": True},
        {"relief": "deep"},
        {"relief": float("nan")},
        {"more": 1},
    ],
)
def test_bad_requests(wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        request_from_json(REQUEST.to_json() | wrong)


@pytest.mark.parametrize(
    "region",
    [
        SurfaceRegion((D,), objective="guide-dot"),
        SurfaceRegion((D,), guide=A),
        SurfaceRegion((D,), (("_blocks.9", 1.0),), "direction"),
    ],
)
def test_wishes_that_a_region_cannot_have(region: SurfaceRegion) -> None:
    with pytest.raises(SettingsError):
        replace(REQUEST, regions=(region,))


@pytest.mark.parametrize("setting", [{"zoom": 1.1}, {"seamless": "both"}, {"objective": "guide-dot"}])
def test_settings_that_a_surface_cannot_have(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        SurfaceRequest(REQUEST.views, REQUEST.sheets, DreamSettings().replace(**setting))
