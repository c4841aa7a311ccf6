# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs against a real server and the real engine: what they are called, who wants them, how they end."""

from __future__ import annotations

import dataclasses
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from blender_deepdream.engine.images import read_image
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import (
    CancelledError,
    DeepDreamError,
    MissingBlobError,
    NotFoundError,
    UnknownBrainError,
    UnknownLayerError,
)
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.messages import ColorSpace, DreamRequest, DreamResult, Region

from .conftest import ended, finish, request_for, until_it_dreams
from .process import ServerProcess, png, png_of


def test_a_dream_from_end_to_end(client: DreamClient, quick_request: DreamRequest, tmp_path: Path) -> None:
    assert client.resolve(quick_request) == client.submit(quick_request).id
    seen = list(client.events(client.submit(quick_request).id))
    last = seen[-1]
    assert last.state is JobState.DONE
    assert isinstance(last.result, DreamResult)
    client.get_blob(last.result.image, tmp_path / "out.exr")
    (tmp_path / "in.png").write_bytes(png(48, 32))
    image = read_image(tmp_path / "out.exr", ColorSpace.SRGB)
    assert (image.width, image.height) == (last.result.width, last.result.height) == (48, 32)
    change = abs(image.pixels - read_image(tmp_path / "in.png").pixels)
    assert 0.001 < change.mean() < 0.2
    assert client.status(last.id) == last == client.submit(quick_request)


def test_a_mask_keeps_pixels_as_they_are(client: DreamClient, quick_request: DreamRequest, tmp_path: Path) -> None:
    black = png_of(8, 8, zlib.compress(bytes(8 * 25)))
    masked = finish(client, dataclasses.replace(quick_request, mask=client.put_blob(black))).result
    assert isinstance(masked, DreamResult)
    client.get_blob(masked.image, tmp_path / "out.exr")
    (tmp_path / "in.png").write_bytes(png(48, 32))
    kept, source = read_image(tmp_path / "out.exr", ColorSpace.SRGB), read_image(tmp_path / "in.png")
    assert (kept.pixels == source.pixels).all()
    assert finish(client, quick_request).result != masked


def test_a_guide_steers_and_is_part_of_the_id(client: DreamClient, quick_request: DreamRequest) -> None:
    guides = [client.put_blob(png(16, 16, seed)) for seed in (1, 2)]
    settings = quick_request.settings.replace(objective="guide-dot")
    first, second = (dataclasses.replace(quick_request, settings=settings, guide=guide) for guide in guides)
    assert len({client.resolve(request) for request in (quick_request, first, second)}) == 3
    ended = [finish(client, request).result for request in (first, second)]
    assert ended[0] != ended[1]
    with pytest.raises(MissingBlobError):
        client.submit(dataclasses.replace(first, guide=guides[0][::-1]))


def test_a_guide_that_is_no_image_is_said(client: DreamClient, quick_request: DreamRequest) -> None:
    settings = quick_request.settings.replace(objective="guide-cosine")
    request = dataclasses.replace(quick_request, settings=settings, guide=client.put_blob(b"nothing"))
    last = ended(client, request)
    assert last.error is not None
    assert "The guide is not" in last.error.message


def test_channels_belong_to_layers(client: DreamClient, quick_request: DreamRequest) -> None:
    def with_layers(*layers: tuple[str, float]) -> DreamRequest:
        return dataclasses.replace(quick_request, settings=quick_request.settings.replace(layers=layers))

    finish(client, with_layers(("_blocks.4:3+5", 1.0)))
    with pytest.raises(UnknownLayerError, match=r"_blocks\.99"):
        client.submit(with_layers(("_blocks.99:1", 1.0)))
    last = ended(client, with_layers(("_blocks.4:40", 1.0)))
    assert isinstance(last.error, UnknownLayerError)
    assert "40 channels" in last.error.hint


def test_regions_dream_and_are_part_of_the_id(client: DreamClient, quick_request: DreamRequest) -> None:
    mask = client.put_blob(png(8, 8, 3))
    regions = [Region(mask, (("_blocks.1", 1.0),)), Region(mask, (("class:peacock", 1.0),), "mean")]
    requests = [quick_request, *(dataclasses.replace(quick_request, regions=(region,)) for region in regions)]
    assert len({finish(client, request).result.image for request in requests}) == 3  # type: ignore[union-attr]
    damaged = dataclasses.replace(quick_request, regions=(Region(client.put_blob(b"no image")),))
    last = ended(client, damaged)
    assert last.error is not None
    assert "The mask of region 1 is not" in last.error.message
    with pytest.raises(UnknownBrainError, match="nobody"):
        client.submit(dataclasses.replace(quick_request, regions=(Region(mask, (("nobody::x", 1.0),)),)))
    with pytest.raises(MissingBlobError):
        client.submit(dataclasses.replace(quick_request, regions=(Region(mask[::-1]),)))


def test_an_image_of_nothing_needs_no_blob(client: DreamClient, quick_request: DreamRequest, tmp_path: Path) -> None:
    request = dataclasses.replace(quick_request, source="hue:40x24:7", color_space=ColorSpace.ACESCG)
    result = finish(client, request).result
    assert isinstance(result, DreamResult)
    assert (result.width, result.height) == (40, 24)
    with pytest.raises(DeepDreamError, match="size"):
        client.submit(dataclasses.replace(request, source="hue:0x24"))


def test_resolving_queues_nothing(client: DreamClient, quick_request: DreamRequest) -> None:
    job_id = client.resolve(dataclasses.replace(quick_request, source="1" * 64))
    assert len(job_id) == 64
    assert client.health()["queue"] == {"queued": 0, "running": None}


def test_the_default_layer_has_the_same_id_as_its_name(client: DreamClient, quick_request: DreamRequest) -> None:
    (brain,) = [brain for brain in client.brains() if brain.name == "lite0"]
    settings = quick_request.settings.replace(layers=brain.default_layers)
    assert client.resolve(quick_request) == client.resolve(dataclasses.replace(quick_request, settings=settings))
    other = quick_request.settings.replace(layers=[[brain.layers[0], 1]])
    assert client.resolve(quick_request) != client.resolve(dataclasses.replace(quick_request, settings=other))


def test_cancelling_stops_within_a_second(client: DreamClient, long_request: DreamRequest) -> None:
    job = client.submit(long_request)
    until_it_dreams(client, job.id)
    start = time.monotonic()
    client.cancel(job.id)
    *_, last = client.events(job.id)
    assert time.monotonic() - start < 1
    assert last.state is JobState.CANCELLED
    assert isinstance(last.error, CancelledError)
    again = client.submit(long_request)
    assert again.state in (JobState.QUEUED, JobState.RUNNING), "asked for again, it starts again"
    client.cancel(job.id)


def test_a_job_goes_on_while_somebody_wants_it(server: ServerProcess, long_request: DreamRequest) -> None:
    first, second, stranger = server.client("first"), server.client("second"), server.client("stranger")
    job = first.submit(long_request)
    assert second.submit(long_request).id == job.id
    until_it_dreams(first, job.id)
    assert first.cancel(job.id).state is JobState.RUNNING
    assert stranger.cancel(job.id).state is JobState.RUNNING
    time.sleep(0.2)
    assert second.status(job.id).state is JobState.RUNNING
    second.cancel(job.id)
    *_, last = second.events(job.id)
    assert last.state is JobState.CANCELLED


def test_wanted_again_while_it_is_being_stopped(client: DreamClient, long_request: DreamRequest) -> None:
    job = client.submit(long_request)
    until_it_dreams(client, job.id)
    client.cancel(job.id)
    client.submit(long_request)
    until_it_dreams(client, job.id)
    client.cancel(job.id)
    *_, last = client.events(job.id)
    assert last.state is JobState.CANCELLED


def test_jobs_wait_for_their_turn(client: DreamClient, long_request: DreamRequest) -> None:
    running = client.submit(long_request)
    until_it_dreams(client, running.id)
    waiting = [request_for(client, steps=1) for _ in range(3)]
    assert [client.submit(request).position for request in waiting] == [0, 1, 2]
    middle = client.cancel(client.resolve(waiting[1]))
    assert middle.state is JobState.CANCELLED, "what has not begun stops at once"
    last_id = client.resolve(waiting[2])
    assert client.status(last_id).position == 1
    client.cancel(running.id)
    assert finish(client, waiting[0])
    assert finish(client, waiting[2])
    assert client.status(middle.id).state is JobState.CANCELLED


def test_a_client_that_goes_away_loses_nothing(client: DreamClient) -> None:
    request = request_for(client, steps=20)
    job = client.submit(request)
    stream = client.events(job.id)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    *_, last = client.events(job.id)
    assert last.state is JobState.DONE


def test_the_event_stream_as_others_read_it(server: ServerProcess, client: DreamClient) -> None:
    job = client.submit(request_for(client, steps=3))
    address = f"{server.url}/v1/jobs/{job.id}/events"
    request = Request(address, headers={"Authorization": f"Bearer {server.token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=20) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        events = response.read().decode().strip().split("\n\n")
    names, data = zip(*(event.split("\n") for event in events), strict=True)
    assert set(names[:-1]) <= {"event: queued", "event: progress", "event: preview"}
    assert names[-1] == "event: done"
    states = [JobStatus.from_json(json.loads(line.removeprefix("data: "))) for line in data]
    fractions = [status.progress.fraction for status in states if status.progress]
    assert fractions == sorted(fractions)
    assert states[-1] == client.status(job.id)


def test_a_dream_shows_what_it_has_come_to(client: DreamClient, tmp_path: Path) -> None:
    source = client.put_blob(png(900, 300))
    job = client.submit(dataclasses.replace(request_for(client, steps=1000), source=source))
    with pytest.raises(NotFoundError):
        client.preview(job.id)
    numbers = (status.preview for status in client.events(job.id))
    assert next(number for number in numbers if number) == 1
    (tmp_path / "seen.jpg").write_bytes(client.preview(job.id))
    shown = read_image(tmp_path / "seen.jpg")
    assert (shown.width, shown.height) == (512, 171)
    assert next(number for number in numbers if number > 1) == 2, "and it goes on"
    client.cancel(job.id)
    *_, last = client.events(job.id)
    assert last.preview == 0
    with pytest.raises(NotFoundError, match="no preview"):
        client.preview(job.id)


def test_results_outlive_the_server(start_server: Callable[..., ServerProcess]) -> None:
    first = start_server()
    client = first.client()
    request = request_for(client, steps=2)
    done = finish(client, request)
    assert isinstance(done.result, DreamResult)
    first.kill()
    second = start_server()
    again = second.client()
    assert again.status(done.id) == done
    assert again.submit(request) == done, "nothing is dreamed again"

    blob = second.data / "blobs" / done.result.image
    bits = blob.read_bytes()
    blob.write_bytes(bits[:-1] + bytes([bits[-1] ^ 1]))
    assert again.submit(request).state is not JobState.DONE, "damage is found out"
    repaired = finish(again, request)
    assert isinstance(repaired.result, DreamResult)
    assert repaired.result.image == done.result.image, "the same id, the same bits"
    assert blob.read_bytes() == bits

    blob.unlink()
    assert finish(again, request).result is not None
    assert blob.read_bytes() == bits
    (second.data / "results" / f"{done.id}.json").write_text("{")
    assert finish(again, request).id == done.id


def test_a_damaged_source_is_asked_for_again(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    client = server.client()
    request = request_for(client, steps=1)
    (server.data / "blobs" / request.source).write_bytes(b"rotten")
    last = ended(client, request)
    assert isinstance(last.error, MissingBlobError)
    assert not client.has_blob(request.source)
    client.put_blob(png(48, 32))
    finish(client, request)


def test_two_servers_share_a_folder(start_server: Callable[..., ServerProcess]) -> None:
    one, other = start_server().client(), start_server().client()
    request = request_for(one, steps=1)
    assert other.has_blob(request.source)
    ids = [client.submit(request).id for client in (one, other)]
    assert ids[0] == ids[1]
    ends = [list(client.events(ids[0]))[-1] for client in (one, other)]
    assert isinstance(ends[0].result, DreamResult)
    assert isinstance(ends[1].result, DreamResult)
    assert ends[0].result.image == ends[1].result.image
