# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line around the pipeline, for farms and scripts.

blender -b shot.blend -P scripts/render.py -- --frames 1-8
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import bpy

from ..protocol.errors import InputError, SceneError
from ..protocol.frames import MAX_FRAMES, parse_frames
from ..protocol.region_words import add_region_argument, parse_regions
from ..protocol.settings import DreamSettings
from . import node
from .cache import Cache, scene_cache
from .command_line import (
    Parser,
    add_server_arguments,
    connector_as_told,
    existing,
    open_blend,
    print_json,
    run_command,
    tell,
)
from .pipeline import dream_frames
from .request import Wishes
from .run import Event, Job
from .timeline import shot_of

_FORMATS = {".png": "PNG", ".exr": "OPEN_EXR", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
_STAGES = {
    "render": "3D",
    "server": "server start",
    "capture": "capture",
    "transfer": "transfer",
    "dream": "dream",
    "composite": "composite",
}


def main(arguments: Sequence[str]) -> int:
    """Dream as the arguments say; returns the exit code: 0 done, 2 bad usage or input, 1 failed."""
    return run_command(arguments, _parser(), _run, "Finished frames are kept: the same command goes on.")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="render.py",
        description="Render a scene, dream it in its DeepDream nodes, composite it. Run it again to go on.",
    )
    parser.add_argument("blend", nargs="?", type=Path, help="scene to open; with blender -b it is open already")
    parser.add_argument("--frames", metavar="LIST", help="like 1-8,12,20-40x2; default: the scene's range")
    parser.add_argument("--shot", metavar="N", type=int, help="the frames of one shot, from 1: markers' cameras cut")
    parser.add_argument(
        "--run-in", metavar="N", type=int, default=0, help="frames of the shot dreamed before the first, and not kept"
    )
    parser.add_argument("--output", metavar="PATH", help="like //out/####.png; default: the scene's output")
    parser.add_argument("--cache", metavar="DIR", help="rendered passes and dreams; default: beside the .blend")
    parser.add_argument(
        "--stage",
        choices=("render", "dream", "composite"),
        default="",
        help="do this part only, for farms: passes; dreams, from passes; frames, from both. Default: all of it",
    )
    add_server_arguments(parser)
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a setting, for all nodes")
    parser.add_argument("--guide", metavar="IMG", type=Path, help="guide image, for all nodes that need one")
    add_region_argument(parser, "for all nodes, in the place of their own")
    parser.add_argument("--node", metavar="NAME", default="", help="dream this node only")
    parser.add_argument(
        "--add-node", action="store_true", help="put a DeepDream node before the output if there is none"
    )
    parser.add_argument("--rerender", action="store_true", help="render 3D again even where passes are still good")
    return parser


def _run(options: argparse.Namespace, stdout: TextIO, interrupted: threading.Event) -> None:
    wishes = _wishes(options)
    frames = _frames(options)
    if options.blend:
        open_blend(options.blend)
    scene = bpy.context.scene
    if options.add_node and not node.find_nodes(scene):
        node.insert_before_output(scene)
    if options.shot is not None:
        frames = shot_of(scene, options.shot)
    job = Job(
        scene=scene,
        frames=frames or range(scene.frame_start, scene.frame_end + 1, scene.frame_step),
        run_in=options.run_in,
        cache=Cache(Path(bpy.path.abspath(options.cache)).resolve()) if options.cache else scene_cache(scene),
        connect=connector_as_told(options),
        output=lambda frame: _output_path(scene, options.output, frame),
        file_format=_FORMATS.get(Path(options.output).suffix.lower(), "") if options.output else "",
        overwrite=scene.render.use_overwrite,
        placeholders=scene.render.use_placeholder,
        wishes=wishes,
        only=options.node,
        only_stage=options.stage,
        rerender=options.rerender,
        reuse_captures=True,
        where=options.server or "",
    )
    if scene.render.is_movie_format and not job.file_format:
        raise SceneError("Dreams are written as images, not as a movie.", "Give --output a name like //out/####.png.")
    report = _Report(job, options.json, stdout)
    with closing(dream_frames(job)) as events:
        for event in events:
            if interrupted.is_set():
                raise KeyboardInterrupt
            report.note(event)
    report.finish()


def _frames(options: argparse.Namespace) -> Sequence[int] | None:
    """Those that were asked for by number. Raises InputError, FrameRangeError."""
    if options.frames and options.shot is not None:
        raise InputError("Give --frames or --shot, not both.")
    if not 0 <= options.run_in <= MAX_FRAMES:
        raise InputError(f"--run-in is a number of frames from 0 to {MAX_FRAMES}.")
    return parse_frames(options.frames) if options.frames else None


def _wishes(options: argparse.Namespace) -> Wishes:
    regions = parse_regions(options.region)
    for path in (path for region in regions for path in region.blobs):
        existing(Path(path))
    return Wishes(dict(DreamSettings.parse_assignment(text) for text in options.set), existing(options.guide), regions)


def _output_path(scene: bpy.types.Scene, pattern: str | None, frame: int) -> Path:
    """The file of a frame: `####` stands for its number; without any, it is added before the suffix."""
    if not pattern:
        return Path(bpy.path.abspath(scene.render.frame_path(frame=frame))).resolve()
    path = Path(bpy.path.abspath(pattern)).resolve()
    name = path.name if "#" in path.name else f"{path.stem}####{path.suffix}"
    width = name.count("#")
    suffix = "" if path.suffix.lower() in _FORMATS else scene.render.file_extension
    return path.with_name(name.replace("#" * width, f"{frame:0{width}d}") + suffix)


@dataclass
class _Report:
    """A line per frame, and at the end where the time went."""

    job: Job
    as_json: bool
    stdout: TextIO
    started: float = field(default_factory=time.perf_counter)
    frame_started: float = field(default_factory=time.perf_counter)
    before: dict[str, float] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        if event.note:
            self._tell({"frame": event.frame, "note": event.note}, event.note)
        if event.stage != "finished":
            return
        seconds = {name: self.job.seconds.get(name, 0.0) - self.before.get(name, 0.0) for name in _STAGES}
        self.before = dict(self.job.seconds)
        path = str(self.job.file(event.frame) or "")
        now = time.perf_counter()
        took, self.frame_started = now - self.frame_started, now
        spent = ", ".join(f"{_STAGES[name]} {value:.1f} s" for name, value in seconds.items() if value >= 0.05)
        # little may be left of a frame whose passes were made while the one before dreamed
        spent = spent or ("ready" if seconds["composite"] else "still good")
        line = f"frame {event.frame} ({event.done + 1} of {event.total}): {spent}" + (f" -> {path}" if path else "")
        self._tell({"frame": event.frame, "output": path, "seconds": seconds, "total": took}, line)

    def _tell(self, data: dict[str, Any], line: str) -> None:
        tell(data, line, self.stdout, as_json=self.as_json)

    def finish(self) -> None:
        seconds: dict[str, float] = {_STAGES[name]: self.job.seconds.get(name, 0.0) for name in _STAGES}
        total = time.perf_counter() - self.started
        seconds |= {"other": total - sum(seconds.values()), "total": total}
        if self.as_json:
            print_json({"frames": len(self.job.frames), "seconds": seconds}, self.stdout)
            return
        for name, value in seconds.items():
            print(f"  {name:<12}{value:8.1f} s{value / total:7.1%}", file=self.stdout, flush=True)
