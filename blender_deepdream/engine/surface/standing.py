# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a dream of surfaces stands, on disk: killed at any moment, the same one goes on and ends with the same bits."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..whole_files import replaced_whole

log = logging.getLogger(__name__)

_SECONDS = 3.0
"""How much of a dream a kill costs, about."""
_SHARE = 0.05
_ABANDONED_SECONDS = 3 * 24 * 3600
_TENSORS = ("texels", "drift")


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """Between two steps. octave: from 1; steps: taken in it. turns: views taken in all. numbers: the state of the
    ascent's randomness. texels: 3xN, dream space, in the octave's layout. drift: 3xN, what goes on in the next step."""

    octave: int
    steps: int
    turns: int
    numbers: tuple[Any, ...]
    texels: Tensor
    drift: Tensor


class Keeper:
    """path: of the file, whose name tells what is dreamed; None: nothing is kept. seconds: between two files. share: of
    the dream's time that files may take."""

    def __init__(self, path: Path | None = None, seconds: float = _SECONDS, share: float = _SHARE) -> None:
        self._path = path
        self._seconds, self._share = seconds, share
        self._due = time.monotonic() + seconds

    def last(self, device: torch.device) -> Stand | None:
        """Where the same dream stood when it ended too early; None: it begins."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            with safe_open(self._path, "pt") as file:
                noted = json.loads(file.metadata()["stand"])
                tensors = {name: file.get_tensor(name).to(device) for name in _TENSORS}
            version, state, spare = noted.pop("numbers")
            random.Random().setstate((version, tuple(state), spare))
            return Stand(**noted, numbers=(version, tuple(state), spare), **tensors)
        except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
            log.warning("%s is damaged, so the dream begins anew: %s", self._path, error)
            return None

    def offer(self, stand: Stand) -> None:
        """Keep it, unless the last one is fresh. A full disk is told, and costs only the resume."""
        start = time.monotonic()
        if self._path is None or start < self._due:
            return
        fields = ("octave", "steps", "turns", "numbers")
        noted = json.dumps({name: getattr(stand, name) for name in fields})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replaced_whole(self._path) as part:
                tensors = {name: getattr(stand, name).cpu().contiguous() for name in _TENSORS}
                safetensors.torch.save_file(tensors, part, {"stand": noted})
        except (OSError, SafetensorError) as error:
            log.warning("A dream's stand cannot be kept in %s: %s", self._path, error)
        self._due = time.monotonic() + max(self._seconds, (time.monotonic() - start) / self._share)

    @contextmanager
    def until_done(self) -> Iterator[None]:
        """What is kept goes once the dream is whole, and so does what others left that nobody came back for, files that
        they were writing when they were killed among it."""
        yield
        if self._path is None or not self._path.parent.is_dir():  # a quick dream keeps nothing
            return
        try:
            self._path.unlink(missing_ok=True)
            _tidy(self._path.parent)
        except OSError as error:  # the dream is whole: what is left behind must not end it
            log.warning("%s cannot be tidied: %s", self._path.parent, error)


def _tidy(folder: Path) -> None:
    for other in folder.iterdir():
        try:
            if time.time() - other.stat().st_mtime > _ABANDONED_SECONDS:
                other.unlink(missing_ok=True)
        except FileNotFoundError:
            continue  # another worker has just removed it
