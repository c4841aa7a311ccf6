# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream kitsch --against DATASET`: how much of the artist's own pictures is in their dreams."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from ..engine import zoo
from ..engine.atlas import Cell, atlas, usual_source
from ..engine.brain import Brain
from ..engine.cell_cache import CellCache, user_cache
from ..engine.images import read_image
from ..engine.kitsch import YARDSTICK_LAYERS, YARDSTICK_SEEDS
from ..training.likeness import Bank, Pixels, bank_of, judging_layer, patches_of, pictures_of, pixels_of, share_of
from .dreaming import choose_device
from .reporter import reporter

THIRD = "squeezenet"
"""Who judges if the library has it: it dreams for nobody, so it has no dreams of its own to like."""


def compare_with_pictures(options: argparse.Namespace) -> None:
    """Tell for each of `options.images` how much of `options.against` is in it, rather than of `options.others`.

    The others are by default lite0's own dreams: what everybody's dreams look like. Photographs as others are a milder
    measure, and make the share of an image depend on how much it is like a photograph. Raises InputError, ImageError,
    UnknownBrainError, StorageError.
    """
    judge = zoo.load_brain(options.brain or _usual_judge(), choose_device(options.device, options.threads))
    own = bank_of(pictures_of(options.against), judge)
    others = bank_of(pictures_of(options.others) if options.others else _usual_others(options, judge), judge)
    shares = {
        path: share_of(patches_of(read_image(path), judge), own.patches, others.patches) for path in options.images
    }
    if options.json:
        _tell_machines(shares, own, others, judge, options)
    else:
        _tell(shares, own, others, judge, options)


def _usual_judge() -> str:
    return THIRD if any(brain.name == THIRD for brain in zoo.list_brains()) else zoo.DEFAULT_BRAIN


def _usual_others(options: argparse.Namespace, judge: Brain) -> Iterator[Pixels]:
    """Dreams of lite0."""
    dreamer = zoo.load_brain(device=judge.device)
    cache = CellCache(options.cache) if options.cache else user_cache()
    with reporter(options.json, lambda progress: "dreams of lite0 to compare with") as report:
        for seed in YARDSTICK_SEEDS:
            for news in atlas(dreamer, usual_source(seed=seed), YARDSTICK_LAYERS, cache=cache):
                if isinstance(news, Cell):
                    yield pixels_of(news.image())
                else:
                    report(news)


def _tell(shares: dict[Path, float], own: Bank, others: Bank, judge: Brain, options: argparse.Namespace) -> None:
    other = options.others or "lite0's own dreams"
    print(f"patches that look more like {options.against} than like {other}:")
    for path, share in shares.items():
        print(f"  {share:4.0%}  {path}")
    print(f"to compare ({judging_layer(judge).name} of {judge.card.name}):")
    print(f"  {share_of(own.held, own.patches, others.patches):4.0%}  pictures of {options.against}, kept back")
    print(f"  {share_of(others.held, own.patches, others.patches):4.0%}  {other}, kept back")


def _tell_machines(
    shares: dict[Path, float], own: Bank, others: Bank, judge: Brain, options: argparse.Namespace
) -> None:
    for path, share in shares.items():
        print(json.dumps({"image": {"path": str(path), "share": round(share, 6)}}))
    told = {
        "brain": judge.card.name,
        "layer": judging_layer(judge).name,
        "set": str(options.against),
        "others": str(options.others or "lite0"),
        "patches": min(len(own.patches), len(others.patches)),
        "set_share": round(share_of(own.held, own.patches, others.patches), 6),
        "others_share": round(share_of(others.held, own.patches, others.patches), 6),
    }
    print(json.dumps({"against": told}))
