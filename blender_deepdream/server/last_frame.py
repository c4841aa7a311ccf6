# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame's place in its shot, and what the next one will ask for, in memory: the files say the same, only slower.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from ..engine import dreamspace
from ..engine.chain_files import as_read, read_detail, read_vectors, write_detail
from ..engine.correspondence import Correspondence, Vectors, by_flow, by_vectors
from ..engine.images import Image, read_image
from ..engine.temporal import Chain, Detail
from ..protocol.errors import ImageError
from ..protocol.messages import DreamRequest
from .dreaming import Find


class LastFrame:
    """The detail and the motion passes of the frame that was dreamed last, by their files: in the store these are named
    by what they hold."""

    def __init__(self) -> None:
        self._written: Detail | None = None
        self._detail: tuple[Path, Detail] | None = None
        self._vectors: tuple[Path, Vectors] | None = None

    def chain(self, request: DreamRequest, find: Find, handed_on: Path, source: Image, device: torch.device) -> Chain:
        """The place of the request's frame, whose image is `source`. handed_on: where what it hands on is written, if
        the request says so. Raises ImageError.
        """
        keep = functools.partial(self._write, handed_on) if request.keep else None
        if request.follows is None or not request.settings.coherence:
            return Chain(keep=keep)
        before = self._read_detail(find(request.follows.detail), device)
        if tuple(before.planes.shape[-2:]) != source.size:
            raise ImageError("The frame before has another size.", "Begin a new shot where the size changes.")
        return Chain(before, self._motion(request, find, source, device), keep)

    def stored(self, path: Path) -> None:
        """Where what the frame hands on has got its place."""
        if self._written is not None:
            self._detail, self._written = (path, self._written), None

    def _write(self, path: Path, detail: Detail) -> None:
        write_detail(detail, path)
        self._written = as_read(detail)

    def _read_detail(self, path: Path, device: torch.device) -> Detail:
        known = dict([self._detail]) if self._detail else {}
        return known.get(path) or read_detail(path, device)

    def _motion(self, request: DreamRequest, find: Find, source: Image, device: torch.device) -> Correspondence:
        """Where this frame's surfaces were, by the renderer's vectors if they were sent, else guessed."""
        follows, settings = request.follows, request.settings
        assert follows is not None
        if follows.motion is None or follows.motion_before is None:
            pictures = (source, read_image(find(follows.source), request.color_space))
            seen = (dreamspace.enter(image, settings.exposure, device, settings.highlights) for image in pictures)
            return by_flow(*seen)
        before, now = (self._read_vectors(find(blob)) for blob in (follows.motion_before, follows.motion))
        if now.motion.shape[:2] != source.size:
            raise ImageError("The motion vectors have another size than the image.", "Render both at one size.")
        return by_vectors(now, before, follows.turn, backwards=follows.backwards, device=device)

    def _read_vectors(self, path: Path) -> Vectors:
        """Those of the frame in hand are read last, and will be those of the frame before."""
        if self._vectors is None or self._vectors[0] != path:
            self._vectors = path, read_vectors(path)
        return self._vectors[1]
