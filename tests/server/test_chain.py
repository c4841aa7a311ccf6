# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of a shot, each holding on to the one before, against a real server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blender_deepdream.engine.images import read_image
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import ImageError, MissingBlobError
from blender_deepdream.protocol.follows import Follows
from blender_deepdream.protocol.messages import DreamRequest, DreamResult

from ..engine.exr_files import write_channels
from .conftest import ended, finish, request_for
from .process import png


def dreamed(client: DreamClient, request: DreamRequest) -> DreamResult:
    last = finish(client, request)
    assert isinstance(last.result, DreamResult)
    return last.result


@pytest.fixture
def first(client: DreamClient) -> DreamRequest:
    return replace(request_for(client, steps=4), keep=True)


def passes(client: DreamClient, folder: Path, size: tuple[int, int] = (48, 32), names: str = "XYZW") -> str:
    """A still frame's Vector and Depth passes."""
    flat = np.zeros(size[::-1], np.float32)
    channels = {"View.Depth.Z": flat + 5} | {f"View.Vector.{axis}": flat for axis in names}
    write_channels(folder / "passes.exr", channels)
    return client.put_blob((folder / "passes.exr").read_bytes())


def change(client: DreamClient, one: DreamResult, other: DreamResult, folder: Path) -> float:
    images = []
    for number, result in enumerate((one, other)):
        client.get_blob(result.image, folder / f"{number}.exr")
        images.append(read_image(folder / f"{number}.exr").pixels)
    return float(np.abs(images[0] - images[1]).mean())


def test_a_frame_holds_on_to_the_one_before(client: DreamClient, first: DreamRequest, tmp_path: Path) -> None:
    before = dreamed(client, first)
    assert before.detail is not None
    still = passes(client, tmp_path)
    alone = replace(first, settings=first.settings.replace(seed=first.settings.seed + 1000))
    by_vectors, by_flow = (
        replace(alone, follows=Follows(before.detail, first.source, motion, motion)) for motion in (still, None)
    )
    free = change(client, before, dreamed(client, alone), tmp_path)
    assert change(client, before, dreamed(client, by_vectors), tmp_path) < 0.5 * free
    assert change(client, before, dreamed(client, by_flow), tmp_path) < 0.7 * free
    assert len({client.resolve(request) for request in (alone, by_vectors, by_flow)}) == 3


def test_a_detail_is_kept_only_where_it_was_asked_for(client: DreamClient, first: DreamRequest) -> None:
    assert dreamed(client, replace(first, keep=False)).detail is None


def test_what_the_frame_before_needs_must_be_there(client: DreamClient, first: DreamRequest) -> None:
    with pytest.raises(MissingBlobError):
        client.submit(replace(first, follows=Follows("0" * 64, first.source)))


def failure(client: DreamClient, request: DreamRequest) -> ImageError:
    last = ended(client, request)
    assert isinstance(last.error, ImageError), last
    return last.error


def test_what_does_not_fit_is_said(client: DreamClient, first: DreamRequest, tmp_path: Path) -> None:
    detail = dreamed(client, first).detail
    assert detail is not None
    small = passes(client, tmp_path, (20, 10))
    error = failure(client, replace(first, follows=Follows(detail, first.source, small, small)))
    assert "another size" in error.message
    blind = passes(client, tmp_path, names="XY")
    error = failure(client, replace(first, follows=Follows(detail, first.source, blind, blind)))
    assert error.message.endswith("has no Vector pass.")
    other = client.put_blob(png(60, 40))
    error = failure(client, replace(first, source=other, follows=Follows(detail, first.source)))
    assert "another size" in error.message
    picture = client.put_blob(png(48, 32, 9))
    error = failure(client, replace(first, follows=Follows(picture, first.source)))
    assert "The dream of the frame before is not" in error.message
