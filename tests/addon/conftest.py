# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on is registered once in the Blender that runs the tests; each test starts from a fresh small scene."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

import blender_deepdream
from blender_deepdream.addon import compat, node, runtime
from blender_deepdream.addon.cache import Cache
from blender_deepdream.addon.node import DreamNode
from blender_deepdream.addon.pipeline import dream_frames
from blender_deepdream.addon.run import Job
from blender_deepdream.addon.runtime import ServerChoice
from tests.scenes import build_scene

MakeJob = Callable[..., Job]

QUICK = {"steps": 1, "octaves": 1, "step_size": 0.05}
"""Enough to change pixels, and no more."""


@pytest.fixture(scope="session", autouse=True)
def _addon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["DEEPDREAM_DATA"] = str(tmp_path_factory.mktemp("server"))
    blender_deepdream.register()
    yield
    blender_deepdream.unregister()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The bpy wheels up to 4.5 crash or hang while Python ends once any class was registered."""
    if bpy.app.version < (5, 0):
        runtime.stop()
        sys.stdout.flush()
        os._exit(config.stash.get(_EXIT_STATUS, 3))


_EXIT_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


@pytest.fixture
def scene() -> bpy.types.Scene:
    return build_scene()


@pytest.fixture
def dreaming(scene: bpy.types.Scene) -> bpy.types.Scene:
    """A scene with one DeepDream node before its output."""
    added = node.insert_before_output(scene)
    quicken(added.node_tree)
    return scene


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    def make(scene: bpy.types.Scene, frames: list[int] | None = None, **more: object) -> Job:
        defaults: dict[str, object] = {
            "cache": Cache(tmp_path / "cache"),
            "connect": lambda: runtime.connect(ServerChoice()),
            "output": lambda frame: tmp_path / "out" / f"{frame:04d}.exr",
            "file_format": "OPEN_EXR",
        }
        return Job(scene, [1] if frames is None else frames, **(defaults | more))

    return make


def quicken(group: bpy.types.NodeTree) -> None:
    for name, value in QUICK.items():
        setattr(group.deepdream, name, value)


def run(job: Job) -> list[str]:
    """Drain the pipeline; returns the stages it went through."""
    return [event.stage for event in dream_frames(job)]


def notes(job: Job) -> list[str]:
    """Dream, and return what people were told."""
    return [event.note for event in dream_frames(job) if event.note]


def outputs(tmp_path: Path) -> dict[str, bytes]:
    """The finished frames' files by name."""
    return {path.name: path.read_bytes() for path in sorted((tmp_path / "out").iterdir())}


def dream_path(tmp_path: Path, frame: int) -> Path:
    """A frame's dream in the cache, of the only node."""
    (path,) = (tmp_path / "cache" / "dream").glob(f"*/{frame:04d}.exr")
    return path


def record(tmp_path: Path, frame: int) -> dict[str, object]:
    """What that dream was made from."""
    key: dict[str, object] = json.loads(dream_path(tmp_path, frame).with_suffix(".json").read_text())["key"]
    return key


def only_node(scene: bpy.types.Scene) -> DreamNode:
    (found,) = node.find_nodes(scene)
    return found


def dream_node(scene: bpy.types.Scene) -> bpy.types.Node:
    return next(item for item in compat.compositor_tree(scene).nodes if node.dream_group_of(item))


def pixels(path: Path) -> np.ndarray:
    """An image file's numbers as they are: height x width x 4, float, bottom row first."""
    image = bpy.data.images.load(str(path))
    try:
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        values = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(values)
        return values.reshape(image.size[1], image.size[0], -1)
    finally:
        bpy.data.images.remove(image)


def file_output(tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, folder: Path) -> bpy.types.Node:
    """A File Output node of the artist's own."""
    output = tree.nodes.new("CompositorNodeOutputFile")
    compat.point_file_output(output, folder, "artist")
    tree.links.new(socket, output.inputs[0])
    return output
