# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that are larger than this server takes, found by their headers before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterator

import OpenImageIO as oiio

from ..protocol.errors import ImageError
from ..protocol.jobs import JobRequest
from ..protocol.nothing import MAX_PIXELS, read_nothing
from .store import Store


def check_pixels(request: JobRequest, store: Store, limit: int) -> None:
    """Raises ImageError. What is no image is the concern of whoever reads it."""
    if limit >= MAX_PIXELS:
        return
    for width, height in _sizes(request, store):
        if width * height > limit:
            raise ImageError(
                f"An image of {width} x {height} pixels is too large for this server.",
                f"It takes {limit:,} pixels; whoever runs it can allow more with --max-pixels.",
            )


def _sizes(request: JobRequest, store: Store) -> Iterator[tuple[int, int]]:
    nothing = read_nothing(str(getattr(request, "source", "")))
    if nothing:
        yield nothing.width, nothing.height
    for sha in request.blobs:
        file = oiio.ImageInput.open(str(store.file_of(sha)))
        if file is None:
            oiio.geterror()  # else it is kept, and told of another file
            continue
        spec = file.spec()
        file.close()
        yield spec.width, spec.height
