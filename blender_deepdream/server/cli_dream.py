# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream dream`: one image in this very process, with its progress on a terminal, in a log or as JSON."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from ..engine import zoo
from ..protocol.errors import InputError
from ..protocol.messages import DreamRequest, Progress
from .dreaming import choose_device, dream_file

LOG_SECONDS = 5.0
"""How often a log gets a line."""


def dream_image(options: argparse.Namespace, request: DreamRequest) -> None:
    """Dream a request of files into `options.target`. Raises InputError, ImageError, StorageError, ..."""
    if not options.target.absolute().parent.is_dir():
        raise InputError(f"The folder of {options.target} does not exist.", "Make it first.")
    start = time.monotonic()
    device = choose_device(options.device, options.threads)
    load = functools.cache(lambda name: zoo.load_brain(name, device))
    steps = dream_file(request, options.target, load, Path)
    with reporter(options.json, _where) as report:
        while True:
            try:
                report(next(steps))
            except StopIteration as end:
                image = end.value
                break
    seconds = round(time.monotonic() - start, 3)
    if options.json:
        done = {"image": str(options.target), "width": image.width, "height": image.height, "seconds": seconds}
        print(json.dumps({"done": done}))
    else:
        print(f"{options.target}: {image.width} x {image.height} pixels, {seconds:.1f} s")


@contextlib.contextmanager
def reporter(as_json: bool, where: Callable[[Progress], str]) -> Iterator[Callable[[Progress], None]]:
    """What shows progress: as JSON, as a bar on a terminal, or as lines in a log. where: what is being done."""
    if as_json:
        yield lambda progress: print(json.dumps({"progress": progress.to_json()}), flush=True)
    elif sys.stderr.isatty():
        with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}") as bar:
            yield lambda progress: _advance(bar, progress, where(progress))
    else:
        yield _Log(where)


def _advance(bar: tqdm, progress: Progress, where: str) -> None:
    bar.set_postfix_str(where, refresh=False)
    bar.update(progress.fraction * 100 - bar.n)


class _Log:
    """A plain line every few seconds and one at the end."""

    def __init__(self, where: Callable[[Progress], str]) -> None:
        self._where = where
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._next and progress.fraction < 1:
            return
        self._next = time.monotonic() + LOG_SECONDS
        left = "" if progress.eta is None else f", {progress.eta:.0f} s left"
        print(f"{progress.fraction:4.0%}  {self._where(progress)}{left}", file=sys.stderr, flush=True)


def _where(progress: Progress) -> str:
    return f"octave {progress.octave}/{progress.octaves}, step {progress.step}/{progress.steps}"
