# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deepdream dream` can be told, made from the knobs, and the request that it comes to. Imports no torch."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from ..protocol.knob_arguments import add_knobs, knob_help, typed_knobs, whole
from ..protocol.messages import ColorSpace, Depth, DreamRequest
from ..protocol.region_words import add_region_argument, parse_regions
from ..protocol.settings import KNOBS, MOTION, DreamSettings

DESCRIPTION = (
    "Dream one image. IN: EXR, PNG, JPEG or TIFF, or an image of nothing: clouds:512x512, dusk:512x512, noise:512x512, "
    "gradient:512x512, hue:512x512 (its size, any; --seed or a number behind it, clouds:512x512:7, tells which). "
    "OUT: the kind its name ends with."
)

Choice = TypeVar("Choice", bound=StrEnum)

ENDLESS_ZOOM = 1.04
MAX_FRAMES = 100_000


def add_dream_arguments(parser: argparse.ArgumentParser) -> None:
    """Every knob, and the images that a dream begins with."""
    parser.add_argument("source", metavar="IN", help="the image, or of nothing: clouds:WIDTHxHEIGHT")
    parser.add_argument("target", metavar="OUT", type=Path, help="where the dream goes")
    add_knobs(parser, KNOBS)
    _add_layers(parser)
    parser.add_argument(
        "--preview", type=Path, metavar="IMG", help="show the dream so far in this .jpg, twice a second at most"
    )
    parser.add_argument("--mask", metavar="IMG", help="grey image: white dreams, black stays as it is")
    parser.add_argument(
        "--guide", metavar="IMG", help="image whose things steer the dream (objective: guide-dot if not said)"
    )
    add_region_argument(parser, "after IN and OUT")
    parser.add_argument(
        "--frames",
        type=whole(1, MAX_FRAMES),
        metavar="N",
        help="an endless zoom: OUT is a name like zoom_%%04d.png, each frame is dreamed from the one before, moved as "
        f"--zoom, --rotate and --shift-x, -y say (zoom {ENDLESS_ZOOM} if none is said; color: source if not said). Run "
        "again, it goes on where it stopped, or with more frames",
    )
    parser.add_argument(
        "--depth",
        type=_one_of(Depth),
        metavar="|".join(Depth),
        help="how OUT holds a value (default: PNG, JPEG 8, TIFF 16, EXR float; else: PNG 16, TIFF 8, float, EXR half)",
    )
    parser.add_argument(
        "--color-space",
        type=_one_of(ColorSpace),
        default=ColorSpace.AUTO,
        metavar="SPACE",
        help=f"colour space of IN and OUT: {', '.join(ColorSpace)} (default: auto, by the kind of file)",
    )


def request_of(options: argparse.Namespace) -> DreamRequest:
    """What was asked for, its images by the paths of their files. Raises SettingsError, InputError."""
    typed = typed_knobs(options, KNOBS)
    if options.layer:
        typed["layers"] = ",".join(options.layer)
    if options.guide and not any(_says_objective(words) for words in options.region):
        typed.setdefault("objective", "guide-dot")
    if options.frames is not None:
        # a moving picture shows what a still hides: colours that drift from frame to frame
        typed.setdefault("color", "source")
        if not any(name in typed for name in MOTION):
            typed["zoom"] = str(ENDLESS_ZOOM)
    return DreamRequest(
        options.source,
        DreamSettings.from_text(typed),
        options.mask,
        options.color_space,
        options.guide,
        parse_regions(options.region),
    )


def _add_layers(parser: argparse.ArgumentParser) -> None:
    metavar = "NAME[:CHANNELS][@OCTAVES][=WEIGHT]"
    parser.add_argument(
        "--layer", action="append", default=[], metavar=metavar, help=knob_help(KNOBS["layers"]) + "; repeatable"
    )


def _says_objective(words: Sequence[str]) -> bool:
    return any(word.startswith("objective=") for word in words)


def _one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    """One of these, for argparse, which would not say what there is to choose from."""

    def parse(text: str) -> Choice:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is none of: {', '.join(kind)}") from None

    return parse
