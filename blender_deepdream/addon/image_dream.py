# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreaming one of Blender's images, from its pixels to a new image: file, packed, generated or painted.

The new image has the old one's size, depth, colour space and alpha, and is packed into the .blend. Floats are packed
as an EXR of what is in memory: scene-linear, alpha multiplied in. Their image says so, whatever file the old one had.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ..protocol.errors import SceneError
from ..protocol.messages import ColorSpace, DreamRequest, Progress
from ..protocol.settings import DreamSettings
from .changes import file_hash
from .conversation import Conversation, Watch
from .image_check import check_image
from .image_files import image_file, write_pixels
from .request import working_color_space
from .run import Stopwatch, time_words
from .task import Preview

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class ImageEvent:
    """How far it is. preview: a JPEG of the dream so far."""

    fraction: float
    text: str
    note: str = ""
    preview: bytes = b""


@dataclass(frozen=True)
class ImageJob:
    """image, guide: by their session_uid, for an undo replaces them. replace: whether the dream takes the image's place
    everywhere.

    done: gets the new image. patience: seconds to wait for the server before yielding; 0 in a window.
    """

    image: int
    settings: DreamSettings
    guide: int | None
    replace: bool
    connect: Callable[[], DreamClient]
    done: Callable[[bpy.types.Image], None]
    patience: float = 0.1


def dream_image(job: ImageJob) -> Generator[ImageEvent, None, None]:
    """Dream an image on the server and make a new one of it. Raises DeepDreamError."""
    event = ImageEvent(0, "Starting the dream server")
    server = Conversation(job.connect, job.patience, Stopwatch())
    with tempfile.TemporaryDirectory(prefix="deepdream-", dir=bpy.app.tempdir, ignore_cleanup_errors=True) as folder:
        yield event
        yield from (event for _ in server.meet())
        request, files = _request(job, Path(folder))
        dreamed = Path(folder) / "dreamed.exr"
        watch = Watch(_Telling(replace(event, text="Sending")), lambda: None)
        yield from server.dream(request, files, dreamed, dreamed, watch)
        job.done(_take(job, dreamed))


class _Telling:
    """Progress and previews as events."""

    def __init__(self, event: ImageEvent) -> None:
        self._event = event

    def __call__(self, news: Progress | Preview | None) -> ImageEvent:
        if isinstance(news, Preview):
            return replace(self._event, preview=news.jpeg)
        if news:
            left = [] if news.eta is None else [f"{time_words(news.eta)} left"]
            words = ", ".join([f"Dreaming: octave {news.octave} of {news.octaves}", *left])
            self._event = ImageEvent(news.fraction, words)
        return self._event


def _request(job: ImageJob, folder: Path) -> tuple[DreamRequest, dict[str, Path]]:
    """What is asked for, and where the files lie that it names."""
    image = _find(job.image)
    source = write_pixels(image, folder)
    files = {file_hash(source): source}
    guide = None
    if job.settings.needs_guide:
        shown = _with_uid(job.guide)
        if shown is None:
            raise SceneError("The objective needs a guide image, and none is chosen.", "Choose one in the panel.")
        path = image_file(shown, folder)
        guide = file_hash(path)
        files[guide] = path
    space = working_color_space() if image.is_float else ColorSpace.SRGB
    return DreamRequest(file_hash(source), job.settings, color_space=space, guide=guide), files


def _take(job: ImageJob, path: Path) -> bpy.types.Image:
    """The dream as an image of Blender's."""
    image = _find(job.image)
    pixels = _read(path)
    if len(pixels) != image.size[0] * image.size[1]:
        raise SceneError(f"{image.name!r} has got another size while it dreamed.", "Dream it again.")
    dream = bpy.data.images.new(
        f"{image.name} dreamed", *image.size, alpha=image.channels == 4, float_buffer=image.is_float
    )
    _describe(dream, image)
    dream.pixels.foreach_set((pixels if image.is_float else _straight(pixels, _pixels(image))).ravel())
    dream.pack()
    if job.replace:
        image.user_remap(dream)
        image.use_fake_user = True  # now nobody else may hold on to it
    return dream


def _describe(dream: bpy.types.Image, image: bpy.types.Image) -> None:
    """Say what the dream's numbers mean, so that they come back as they are when the .blend is opened."""
    if not image.is_float or image.colorspace_settings.is_data:  # a new float image says scene-linear itself
        dream.colorspace_settings.name = image.colorspace_settings.name
    multiplied = "PREMUL" if image.is_float else "STRAIGHT"
    dream.alpha_mode = multiplied if image.alpha_mode in {"PREMUL", "STRAIGHT"} else image.alpha_mode


def _find(uid: int) -> bpy.types.Image:
    image = _with_uid(uid)
    if image is None:
        raise SceneError("The image that was dreaming is gone.", "Undo, or start again.")
    return check_image(image)


def _with_uid(uid: int | None) -> bpy.types.Image | None:
    return next((image for image in bpy.data.images if image.session_uid == uid), None)


def _read(path: Path) -> Pixels:
    """The numbers in a file, N x 4, as they are."""
    image = bpy.data.images.load(str(path))
    try:
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        return _pixels(image)
    finally:
        bpy.data.images.remove(image)


def _pixels(image: bpy.types.Image) -> Pixels:
    """N x 4; grey is spread over the colours."""
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    table = values.reshape(-1, image.channels)
    color = table[:, :3] if image.channels >= 3 else np.repeat(table[:, :1], 3, axis=1)
    alpha = table[:, 3:] if image.channels == 4 else np.ones((len(table), 1), np.float32)
    return np.concatenate([color, alpha], axis=1)


def _straight(dreamed: Pixels, source: Pixels) -> Pixels:
    """8-bit images hold colour that alpha is not multiplied into; where alpha is 0 it stays as it was."""
    alpha = dreamed[:, 3:]
    color = np.where(alpha > 0, dreamed[:, :3] / np.maximum(alpha, 1e-6), source[:, :3])
    return np.concatenate([color.clip(0, 1), source[:, 3:]], axis=1)
