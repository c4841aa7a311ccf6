# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainings over the wire: to a brain in the library, interrupted in all ways, and what is refused."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.brains import BrainResult, ImportBrainRequest
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import CancelledError, InputError, MissingBlobError, UnknownBrainError
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.picture_folder import send_pictures
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.training import Phase, TrainProgress, TrainRequest, TrainResult

from .conftest import linux_only, request_for
from .process import ServerProcess, wait_for
from .shapes import KINDS, draw_shapes, save_small_base

QUICK = Recipe().replace(base="small", epochs=2, side=32, batch=6, clarity=0.2)
LONG = QUICK.replace(epochs=5000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("shapes") / "pictures")


@pytest.fixture
def send(tmp_path: Path, folder: Path) -> Callable[[DreamClient, Recipe], TrainRequest]:
    """Bring a brain that learns and a folder of pictures to a server; returns what asks for their training."""

    def to(client: DreamClient, recipe: Recipe) -> TrainRequest:
        if "small" not in (brain.name for brain in client.brains()):
            file = client.put_blob(save_small_base(tmp_path / "small.safetensors"))
            *_, last = client.events(client.submit(ImportBrainRequest(file=file, name="small")).id)
            assert isinstance(last.result, BrainResult), last
        return TrainRequest("mine", finish(send_pictures(client, folder)), recipe)

    return to


def phases(statuses: list[JobStatus]) -> Iterator[Phase]:
    return (status.progress.phase for status in statuses if isinstance(status.progress, TrainProgress))


def until_epoch(client: DreamClient, job_id: str, epoch: int) -> None:
    for status in client.events(job_id):
        assert not status.state.ended, status
        if isinstance(status.progress, TrainProgress) and status.progress.epoch >= epoch:
            return


def test_a_training_from_end_to_end(
    start_server: Callable[..., ServerProcess],
    send: Callable[[DreamClient, Recipe], TrainRequest],
    tmp_path: Path,
) -> None:
    client = start_server().client()
    request = send(client, QUICK)
    job = client.submit(request)
    statuses = list(client.events(job.id))
    done = statuses[-1]
    assert isinstance(done.result, TrainResult), done
    assert done.result.classes == KINDS
    assert done.result.images == 18
    assert 0 <= done.result.validation_accuracy <= 1
    assert done.result.robust_accuracy is not None
    fractions = [status.progress.fraction for status in statuses if status.progress]
    assert fractions == sorted(fractions)
    assert Phase.ATLAS in phases(statuses)
    for blob in done.result.blobs:
        client.get_blob(blob, tmp_path / blob)
        with Image.open(tmp_path / blob) as picture:
            assert min(picture.size) > 100
    assert client.brain("mine").info == done.result.brain
    *_, dreamed = client.events(client.submit(request_for(client, brain="mine", steps=1)).id)
    assert dreamed.state is JobState.DONE, dreamed
    assert client.submit(request) == done, "nothing is trained again"
    with pytest.raises(InputError, match="mine"):
        raise ended(client, dataclasses.replace(request, recipe=QUICK.replace(seed=1)))


def ended(client: DreamClient, request: TrainRequest) -> Exception:
    *_, last = client.events(client.submit(request).id)
    assert last.error is not None, last
    return last.error


def test_a_training_that_is_cancelled_keeps_its_best_brain_and_goes_on(
    start_server: Callable[..., ServerProcess], send: Callable[[DreamClient, Recipe], TrainRequest]
) -> None:
    client = start_server().client()
    request = send(client, LONG)
    job = client.submit(request)
    until_epoch(client, job.id, 3)
    assert client.preview(job.id).startswith(b"\xff\xd8")
    client.cancel(job.id)
    *_, last = client.events(job.id)
    assert last.state is JobState.CANCELLED
    assert isinstance(last.error, CancelledError)
    assert "'mine' is the best so far" in last.error.message
    assert "mine" in (brain.name for brain in client.brains())
    assert client.submit(request).id == job.id
    first = next(
        status.progress
        for status in client.events(job.id)
        if isinstance(status.progress, TrainProgress) and status.progress.phase is Phase.TRAINING
    )
    assert first.epoch >= 3
    client.cancel(job.id)


def test_a_dream_comes_first(
    start_server: Callable[..., ServerProcess], send: Callable[[DreamClient, Recipe], TrainRequest]
) -> None:
    client = start_server().client()
    training = client.submit(send(client, LONG))
    until_epoch(client, training.id, 2)
    *_, dreamed = client.events(client.submit(request_for(client, steps=1)).id)
    assert dreamed.state is JobState.DONE, dreamed
    until_epoch(client, training.id, 3)
    assert client.cancel(training.id).state in (JobState.RUNNING, JobState.QUEUED)
    *_, last = client.events(training.id)
    assert last.state is JobState.CANCELLED
    assert "mine" in (brain.name for brain in client.brains())


@linux_only
def test_a_worker_that_is_killed_goes_on(
    start_server: Callable[..., ServerProcess], send: Callable[[DreamClient, Recipe], TrainRequest]
) -> None:
    server = start_server()
    client = server.client()
    job = client.submit(send(client, QUICK.replace(epochs=60)))
    until_epoch(client, job.id, 3)
    os.kill(server.worker_pid(), signal.SIGKILL)
    statuses = list(client.events(job.id))
    assert isinstance(statuses[-1].result, TrainResult), statuses[-1]
    epochs = [status.progress.epoch for status in statuses if isinstance(status.progress, TrainProgress)]
    assert min(epoch for epoch in epochs if epoch) >= 3, "what was learned was lost"


def test_what_cannot_be_trained(
    start_server: Callable[..., ServerProcess], send: Callable[[DreamClient, Recipe], TrainRequest]
) -> None:
    client = start_server().client()
    request = send(client, QUICK)
    with pytest.raises(UnknownBrainError):
        client.submit(dataclasses.replace(request, recipe=QUICK.replace(base="nobody")))
    with pytest.raises(MissingBlobError):
        client.submit(dataclasses.replace(request, pictures=(("0" * 64, "a/b.png"),)))
    text = client.put_blob(b"no picture")
    one_class = [picture for picture in request.pictures if picture[1].startswith(KINDS[0])]
    for change, said in (
        ({"name": "lite0"}, "lite0"),
        ({"name": "../../x"}, "cannot be called"),
        ({"pictures": ((text, "a/1.png"), (text, "b/1.png"))}, "nothing to learn"),
        ({"pictures": tuple(one_class)}, "one class"),
        ({"dream_source": text}, "The image to dream from"),
        ({"recipe": QUICK.replace(trains="nothing")}, "nothing"),
    ):
        error = ended(client, dataclasses.replace(request, **change))
        assert isinstance(error, InputError)
        assert said in str(error)
        assert "/trainings/" not in str(error)
        assert "/blobs/" not in str(error)
    assert wait_for(lambda: client.health()["queue"]["running"] is None)
