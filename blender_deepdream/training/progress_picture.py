# SPDX-License-Identifier: GPL-3.0-or-later
"""How a brain learns, on one small picture to look at while it does: the curves, and below them the dreams."""

from __future__ import annotations

import io

from PIL import Image as Pillow

from ..engine.contact_sheet import GROUND
from .session import Pictures

WIDTH = 960
QUALITY = 88


def progress_jpeg(pictures: Pictures) -> bytes:
    """A JPEG, `WIDTH` pixels wide and as high as it takes."""
    parts = [_as_wide(picture) for picture in (pictures.curves, pictures.dreams) if picture is not None]
    whole = Pillow.new("RGB", (WIDTH, sum(part.height for part in parts)), GROUND)
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _as_wide(picture: Pillow.Image) -> Pillow.Image:
    """Smaller, or on a wider ground: type is not blown up."""
    if picture.width > WIDTH:
        return picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Pillow.Resampling.LANCZOS)
    ground = Pillow.new("RGB", (WIDTH, picture.height), GROUND)
    ground.paste(picture, (0, 0))
    return ground
