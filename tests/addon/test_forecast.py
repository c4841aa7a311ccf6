# SPDX-License-Identifier: GPL-3.0-or-later
"""What dreaming will take, told from what it took."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import forecast, preferences
from blender_deepdream.addon.cache import scene_cache, write_json
from blender_deepdream.addon.counting import Counted
from blender_deepdream.addon.kept_frames import kept_frames
from blender_deepdream.addon.pace import RENDER, Pace, dream_name, dream_work, pace_path
from blender_deepdream.addon.pipeline import dream_frames
from blender_deepdream.addon.room import count
from blender_deepdream.addon.run import Event
from blender_deepdream.protocol.messages import Progress
from blender_deepdream.protocol.settings import DreamSettings

from .conftest import MakeJob, only_node


@pytest.fixture
def root(dreaming: bpy.types.Scene, tmp_path: Path) -> Path:
    dreaming.deepdream.cache = str(tmp_path / "cache")
    dreaming.frame_end = 4
    return tmp_path / "cache"


def told(scene: bpy.types.Scene) -> forecast.Forecast:
    """What the panel would say, once all was counted."""
    root = scene_cache(scene).root
    found = forecast.forecast(scene, Counted(count(root), kept_frames(root), ""))
    assert found
    return found


def test_nothing_is_said_while_nothing_is_known(dreaming: bpy.types.Scene, root: Path) -> None:
    found = told(dreaming)
    assert found.time_text == ""
    assert (found.frames, found.missing) == (4, 4)
    assert found.room > 4 * 64 * 48 * 20


def test_a_frame_tells_what_the_others_take(dreaming: bpy.types.Scene, root: Path) -> None:
    bpy.ops.deepdream.dream_frame()
    found = told(dreaming)
    assert found.missing == 3
    assert found.each is not None
    assert found.seconds == pytest.approx(3 * found.each, rel=0.35)
    assert "for 3 of 4 frames" in found.time_text
    assert found.room == pytest.approx(4 * count(root).size, rel=0.1)


def test_more_steps_take_longer_and_all_frames_are_dreamed_again(dreaming: bpy.types.Scene, root: Path) -> None:
    bpy.ops.deepdream.dream_frame()
    before = told(dreaming)
    only_node(dreaming).group.deepdream.steps = 1000  # more than Blender takes on any machine
    after = told(dreaming)
    assert after.missing == 4
    assert after.each > before.each * 2
    assert after.room == before.room


def test_3d_that_has_changed_is_rendered_again(dreaming: bpy.types.Scene, root: Path) -> None:
    bpy.ops.deepdream.dream_frame()
    dreaming.objects[0].location.x += 1
    bpy.context.view_layer.update()
    assert told(dreaming).missing == 4


def test_all_frames_dreamed_is_said(dreaming: bpy.types.Scene, root: Path, tmp_path: Path) -> None:
    dreaming.frame_end = 2
    dreaming.render.filepath = f"{tmp_path / 'out'}/"
    bpy.ops.deepdream.dream_animation()
    assert told(dreaming).time_text.startswith("All 2 frames are dreamed: about ")
    assert told(dreaming).room == count(root).size


@pytest.mark.parametrize("where", ["", "https://farm"])
def test_what_another_server_takes_is_not_known(
    dreaming: bpy.types.Scene, root: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.deepdream.dream_frame()
    monkeypatch.setattr(forecast, "server_address", lambda: where)
    assert (told(dreaming).each is None) == bool(where)
    assert preferences.server_address() == ""


def test_the_pace_knows_layers_else_the_slowest_of_the_brain(tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    one, two = (DreamSettings().replace(layers=((name, 1.0),)) for name in ("a", "b"))
    pace.learn(dream_name("", one), 2, dream_work(one, 100))
    pace.learn(dream_name("", two), 4, dream_work(two, 100))
    pace.learn(RENDER, 0, 100)
    pace.keep()
    again = Pace(tmp_path)
    assert again.dream_rate("", one) == pytest.approx(2 / dream_work(one, 100))
    assert again.dream_rate("", DreamSettings()) == again.dream_rate("", two)
    assert again.dream_rate("", DreamSettings().replace(brain="other")) is None
    assert RENDER not in again.rates


def test_a_damaged_pace_tells_nothing(tmp_path: Path) -> None:
    write_json(pace_path(tmp_path), {"rest": "x", "render": -1.0, "a": float("inf"), "b": 2.0, "c": None})
    assert Pace(tmp_path).rates == {"b": 2.0}
    pace_path(tmp_path).write_bytes(b"\xff")
    assert Pace(tmp_path).rates == {}


def test_the_pace_is_bounded(tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    for number in range(200):
        pace.learn(f"dream {number}", 1, 1)
    pace.keep()
    assert len(Pace(tmp_path).rates) == len(pace.rates) == 64
    assert "dream 199" in pace.rates


def test_time_left_is_of_all_frames(dreaming: bpy.types.Scene, make_job: MakeJob) -> None:
    events = list(dream_frames(make_job(dreaming, [1, 2, 3])))
    left = {event.frame: event.left for event in events if event.stage == "composite"}
    assert left[1] is None
    assert left[2] > 0
    assert left[3] == 0


@pytest.mark.parametrize(
    ("left", "eta", "done", "text"),
    [
        (None, 14.0, 2, "14 s left of this frame"),
        (None, 14.0, 23, "14 s left"),
        (120.0, 14.0, 2, "2 min left"),
        (0.0, 14.0, 23, "14 s left"),
        (120.0, None, 2, "2 min left"),
        (None, None, 2, "of 4"),
    ],
)
def test_time_left_in_words(left: float | None, eta: float | None, done: int, text: str) -> None:
    progress = Progress(2, 4, 3, 10, 1.0, 0.5, eta)
    assert Event(done + 1, done, 24, "dream", "", progress, left=left).text.endswith(text)
