# SPDX-License-Identifier: GPL-3.0-or-later
"""A quick test of one node's dream: at a part of the size, or of the render border alone; nothing of it is kept.

The scene is set to that size while its 3D renders and while the node's input is captured, and is set back before it
dreams. What the cache holds, and what the node shows, stays as it is.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from ..protocol.errors import SceneError
from ..protocol.messages import DreamRequest, Progress
from . import node, rendering
from .conversation import Conversation, Watch
from .node import DreamNode
from .render_job import holding, runs_in_window
from .request import make_request
from .restore import Restore
from .run import Event, Job
from .sight import Files, captured_sight
from .task import Preview
from .timeline import go_to, scene_of

_LEAST_SIDE = 96
"""Pixels of the shorter side of a test, if the frame has as many: smaller ones tell nothing."""


@dataclass(frozen=True)
class QuickTest:
    """job: of one frame; its cache is not touched. node: the id of what is tested. percentage: of the size, where no
    border is set. result: gets the dream, an EXR."""

    job: Job
    node: str
    percentage: int
    result: Path


def quick_test(test: QuickTest) -> Iterator[Event]:
    """Dream it. Raises DeepDreamError."""
    job = test.job
    dream = _tested(test)
    rendering.check_scene(job.scene)
    scene_id = job.scene.session_uid
    event = Event(job.frames[0], 0, 1, "server")
    server = Conversation(job.connect, job.patience, job.seconds)
    with tempfile.TemporaryDirectory(prefix="deepdream-test-", dir=bpy.app.tempdir, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        yield from (event for _ in server.meet())
        event = replace(event, stage="render")
        yield event
        test = replace(test, job=replace(job, scene=scene_of(scene_id)))  # there may have been an undo meanwhile
        yield from (event for _ in _captured(test, dream, folder))
        request, files = _request(test, dream, folder)
        event = replace(event, stage="transfer", node=dream.name)
        watch = Watch(functools.partial(_news, event), lambda: None)
        yield from server.dream(request, files, test.result, test.result, watch)


def _tested(test: QuickTest) -> DreamNode:
    """Raises SceneError."""
    found = next((dream for dream in node.find_nodes(test.job.scene) if dream.id == test.node), None)
    if found is None:
        raise SceneError("There is no DeepDream node to test.", "Add one, or switch it on: it may be muted.")
    if not found.linked:
        raise SceneError(f"Nothing is linked to the DeepDream node {found.name!r}.", "Link an image, or mute it.")
    return found


def _captured(test: QuickTest, dream: DreamNode, folder: Path) -> Iterator[None]:
    """Render the frame small, or its border alone, and write what the node sees; yields while 3D renders."""
    scene = test.job.scene
    with _small(test, dream) as restore, holding(restore):
        sources = {}
        for number, used in enumerate(rendering.rendered_scenes(scene)):
            main = None if used == scene else scene
            path = sources[used.name] = folder / f"passes-{number}.exr"
            if runs_in_window(test.job.patience):
                yield from rendering.render_3d_meanwhile(used, path, main)
            else:
                rendering.render_3d(used, path, main)
        rendering.capture(scene, sources, [dream], folder)


@contextmanager
def _small(test: QuickTest, dream: DreamNode) -> Iterator[Restore]:
    """A scene of the test's size, in which other nodes' dreams, which have the full size, let their images pass."""
    render = test.job.scene.render
    with _at_frame(test.job), Restore() as restore:
        if render.use_border:
            restore.set(render, "use_crop_to_border", True)
        else:
            restore.set(render, "resolution_percentage", small_percentage(render, test.percentage))
        for other in node.dream_nodes():
            if other.node_tree.deepdream.id != dream.id:
                restore.set(other, "mute", True)
        yield restore


@contextmanager
def _at_frame(job: Job) -> Iterator[None]:
    """The artist may have gone elsewhere while the server started."""
    found = job.scene.frame_current, job.scene.frame_subframe
    go_to(job.scene, job.frames[0])
    try:
        yield
    finally:
        go_to(job.scene, *found)


def small_percentage(render: bpy.types.RenderSettings, percentage: int) -> int:
    """The resolution's percentage of a test, given that of the frame's own."""
    shorter = min(render.resolution_x, render.resolution_y)
    least = -(-100 * _LEAST_SIDE // shorter)
    wanted = max(round(render.resolution_percentage * percentage / 100), least, 1)
    return min(wanted, int(render.resolution_percentage))


def _request(test: QuickTest, dream: DreamNode, folder: Path) -> tuple[DreamRequest, Files]:
    """What is asked for, and where the files lie that it names."""
    sight = captured_sight(dream.id, folder)
    request, more = make_request(dream.group.deepdream, sight, test.job.frames[0], test.job.wishes, folder)
    request = replace(request, keep=False)  # no frame follows
    return request, {blob: (sight.files | more)[blob] for blob in request.blobs}


def _news(event: Event, news: Progress | Preview | None) -> Event:
    if isinstance(news, Preview):
        return replace(event, preview=news.jpeg)
    return replace(event, stage="dream", progress=news) if news else event
