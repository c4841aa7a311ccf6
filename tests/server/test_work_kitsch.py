# SPDX-License-Identifier: GPL-3.0-or-later
"""Kitsch over the wire."""

from __future__ import annotations

import pytest

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import ImageError, MissingBlobError, RequestError, UnknownBrainError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.kitsch import KitschRequest, KitschResult

from .conftest import ended
from .process import png


def test_what_is_seen_in_one_image(client: DreamClient) -> None:
    blob = client.put_blob(png(96, 64))
    last = ended(client, KitschRequest((blob,)))
    assert isinstance(last.result, KitschResult), last
    (seen,) = last.result.seen
    assert seen.image == blob
    assert len(seen.classes) == 10
    assert [share for _, share in seen.classes] == sorted((share for _, share in seen.classes), reverse=True)
    assert sum(share for _, share in seen.families) == pytest.approx(1, abs=1e-3)
    assert last.result.distance is None
    assert KitschResult.from_json(last.result.to_json()) == last.result


def test_how_far_two_images_lie_apart(client: DreamClient) -> None:
    blobs = [client.put_blob(png(96, 64, seed)) for seed in (1, 2)]
    last = ended(client, KitschRequest((*blobs, blobs[0])))
    assert isinstance(last.result, KitschResult), last
    result = last.result
    assert [seen.image for seen in result.seen] == blobs, "each image once"
    assert result.distance is not None
    assert result.same_layer is not None
    assert result.other_layer is not None
    assert 0 < result.same_layer < result.other_layer < 2


def test_bad_requests(client: DreamClient) -> None:
    with pytest.raises(MissingBlobError):
        client.submit(KitschRequest(("0" * 64,)))
    blob = client.put_blob(png(96, 64))
    with pytest.raises(UnknownBrainError):
        client.submit(KitschRequest((blob,), "nobody"))
    last = ended(client, KitschRequest((blob, client.put_blob(b"no image"))))
    assert last.state is JobState.FAILED
    assert isinstance(last.error, ImageError)
    assert last.error.message.startswith("Image 2 is not")


@pytest.mark.parametrize(
    "wrong", [{"images": []}, {"images": "x"}, {"images": ["../x"]}, {"brain": ""}, {"brain": 5}, {"more": 1}]
)
def test_malformed_requests_are_refused(wrong: dict[str, object]) -> None:
    good = KitschRequest(("0" * 64,)).to_json()
    with pytest.raises(RequestError):
        KitschRequest.from_json(good | wrong)
