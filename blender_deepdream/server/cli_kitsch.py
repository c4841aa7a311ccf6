# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream kitsch`: what ImageNet's classifier sees in images, and how far they lie apart."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..engine import zoo
from ..engine.brain import Brain
from ..engine.cell_cache import CellCache, user_cache
from ..engine.images import read_image
from ..engine.kitsch import (
    Impression,
    Yardstick,
    check_judge,
    feature_layer,
    impression,
    pairwise,
    yardstick,
)
from ..engine.steps import follow
from ..protocol.errors import ImageError, InputError
from ..protocol.messages import Progress
from .dreaming import choose_device
from .reporter import reporter

LEAST_SHARE = 0.03
"""Families with less than this are not worth a word in a table."""


def look_at_images(options: argparse.Namespace) -> None:
    """Tell what is seen in each of `options.images`, and of several how far they lie apart.

    Images that cannot be read are said, and the others still looked at; then an InputError is raised at the end. Raises
    UnknownBrainError, UnknownLayerError for a brain that does not know ImageNet's classes, StorageError.
    """
    brain = zoo.load_brain(options.brain or zoo.DEFAULT_BRAIN, choose_device(options.device, options.threads))
    check_judge(brain)
    seen: dict[Path, Impression] = {}
    failed: list[InputError] = []
    for path in dict.fromkeys(options.images):
        try:
            seen[path] = impression(read_image(path), brain)
        except InputError as error:
            failed.append(error)
            _complain(error, options.json)
        else:
            _tell_image(path, seen[path], options)
    if len(seen) > 1:
        _tell_distance(seen, brain, options)
    if failed:
        others = "The others were: see above." if seen else "Give images: EXR, PNG, JPEG or TIFF."
        raise ImageError(f"{len(failed)} of {len(failed) + len(seen)} images could not be looked at.", others)


def _complain(error: InputError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.to_wire()}), flush=True)
    else:
        print(f"deepdream: {error.message}", file=sys.stderr, flush=True)


def _tell_image(path: Path, seen: Impression, options: argparse.Namespace) -> None:
    classes, families = seen.classes(options.top), seen.families()
    if options.json:
        rounded = {family: round(share, 6) for family, share in families.items()}
        named = [[name, round(share, 6)] for name, share in classes]
        print(json.dumps({"image": {"path": str(path), "classes": named, "families": rounded}}), flush=True)
        return
    worth = {family: share for family, share in families.items() if share >= LEAST_SHARE}
    print(path)
    print(f"  classes   {_shares(classes)}")
    print(f"  families  {_shares(list(worth.items()))}", flush=True)


def _shares(items: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in items)


def _tell_distance(seen: dict[Path, Impression], brain: Brain, options: argparse.Namespace) -> None:
    measure = _measured(brain, options)
    paths = list(seen)
    pairs = pairwise(list(seen.values()))
    mean = sum(pairs.values()) / len(pairs)
    layer = feature_layer(brain).name
    if options.json:
        told: dict[str, Any] = {
            "brain": brain.card.name,
            "layer": layer,
            "mean": round(mean, 6),
            "pairs": [[str(paths[a]), str(paths[b]), round(value, 6)] for (a, b), value in pairs.items()],
            "same_layer": round(measure.same_layer, 6),
            "other_layer": round(measure.other_layer, 6),
        }
        print(json.dumps({"distance": told}))
        return
    print(f"distance  {mean:.3f} on average (cosine, {layer} of {brain.card.name})")
    for what, pair in (("nearest", min(pairs, key=pairs.__getitem__)), ("farthest", max(pairs, key=pairs.__getitem__))):
        print(f"  {what:8}  {pairs[pair]:.3f}  {paths[pair[0]]} and {paths[pair[1]]}")
    print("to compare, dreams of lite0:")
    print(f"  {measure.same_layer:.3f}  one layer, from two sources")
    print(f"  {measure.other_layer:.3f}  two layers, from one source")
    print(_verdict(mean, measure))


def _measured(brain: Brain, options: argparse.Namespace) -> Yardstick:
    dreamer = brain if brain.card.name == zoo.DEFAULT_BRAIN else zoo.load_brain(device=brain.device)
    cache = CellCache(options.cache) if options.cache else user_cache()
    steps = yardstick(dreamer, brain, cache)
    with reporter(options.json, _where) as report:
        return follow(steps, report)


def _where(progress: Progress) -> str:
    return f"dreams of lite0 to compare with, octave {progress.octave}/{progress.octaves}"


def _verdict(mean: float, measure: Yardstick) -> str:
    if mean >= measure.other_layer:
        return "These lie as far apart as dreams of different layers, or farther: they are different things."
    if mean <= measure.same_layer:
        return "These lie no farther apart than one layer's dreams of two sources: they are the same thing."
    share = (mean - measure.same_layer) / (measure.other_layer - measure.same_layer)
    return f"These lie {share:.0%} of the way from the same dream to another layer's."
