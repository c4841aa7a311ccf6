# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deepdream train` can be told, made from the knobs of `Recipe`. Imports no torch."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..protocol.errors import InputError
from ..protocol.knob_arguments import add_knobs, typed_knobs, whole
from ..protocol.recipe import Recipe, background_color
from ..protocol.training import DREAM_SOURCE

SUFFIX = ".safetensors"

DESCRIPTION = (
    "Train a brain on pictures of your own. DATASET: a folder; the folders in it are classes, and a folder without any "
    "is sorted into classes. OUT: the brain; pictures of how it learned go into a folder beside it. Ctrl-C stops and "
    "keeps the best brain so far; the same command again goes on, also after a kill."
)


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Every knob, where the pictures are, and what else shall come of them."""
    parser.add_argument("pictures", metavar="DATASET", type=Path, help="folder of pictures, in a folder for each class")
    parser.add_argument("target", metavar="OUT", type=Path, nargs="?", help=f"where the brain goes: NAME{SUFFIX}")
    parser.add_argument("--name", help="the brain's name (default: OUT's)")
    parser.add_argument("--install", action="store_true", help="put the brain into the library and make its atlas")
    parser.add_argument("--replace", action="store_true", help="in place of the library's brain of that name, if any")
    parser.add_argument(
        "--dream-source",
        default=DREAM_SOURCE,
        metavar="IMG",
        help="what is dreamed from after each epoch: an image, or one of nothing (default: %(default)s)",
    )
    parser.add_argument("--census", action="store_true", help="say what is in DATASET and how long it takes, and end")
    parser.add_argument(
        "--show-augmentation",
        type=Path,
        metavar="IMG",
        help="draw one picture of DATASET (or DATASET itself, if it is a picture) distorted thirty times, and end",
    )
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="where .OUT.training lies: beside OUT")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded pictures are kept")
    _add_nodes(parser)
    add_knobs(parser, Recipe.knobs())


def _add_nodes(parser: argparse.ArgumentParser) -> None:
    nodes = parser.add_argument_group("several GPUs or machines")
    nodes.add_argument(
        "--nnodes",
        type=whole(1, 1000),
        metavar="N",
        help="train on N machines: the same command on each, with the same folders under the same paths",
    )
    nodes.add_argument("--rendezvous", metavar="HOST:PORT", help="where they meet: one of them, and a free port there")
    nodes.add_argument("--nproc", type=whole(1, 64), metavar="N", help="processes on each (default: one for each GPU)")


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Raises SettingsError."""
    recipe = Recipe.from_text(typed_knobs(options, Recipe.knobs()))
    background_color(recipe)
    return recipe


def target_of(options: argparse.Namespace) -> Path:
    """Where the brain goes. Raises InputError if nobody said so, or it would not be a brain."""
    target: Path | None = options.target
    if target is None:
        raise InputError("Where shall the brain go?", f"Name a file behind the folder: mine{SUFFIX}.")
    if target.suffix != SUFFIX:
        raise InputError(f"{target} cannot be a brain.", f"Let its name end with {SUFFIX}.")
    return target
