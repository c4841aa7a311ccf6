# SPDX-License-Identifier: GPL-3.0-or-later
"""A training as Blender follows it, beside a server that is made up: what is sent, shown, kept, done about losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from blender_deepdream.addon.report import report_path
from blender_deepdream.addon.train_task import Training
from blender_deepdream.addon.training import TrainEvent, TrainJob, time_words, train
from blender_deepdream.protocol.errors import InputError, ServerUnavailableError
from blender_deepdream.protocol.jobs import JobState, JobStatus
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.protocol.training import Phase

from .made_up_server import BRAIN, DONE, JPEG, RESULT, SHA, Server, at


@pytest.fixture
def training(tmp_path: Path) -> Training:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(name.encode())
    return Training("mine", tmp_path / "set", tmp_path / "report", Recipe().replace(epochs=3))


@pytest.fixture
def job(training: Training) -> Callable[..., TrainJob]:
    def make(*servers: Server, **more: object) -> TrainJob:
        queue = list(servers)
        return TrainJob(replace(training, **more), lambda client: queue.pop(0), patience=0.05)

    return make


def last(events: Iterator[TrainEvent]) -> TrainEvent:
    return list(events)[-1]


def test_pictures_are_sent_and_the_brain_comes_back(job: Callable[..., TrainJob], tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"a photo")
    server = Server(at(1), at(2, accuracy=0.7), DONE)
    event = last(train(job(server, source=tmp_path / "photo.png", replace=True)))
    assert (event.brain, event.result, event.fraction) == (BRAIN, RESULT, 1.0)
    assert event.outcome.startswith("75% of the pictures it had not seen are named right, 50% where")
    assert server.sent == [b"a/1.png", b"a/2.png", b"b/1.png", b"b/2.png", b"a photo"]
    (request,) = server.asked
    assert [name for _, name in request.pictures] == ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
    assert (request.name, request.recipe.epochs, request.dream_source, request.replace) == ("mine", 3, SHA, True)
    for name in ("dreams", "curves", "confusion", "atlas"):
        assert report_path(tmp_path / "report", name) == tmp_path / "report" / f"{name}.png"
    assert server.cancelled == []


def test_what_happens_is_said_in_words() -> None:
    event = TrainEvent()
    assert event.text == "Beginning"
    assert replace(event, queued=1).text == "Waiting for 1 job before it"
    assert replace(event, progress=at(2, accuracy=0.784)).text == "Epoch 2 of 3: learning, 78% right, 2 min left"
    assert replace(event, progress=at(0, Phase.SORTING, eta=None)).text == "Sorting pictures into classes"
    assert [time_words(seconds) for seconds in (5, 89, 130, 6000)] == ["5 s", "89 s", "2 min", "1 h 40 min"]


def test_what_the_artist_should_know_is_said_once(job: Callable[..., TrainJob]) -> None:
    server = Server(at(1, said="The loss was no number."), at(1, said="The loss was no number."), at(2), DONE)
    notes = [event.note for event in train(job(server)) if event.note]
    assert notes == ["The loss was no number."]


def test_previews_become_a_picture_that_the_end_replaces(job: Callable[..., TrainJob], tmp_path: Path) -> None:
    server = Server(at(1), previews=1)
    steps = train(job(server))
    next(event for event in steps if event.picture)
    assert (tmp_path / "report" / "learning.jpg").read_bytes() == JPEG
    steps.close()
    list(train(job(Server(DONE))))
    names = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert names == ["atlas.png", "confusion.png", "curves.png", "dreams.png"]


def test_a_preview_that_is_gone_is_no_trouble(job: Callable[..., TrainJob]) -> None:
    assert last(train(job(Server(at(1), DONE, previews=-1)))).result == RESULT


def test_stop_keeps_the_best_so_far(job: Callable[..., TrainJob]) -> None:
    server = Server(at(1))
    asked = job(server)
    steps = train(asked)
    next(event for event in steps if event.progress)
    asked.stopped, server.kept = True, (BRAIN,)
    events = list(steps)
    assert events[0].text == "Stopping: the best brain so far is kept"
    assert (events[-1].brain, events[-1].result, events[-1].outcome) == (BRAIN, None, "It was stopped.")
    assert server.cancelled == [SHA]


def test_stop_before_there_is_a_brain_is_said(job: Callable[..., TrainJob]) -> None:
    server = Server(at(1))
    asked = job(server)
    steps = train(asked)
    next(event for event in steps if event.progress)
    asked.stopped = True
    assert (event := last(steps)).brain is None
    assert event.text == "It was stopped."


def test_whoever_stops_looking_leaves_the_training_to_go_on(job: Callable[..., TrainJob]) -> None:
    server = Server(at(1))
    steps = train(job(server))
    next(event for event in steps if event.job)
    steps.close()
    assert server.cancelled == []


def test_a_training_that_goes_on_is_followed_without_sending(job: Callable[..., TrainJob]) -> None:
    server = Server(at(2), DONE)
    assert last(train(job(server, job=SHA))).result == RESULT
    assert (server.sent, server.asked) == ([], [])


def test_a_lost_server_is_asked_again(job: Callable[..., TrainJob]) -> None:
    lost, found = Server(at(1), ServerUnavailableError("gone")), Server(at(2), DONE)
    events = list(train(job(lost, found)))
    assert events[-1].result == RESULT
    assert [event.note for event in events if event.note] == ["The server was lost: asking for the training again."]
    assert found.asked == lost.asked
    with pytest.raises(ServerUnavailableError, match="never there"):
        list(train(job(Server(at(1), ServerUnavailableError("gone")), NeverThere())))


class NeverThere(Server):
    def missing_blobs(self, blobs: Iterator[str]) -> set[str]:
        raise ServerUnavailableError("never there")


def test_errors_of_the_server_and_of_the_folder_reach_the_artist(job: Callable[..., TrainJob], tmp_path: Path) -> None:
    failed = JobStatus(SHA, JobState.FAILED, error=InputError("A class has one image."), kind="train")
    with pytest.raises(InputError, match="A class has one image"):
        list(train(job(Server(failed))))
    with pytest.raises(InputError, match="is not a folder"):
        list(train(job(Server(), pictures=tmp_path / "nowhere")))
