# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that takes connections and answers nothing, as after a laptop's sleep: no step of work waits for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import runtime
from blender_deepdream.addon.operators.server import _try
from blender_deepdream.addon.pipeline import dream_frames
from blender_deepdream.addon.run import Event
from blender_deepdream.addon.runtime import ServerChoice
from blender_deepdream.addon.train_task import Training, TrainTask
from blender_deepdream.protocol.errors import NotFoundError, SceneError, ServerUnavailableError
from blender_deepdream.protocol.jobs import JobStatus

from .conftest import MakeJob, only_node, run
from .made_up_server import SHA, Server

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
LIMIT_SECONDS = 10
"""Less than the client's patience with a silent server, and far more than a step takes."""


@contextmanager
def stopped_server() -> Iterator[None]:
    process = runtime._server.process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@contextmanager
def quick() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < LIMIT_SECONDS


def first(steps: Iterator[Event], stage: str, times: int = 1) -> None:
    """Go on to the event of this stage, each step quickly."""
    while times:
        with quick():
            times -= next(steps).stage == stage


def test_cancelling_in_mid_dream(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    only_node(dreaming).group.deepdream.steps = 1000
    steps = dream_frames(make_job(dreaming))
    for event in steps:
        if event.stage == "dream":
            break
    with stopped_server(), quick():
        steps.close()


@pytest.mark.parametrize("patience", [0, 0.1])
def test_asking_whether_a_dream_is_still_good(dreaming: bpy.types.Scene, make_job: MakeJob, patience: float) -> None:
    run(make_job(dreaming))
    steps = dream_frames(make_job(dreaming, patience=patience))
    first(steps, "render")
    with stopped_server():
        first(steps, "transfer", times=3)
        with quick():
            steps.close()


def test_asking_for_the_frame_before(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    only_node(dreaming).group.deepdream.endless = True
    run(make_job(dreaming, [1]))
    steps = dream_frames(make_job(dreaming, [2], patience=0))
    first(steps, "render")
    with stopped_server():
        first(steps, "capture", times=3)
        with quick():
            steps.close()


def test_going_on_with_a_server_that_answers_again(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    run(make_job(dreaming))
    steps = dream_frames(make_job(dreaming, patience=0))
    first(steps, "render")
    with stopped_server():
        first(steps, "transfer", times=3)
    assert [event.stage for event in steps][-1] == "finished"


def test_replacing_it(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    run(make_job(dreaming))
    hung = runtime._server.process
    os.kill(hung.pid, signal.SIGSTOP)
    state = bpy.context.window_manager.deepdream
    state.surface.error, state.surface.code = "It does not answer.", ServerUnavailableError.code
    state.image.error, state.image.code = "It has no pixels.", SceneError.code
    with quick():
        assert bpy.ops.deepdream.restart_server() == {"FINISHED"}
    assert hung.poll() is not None
    assert (state.surface.error, state.image.error) == ("", "It has no pixels."), "what is no longer so goes"
    assert not bpy.ops.deepdream.restart_server.poll()
    assert run(make_job(dreaming))[-1] == "finished"


def test_the_connection_being_tried() -> None:
    client = runtime.connect(ServerChoice())
    with stopped_server():
        steps = _try(lambda: client, 0)
        with quick():
            assert next(steps).text == "Asking the dream server"
            assert next(steps).text == "Asking the dream server"
    assert [step.text for step in steps][-1].startswith("It answers")


class Silent(Server):
    """It answers a cancel when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    def cancel(self, job: str) -> JobStatus:
        self.let.wait(3 * LIMIT_SECONDS)
        super().cancel(job)
        raise NotFoundError("It has ended.")


def test_stopping_a_training(tmp_path: Path) -> None:
    server = Silent()
    task = TrainTask(server, Training("mine", tmp_path, tmp_path / "report", job=SHA))
    with quick():
        task.stop()
    server.let.set()
    with pytest.raises(NotFoundError, match="It has ended"):
        for _ in task.news(LIMIT_SECONDS):
            pass
    task.leave()
