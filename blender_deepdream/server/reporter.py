# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a command is: as JSON, as a bar on a terminal, or as lines in a log."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from ..protocol.jobs import JobProgress

LOG_SECONDS = 5.0
"""How often a log gets a line."""

Where = Callable[[Any], str]
"""What is being done, in words, by the progress that the command tells of."""


@contextlib.contextmanager
def reporter(as_json: bool, where: Where) -> Iterator[Callable[[JobProgress], None]]:
    """What shows progress: as JSON, as a bar on a terminal, or as lines in a log. where: what is being done."""
    if as_json:
        yield lambda progress: print(json.dumps({"progress": progress.to_json()}), flush=True)
    elif sys.stderr.isatty():
        with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}") as bar:
            yield lambda progress: _advance(bar, progress, where(progress))
    else:
        yield _Log(where)


def _advance(bar: tqdm, progress: JobProgress, where: str) -> None:
    bar.set_postfix_str(where, refresh=False)
    bar.update(progress.fraction * 100 - bar.n)


class _Log:
    """A plain line every few seconds and one at the end."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._next = 0.0

    def __call__(self, progress: JobProgress) -> None:
        if time.monotonic() < self._next and progress.fraction < 1:
            return
        self._next = time.monotonic() + LOG_SECONDS
        left = "" if progress.eta is None else f", {progress.eta:.0f} s left"
        print(f"{progress.fraction:4.0%}  {self._where(progress)}{left}", file=sys.stderr, flush=True)
