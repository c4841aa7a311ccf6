# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream dream`: one image in this very process, with its progress on a terminal, in a log or as JSON."""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..engine import zoo
from ..engine.image_output import check_depth, write_image
from ..engine.images import Image
from ..engine.preview import Show
from ..engine.steps import follow
from ..engine.wanted import Load
from ..engine.whole_files import cannot_write, write_bytes
from ..protocol.errors import InputError
from ..protocol.messages import ColorSpace, DreamRequest, Progress
from .dreaming import choose_device, dream_request, source_of
from .endless import Frames, Save, dream_frames, job_of
from .reporter import reporter


def dream_image(options: argparse.Namespace, request: DreamRequest) -> None:
    """Dream a request of files into `options.target`: one image, or as many frames as `options.frames` says.

    Raises InputError, ImageError, StorageError, ...
    """
    check_target(options.target)
    depth = check_depth(options.target, options.depth)
    device = choose_device(options.device, options.threads)
    load = functools.cache(lambda name: zoo.load_brain(name, device))

    def save(image: Image, path: Path) -> None:
        if depth.is_float and request.color_space == ColorSpace.AUTO and image.color_space == ColorSpace.SRGB:
            # auto means by the kind of file, and this kind is read as scene-linear
            image = image.in_space(ColorSpace.LINEAR_REC709)
        write_image(image, path, depth, request.settings.highlights)

    show = _shower(options.preview)
    if options.frames is None:
        _dream_one(options, request, load, save, show)
    else:
        _dream_frames(options, request, load, save, show, str(depth))


def check_target(path: Path) -> None:
    """Raises InputError, StorageError for a file that could not be written: better now than when all is dreamed."""
    if path.is_dir():
        raise InputError(f"{path} is a folder.", f"Name a file in it, like {path / 'dreamed.png'}.")
    try:
        folder = path.absolute().parent
        if not folder.is_dir():
            raise InputError(f"The folder of {path} does not exist.", "Make it first.")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


def _shower(path: Path | None) -> Show | None:
    """Writes previews to this file, each whole. Raises InputError if it cannot be one."""
    if path is None:
        return None
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        raise InputError(f"{path} cannot be a preview: previews are JPEGs.", "Let its name end with .jpg.")
    return functools.partial(write_bytes, path)


def _dream_one(options: argparse.Namespace, request: DreamRequest, load: Load, save: Save, show: Show | None) -> None:
    start = time.monotonic()
    load(request.settings.brain)
    steps = dream_request(request, source_of(request, Path), load, Path, show)
    with reporter(options.json, _where) as report:
        image = follow(steps, report)
    save(image, options.target)
    seconds = round(time.monotonic() - start, 3)
    done = {"image": str(options.target), "width": image.width, "height": image.height, "seconds": seconds}
    _say(options.json, done, f"{options.target}: {image.width} x {image.height} pixels, {seconds:.1f} s")


def _dream_frames(
    options: argparse.Namespace, request: DreamRequest, load: Load, save: Save, show: Show | None, depth: str
) -> None:
    start = time.monotonic()
    frames, count = Frames(options.target, job_of(request, load, Path, depth)), options.frames
    steps = dream_frames(request, frames, count, load, Path, save, show=show)
    number = 0
    with reporter(options.json, lambda progress: f"frame {number}/{count}, {_where(progress)}") as report:
        pace = _Pace()
        while True:
            try:
                number, progress = next(steps)
                report(pace.of_all(progress, number, count))
            except StopIteration as end:
                dreamed: int = end.value
                break
    seconds = round(time.monotonic() - start, 3)
    done = {"images": [str(frames.picture(number)) for number in range(1, count + 1)], "dreamed": dreamed}
    kept = f", {count - dreamed} were there" if dreamed < count else ""
    _say(options.json, done | {"seconds": seconds}, f"{options.target}: {count} frames{kept}, {seconds:.1f} s")


class _Pace:
    """Foretells the end of all frames from those dreamed in this run."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before: float | None = None

    def of_all(self, progress: Progress, number: int, count: int) -> Progress:
        """A frame's progress as that of all frames."""
        if self._before is None:
            self._before = (number - 1) / count
        fraction = (number - 1 + progress.fraction) / count
        elapsed, done = time.monotonic() - self._start, fraction - self._before
        return replace(progress, fraction=fraction, eta=elapsed * (1 - fraction) / done)


def _say(as_json: bool, done: Mapping[str, object], text: str) -> None:
    print(json.dumps({"done": done}) if as_json else text)


def _where(progress: Progress) -> str:
    return f"octave {progress.octave}/{progress.octaves}, step {progress.step}/{progress.steps}"
