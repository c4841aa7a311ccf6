# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures by which artists choose in Blender: what each layer of lite0 dreams, and what each look looks like.

    python scripts/addon_pictures.py

Looks are dreamed from docs/pictures/pagoda.jpg into docs/pictures/presets/, with smaller ones beside their files; kept
ones are not dreamed again.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

from PIL import Image

from blender_deepdream.engine.atlas import Cell, atlas, usual_source
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.look import Look, read_look
from blender_deepdream.server import cli

ROOT = Path(__file__).resolve().parent.parent
ADDON = ROOT / "blender_deepdream" / "addon"
SOURCE = ROOT / "docs" / "pictures" / "pagoda.jpg"
SHOWN = ROOT / "docs" / "pictures" / "presets"
SIDE, QUALITY = 128, 86
MIDDLE = (150, 0, 420, 270)
"""Of the source: left, top, right, bottom, in pixels; what an icon shows of a look."""


def main() -> int:
    picture_layers(ADDON / "brains" / "lite0")
    SHOWN.mkdir(parents=True, exist_ok=True)
    for path in sorted((ADDON / "look_files").glob("*.json")):
        picture_look(path)
    return 0


def picture_layers(folder: Path) -> None:
    """What is known of the built-in brain, and a picture of each layer."""
    folder.mkdir(parents=True, exist_ok=True)
    brain = load_brain("lite0")
    # its thousand classes are of no use to panels
    about = brain.card.details().to_json() | {"classes": [], "recipe": {}}
    (folder / "brain.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    for cell in atlas(brain, usual_source()):
        if isinstance(cell, Cell):
            with Image.open(io.BytesIO(cell.jpeg)) as picture:
                picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
                    folder / f"{cell.layer}.jpg", quality=QUALITY
                )


def picture_look(path: Path) -> None:
    shown = SHOWN / f"{path.stem}.jpg"
    if not shown.exists():
        with tempfile.TemporaryDirectory() as folder:
            dreamed = Path(folder) / "dreamed.png"
            print(path.stem, flush=True)
            if cli.main(["dream", str(SOURCE), str(dreamed), *flags(read_look(path))]):
                sys.exit(f"{path.stem} did not dream")
            with Image.open(dreamed) as picture:
                picture.convert("RGB").save(shown, quality=QUALITY)
    with Image.open(shown) as picture:
        picture.crop(MIDDLE).resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
            path.with_suffix(".jpg"), quality=QUALITY
        )


def flags(look: Look) -> list[str]:
    """A look as the command line's flags."""
    told = dict(look.to_json()["settings"])
    layers = [flag for layer in told.pop("layers", "").split(", ") if layer for flag in ("--layer", layer)]
    return [*layers, *(text for name, value in told.items() for text in (f"--{name.replace('_', '-')}", str(value)))]


if __name__ == "__main__":
    sys.exit(main())
