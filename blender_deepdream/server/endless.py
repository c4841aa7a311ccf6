# SPDX-License-Identifier: GPL-3.0-or-later
"""An endless zoom from a still: each frame's dream, moved as the settings say, is the source of the next.

What is handed on are floats. The last ones lie in a file beside the frames, named by all that decides the bits, so that
a run that was stopped goes on with the frame that it had reached, and ends with the same frames.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.dream import fingerprint
from ..engine.image_output import write_image
from ..engine.images import Image, read_image
from ..engine.preview import Show
from ..engine.steps import retold
from ..engine.wanted import Load
from ..protocol.errors import ImageError, InputError
from ..protocol.messages import DreamRequest, Progress
from ..protocol.nothing import read_nothing
from ..protocol.wire import canonical_hash, content_hash
from .dreaming import Find, dream_request, source_of

Save = Callable[[Image, Path], None]
"""Writes a frame's picture."""

_NUMBER = re.compile(r"%0?(?P<digits>[0-9]?)d")


@dataclass(frozen=True, slots=True)
class Frames:
    """Where the frames lie: `zoom_%04d.png` is `zoom_0001.png`, ... job: the hash of all that decides their bits.

    Raises InputError for a name without a number.
    """

    pattern: Path
    job: str

    def __post_init__(self) -> None:
        if len(_NUMBER.findall(self.pattern.name)) != 1 or self.pattern.name.count("%") != 1:
            raise InputError(
                f"{self.pattern} has no place for the number of a frame.", "Name the frames like OUT_%04d.png."
            )

    def picture(self, number: int) -> Path:
        return self.pattern.with_name(self.pattern.name % number)

    def state(self, number: int) -> Path:
        """The floats of a frame, for the next one."""
        return self.pattern.with_name(f"{self._stem}.{self.job[:16]}.{number:06d}.exr")

    def states(self) -> Iterator[tuple[int, Path]]:
        """Those that are there, with their numbers, the last frame's first."""
        name = re.compile(rf"{re.escape(self._stem)}\.{self.job[:16]}\.(?P<number>[0-9]{{6}})\.exr")
        found = ((name.fullmatch(path.name), path) for path in self.pattern.parent.iterdir())
        return iter(sorted(((int(match["number"]), path) for match, path in found if match), reverse=True))

    @property
    def _stem(self) -> str:
        return Path(_NUMBER.sub("", self.pattern.name)).stem or "frames"


def dream_frames(
    request: DreamRequest, frames: Frames, count: int, load: Load, find: Find, save: Save, *, show: Show | None = None
) -> Generator[tuple[int, Progress], None, int]:
    """Dream frames 1 to `count`, those of this job that are there excepted. Returns how many were dreamed.

    show: takes a JPEG of the frame at work, now and then.
    Yields the number of the frame at work and its progress. Stop iterating to cancel: whole frames are kept.
    Raises what `dreaming.dream_file` does, and StorageError.
    """
    image = source_of(request, find)
    done, kept = _reached(frames, count)
    if kept is not None:
        image = read_image(kept, image.color_space)
    for number in range(done + 1, count + 1):
        settings = request.settings.in_zoom(number, first=number == 1)
        steps = dream_request(replace(request, settings=settings), image, load, find, show)
        image = yield from retold(steps, functools.partial(_of_frame, number))
        save(image, frames.picture(number))
        write_image(image, frames.state(number))
        _forget(frames, number)
    return count - done


def _of_frame(number: int, progress: Progress) -> tuple[int, Progress]:
    return number, progress


def job_of(request: DreamRequest, load: Load, find: Find, more: object) -> str:
    """The hash of all that decides the frames' bits. more: what else does, as JSON. Raises ImageError, InputError."""
    brains = {name: load(name) for name in request.brains}
    engine = fingerprint(brains[request.settings.brain].device)
    ids = {name: brain.card.id for name, brain in brains.items()}
    content = {"request": _by_content(request, find).to_json(), "brains": ids, "engine": engine, "more": more}
    return canonical_hash(content)


def _by_content(request: DreamRequest, find: Find) -> DreamRequest:
    """The request with the hashes of its files in the place of their names."""

    def name(file: str) -> str:
        try:
            return file if read_nothing(file) else content_hash(find(file).read_bytes())
        except OSError as error:
            raise ImageError(f"{file} cannot be read: {error.strerror}.") from error

    def maybe(file: str | None) -> str | None:
        return file and name(file)

    regions = (replace(region, mask=name(region.mask), guide=maybe(region.guide)) for region in request.regions)
    source, mask, guide = name(request.source), maybe(request.mask), maybe(request.guide)
    return replace(request, source=source, mask=mask, guide=guide, regions=tuple(regions))


def _reached(frames: Frames, count: int) -> tuple[int, Path | None]:
    """The last frame of this job whose floats, and whose and all earlier pictures, are there."""
    for number, state in frames.states():
        done = min(number, count)
        if all(frames.picture(earlier).is_file() for earlier in range(1, done + 1)):
            return done, state
    return 0, None


def _forget(frames: Frames, number: int) -> None:
    for other, state in frames.states():
        if other != number:
            state.unlink(missing_ok=True)
