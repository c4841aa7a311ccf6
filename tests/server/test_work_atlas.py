# SPDX-License-Identifier: GPL-3.0-or-later
"""An atlas over the wire."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blender_deepdream.protocol.atlas import AtlasRequest, AtlasResult
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import ImageError, InputError, MissingBlobError, UnknownLayerError
from blender_deepdream.protocol.jobs import JobState

from .conftest import ended
from .process import png

SMALL = AtlasRequest("lite0", ("_blocks.0", "_blocks.1:2"), side=32)


def test_an_atlas_from_end_to_end(client: DreamClient, tmp_path: Path) -> None:
    request = dataclasses.replace(SMALL, source=client.put_blob(png(40, 30)))
    job = client.submit(request)
    statuses = list(client.events(job.id))
    done = statuses[-1]
    assert isinstance(done.result, AtlasResult), done
    fractions = [status.progress.fraction for status in statuses if status.progress]
    assert fractions == sorted(fractions)
    assert max(status.preview for status in statuses) >= 1, "finished cells are shown"
    assert [layer for layer, _ in done.result.pictures] == list(request.layers)
    for index, (_, blob) in enumerate(done.result.pictures):
        client.get_blob(blob, tmp_path / f"{index}.jpg")
        with Image.open(tmp_path / f"{index}.jpg") as picture:
            assert (picture.format, picture.size) == ("JPEG", (32, 32))
            assert np.asarray(picture).std() > 5
    client.get_blob(done.result.sheet, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 64
    assert client.submit(request) == done, "nothing is dreamed again"


def test_what_an_atlas_cannot_be_of(client: DreamClient) -> None:
    with pytest.raises(MissingBlobError):
        client.submit(dataclasses.replace(SMALL, source="0" * 64))
    with pytest.raises(UnknownLayerError, match="nowhere"):
        client.submit(dataclasses.replace(SMALL, layers=("nowhere",)))
    for request, kind in (
        (dataclasses.replace(SMALL, channels=3), InputError),
        (dataclasses.replace(SMALL, layers=("_blocks.0",), channels=500), InputError),
        (dataclasses.replace(SMALL, source=client.put_blob(b"no image")), ImageError),
    ):
        last = ended(client, request)
        assert last.state is JobState.FAILED
        assert isinstance(last.error, kind)
        assert "/blobs/" not in str(last.error)
