# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line around the pipeline, for farms and scripts.

blender -b shot.blend -P scripts/render.py -- --frames 1-8
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO

import bpy

from ..protocol.client import DreamClient
from ..protocol.errors import CancelledError, DeepDreamError, InputError, SceneError
from ..protocol.frames import parse_frames
from ..protocol.region_words import add_region_argument, parse_regions
from ..protocol.settings import DreamSettings
from . import node, runtime
from .cache import Cache, scene_cache
from .pipeline import dream_frames
from .preferences import server_choice
from .request import Wishes
from .run import Event, Job
from .runtime import ServerChoice

COMMAND = "deepdream"
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
    as_json = "--json" in arguments
    with _own_stdout() as stdout, _interruptible() as interrupted:
        try:
            _run(_parser().parse_args(arguments), stdout, interrupted)
        except KeyboardInterrupt:
            error: DeepDreamError = CancelledError("Cancelled.", "Finished frames are kept: the same command goes on.")
        except DeepDreamError as caught:
            error = caught
        else:
            return 0
        finally:
            runtime.stop()
        if as_json:
            _print_json({"error": error.to_wire()}, stdout)
        else:
            print(f"Error: {error}", file=sys.stderr, flush=True)
        return error.exit_code


@contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Our lines alone on standard output: what Blender prints of its own goes to standard error meanwhile."""
    sys.stdout.flush()
    number = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(number), "w", encoding="utf-8") as stdout:
            yield stdout
    finally:
        os.dup2(number, 1)
        os.close(number)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}.", f"See {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="render.py",
        description="Render a scene, dream it in its DeepDream nodes, composite it. Run it again to go on.",
    )
    parser.add_argument("blend", nargs="?", type=Path, help="scene to open; with blender -b it is open already")
    parser.add_argument("--frames", metavar="LIST", help="like 1-8,12,20-40x2; default: the scene's range")
    parser.add_argument("--output", metavar="PATH", help="like //out/####.png; default: the scene's output")
    parser.add_argument("--cache", metavar="DIR", help="rendered passes and dreams; default: beside the .blend")
    parser.add_argument("--server", metavar="URL", help="a running dream server; default: one of our own")
    parser.add_argument("--token-file", metavar="FILE", help="the server's token")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a setting, for all nodes")
    parser.add_argument("--guide", metavar="IMG", type=Path, help="guide image, for all nodes that need one")
    add_region_argument(parser, "for all nodes, in the place of their own")
    parser.add_argument("--node", metavar="NAME", default="", help="dream this node only")
    parser.add_argument(
        "--add-node", action="store_true", help="put a DeepDream node before the output if there is none"
    )
    parser.add_argument("--rerender", action="store_true", help="render 3D again even where passes are still good")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C ends the run after what Blender is rendering; once more ends it at once.

    Blender would keep the signal to itself, and swallows what a handler raises inside one of its own callbacks: the
    event says that it came.
    """
    interrupted = threading.Event()

    def stop(*_: object) -> NoReturn:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _run(options: argparse.Namespace, stdout: TextIO, interrupted: threading.Event) -> None:
    wishes = _wishes(options)
    frames = parse_frames(options.frames) if options.frames else None
    if options.blend:
        _open(options.blend)
    scene = bpy.context.scene
    if options.add_node and not node.find_nodes(scene):
        node.insert_before_output(scene)
    job = Job(
        scene=scene,
        frames=frames or range(scene.frame_start, scene.frame_end + 1, scene.frame_step),
        cache=Cache(Path(bpy.path.abspath(options.cache)).resolve()) if options.cache else scene_cache(scene),
        connect=lambda: _connect(options),
        output=lambda frame: _output_path(scene, options.output, frame),
        file_format=_FORMATS.get(Path(options.output).suffix.lower(), "") if options.output else "",
        wishes=wishes,
        only=options.node,
        rerender=options.rerender,
        reuse_captures=True,
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


def _wishes(options: argparse.Namespace) -> Wishes:
    regions = parse_regions(options.region)
    for path in (path for region in regions for path in region.blobs):
        _existing(Path(path))
    return Wishes(dict(DreamSettings.parse_assignment(text) for text in options.set), _existing(options.guide), regions)


def _open(blend: Path) -> None:
    _existing(blend)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()), load_ui=False)
    except RuntimeError as error:
        raise InputError(f"{blend} is not a .blend file that this Blender reads: {str(error).strip()}") from error


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise InputError(f"There is no file {path}.")
    return path


def _connect(options: argparse.Namespace) -> DreamClient:
    if options.server:
        return runtime.connect(ServerChoice(url=options.server, token_file=options.token_file or ""))
    return runtime.connect(server_choice())


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
            self._print({"frame": event.frame, "note": event.note}, event.note)
        if event.stage != "finished":
            return
        seconds = {name: self.job.seconds.get(name, 0.0) - self.before.get(name, 0.0) for name in _STAGES}
        self.before = dict(self.job.seconds)
        path = str(self.job.output(event.frame)) if self.job.output else ""
        now = time.perf_counter()
        took, self.frame_started = now - self.frame_started, now
        spent = ", ".join(f"{_STAGES[name]} {value:.1f} s" for name, value in seconds.items() if value >= 0.05)
        line = f"frame {event.frame} ({event.done + 1} of {event.total}): {spent or 'still good'} -> {path}"
        self._print({"frame": event.frame, "output": path, "seconds": seconds, "total": took}, line)

    def _print(self, data: dict[str, Any], line: str) -> None:
        print(json.dumps(data) if self.as_json else line, file=self.stdout, flush=True)

    def finish(self) -> None:
        seconds: dict[str, float] = {_STAGES[name]: self.job.seconds.get(name, 0.0) for name in _STAGES}
        total = time.perf_counter() - self.started
        seconds |= {"other": total - sum(seconds.values()), "total": total}
        if self.as_json:
            _print_json({"frames": len(self.job.frames), "seconds": seconds}, self.stdout)
            return
        for name, value in seconds.items():
            print(f"  {name:<12}{value:8.1f} s{value / total:7.1%}", file=self.stdout, flush=True)


def _print_json(data: dict[str, Any], stdout: TextIO) -> None:
    print(json.dumps(data), file=stdout, flush=True)


_command: Any = None


def register() -> None:
    """`blender -b shot.blend --command deepdream --frames 1-8`, from the installed extension."""
    global _command  # noqa: PLW0603
    _command = bpy.utils.register_cli_command(COMMAND, main)


def unregister() -> None:
    global _command  # noqa: PLW0603
    bpy.utils.unregister_cli_command(_command)
    _command = None
