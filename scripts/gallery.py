# SPDX-License-Identifier: GPL-3.0-or-later
"""What each control of `deepdream dream` does to the same picture, on one sheet, each picture with what to type for it.

    deepdream brains pull squeezenet
    python scripts/gallery.py docs/pictures/gallery.jpg

The pictures are dreamed by the command line itself. They are kept in out/gallery: run again, only new ones are dreamed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from blender_deepdream.protocol.nothing import read_nothing
from blender_deepdream.protocol.wire import content_hash
from blender_deepdream.server import cli

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "pictures" / "pagoda.jpg"
OUT = ROOT / "out" / "gallery"

CELL = (360, 202)
COLUMNS, GAP, MARGIN, HEADING, LEGEND = 4, 12, 26, 42, 30
GROUND, BRIGHT, QUIET = (22, 22, 24), (232, 230, 226), (150, 148, 146)
QUALITY = 84
FRAMES = 12
"""How far the endless zooms have gone."""

LEAVES = (0, 0, 150, 140)
"""Of the source: left, top, right, bottom, in pixels of 480 x 270."""


class Row(NamedTuple):
    """A family of controls. cells: what to type for each picture, "" for the defaults, SOURCE_ITSELF for none."""

    title: str
    text: str
    cells: tuple[str, ...]


SOURCE_ITSELF = "source.png"
ROWS = (
    Row(
        "Layers",
        "early ones draw lines and cells, late ones things",
        (SOURCE_ITSELF, "", "--layer _blocks.4", "--layer _blocks.9"),
    ),
    Row(
        "Channels, directions, classes",
        "of one layer; with factors; by the names that the brain was taught",
        (
            "--layer _blocks.10:3+40 --objective mean",
            "--layer _blocks.10:3+40*-0.5 --objective direction",
            "--layer class:jellyfish --octaves 6 --steps 15 --smoothing 5",
            "--layer squeezenet::class:peacock --octaves 5",
        ),
    ),
    Row(
        "Guides",
        "an image whose things the dream is made of, matched by loudness or by likeness",
        (
            "--guide leaves.png",
            "--guide leaves.png --objective guide-cosine",
            "--guide source.png --objective guide-cosine",
            "--guide leaves.png --layer _blocks.9",
        ),
    ),
    Row(
        "Mixtures",
        "weights are shares; layers may be of several brains, and keep to some octaves",
        (
            "--layer _blocks.6=3 --layer _blocks.12",
            "--layer squeezenet::fire9 --layer _blocks.4=0.5",
            "--layer _blocks.12@1-2 --layer _blocks.6@3-",
            "--layer _blocks.9=3 --layer _blocks.4=-1",
        ),
    ),
    Row(
        "How much",
        "octaves for larger shapes, steps for more of everything",
        ("--octaves 1", "--octaves 6", "--steps 30", "--strength 0.4"),
    ),
    Row(
        "How calm",
        "the gradient evened out, the noise taken out, the source holding on",
        ("--smoothing 1", "--smoothing 5", "--steps 30 --total-variation 1.5", "--steps 30 --pull 0.12"),
    ),
    Row(
        "Color",
        "free is the default",
        (
            "--steps 25",
            "--steps 25 --color lightness",
            "--steps 25 --color source",
            "--steps 25 --color decorrelated",
        ),
    ),
    Row(
        "Where",
        "masks with soft edges; regions with layers or guides of their own",
        (
            "--mask disc.png",
            "--region sky.png _blocks.4",
            "--region sky.png _blocks.6 --region water.png class:jellyfish",
            "--region sky.png - guide=leaves.png",
        ),
    ),
    Row(
        "Motion, seamless, nothing",
        f"frame {FRAMES} of endless zooms; a texture that repeats, from its seams; an image of nothing",
        (
            f"--frames {FRAMES} --steps 4",
            f"--frames {FRAMES} --steps 4 --zoom 1.02 --rotate 3",
            "clouds:360x202 --seamless both",
            "dusk:360x202 --octaves 5",
        ),
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, metavar="OUT", help="where the sheet goes: .jpg or .png")
    parser.add_argument("--source", type=Path, default=SOURCE, metavar="IMG", help="another picture, 16:9")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    prepare(Image.open(options.source).convert("RGB"))
    pictures = [[dreamed(words) for words in row.cells] for row in ROWS]
    sheet(pictures).save(options.target, quality=QUALITY, optimize=True)
    print(options.target)
    return 0


def prepare(source: Image.Image) -> None:
    """The pictures that the cells name, in OUT."""
    source.resize(CELL, Image.Resampling.LANCZOS).save(OUT / SOURCE_ITSELF)
    scale = source.width / 480
    left, top, right, bottom = (round(side * scale) for side in LEAVES)
    source.crop((left, top, right, bottom)).save(OUT / "leaves.png")
    rows, columns = np.mgrid[0 : CELL[1], 0 : CELL[0]]
    distance = np.hypot(rows - 0.42 * CELL[1], columns - 0.64 * CELL[0]) / CELL[1]
    masks = {"disc": (0.5 - distance) * 6, "sky": (0.5 - rows / CELL[1]) * 6, "water": (rows / CELL[1] - 0.66) * 6}
    for name, mask in masks.items():
        Image.fromarray((mask.clip(0, 1) * 255).astype(np.uint8)).save(OUT / f"{name}.png")


def dreamed(words: str) -> Image.Image:
    """What these words come to: a cell."""
    if words == SOURCE_ITSELF:
        return Image.open(OUT / SOURCE_ITSELF)
    inputs = b"".join((OUT / f"{name}.png").read_bytes() for name in ("source", "leaves", "disc", "sky", "water"))
    name = content_hash(inputs + words.encode())[:16]
    arguments = [str(OUT / word) if word.endswith(".png") and "=" not in word else word for word in shlex.split(words)]
    arguments = [word.replace("guide=", f"guide={OUT}/") for word in arguments]
    source = [] if read_nothing(words.split(" ", maxsplit=1)[0]) else [str(OUT / SOURCE_ITSELF)]
    frames = "--frames" in arguments
    picture = OUT / (f"{name}_{FRAMES:04d}.png" if frames else f"{name}.png")
    if not picture.is_file():
        print(words or "(defaults)", flush=True)
        at = 0 if source else 1
        target = OUT / f"{name}_%04d.png" if frames else picture
        command = [*source, *arguments[:at], str(target), *arguments[at:], "--threads", "1"]
        if cli.main(["dream", *command, "--json"]):
            raise SystemExit(f"deepdream dream {words} failed.")
    return repeated(Image.open(picture)) if "--seamless" in arguments else Image.open(picture)


def repeated(tile: Image.Image) -> Image.Image:
    """Four halves of it side by side, so that its seams lie in the middle."""
    return Image.fromarray(np.roll(np.asarray(tile), (tile.height // 2, tile.width // 2), axis=(0, 1)))


def sheet(pictures: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """All rows below each other, each picture above its words."""
    width, height = CELL
    tall = HEADING + height + LEGEND
    paper = Image.new("RGB", (2 * MARGIN + COLUMNS * (width + GAP) - GAP, 2 * MARGIN + len(ROWS) * tall), GROUND)
    pen = ImageDraw.Draw(paper)
    for number, (row, cells) in enumerate(zip(ROWS, pictures, strict=True)):
        top = MARGIN + number * tall
        pen.text((MARGIN, top), row.title, BRIGHT, ImageFont.load_default(20))
        indent = MARGIN + ImageFont.load_default(20).getbbox(row.title)[2] + 14
        pen.text((indent, top + 6), row.text, QUIET, ImageFont.load_default(14))
        for column, (words, cell) in enumerate(zip(row.cells, cells, strict=True)):
            left = MARGIN + column * (width + GAP)
            paper.paste(cell.convert("RGB"), (left, top + HEADING - 8))
            legend(pen, (left, top + HEADING + height - 3), words)
    return paper


def legend(pen: ImageDraw.ImageDraw, place: tuple[int, int], words: str) -> None:
    """What to type, in type small enough to fit."""
    text = {"": "the defaults", SOURCE_ITSELF: "the source"}.get(words, words)
    types = [ImageFont.load_default(size) for size in (14, 13, 12, 11, 10)]
    fitting = next((type_ for type_ in types if pen.textlength(text, type_) <= CELL[0]), types[-1])
    pen.text(place, text, BRIGHT, fitting)


if __name__ == "__main__":
    sys.exit(main())
