# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's side of a kitsch job.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..engine.brain import Brain
from ..engine.cell_cache import CellCache
from ..engine.images import read_image
from ..engine.kitsch import Impression, Yardstick, check_judge, impression, mean_distance, yardstick
from ..engine.steps import follow
from ..protocol.kitsch import YARDSTICK_BRAIN, KitschRequest, KitschResult, Seen
from .as_sent import said_as_sent
from .report import Report
from .workbench import Workbench

CLASSES = 10
"""How many of the likeliest classes are told."""


def look_at_images(bench: Workbench, request: KitschRequest, brains: Mapping[str, str], report: Report) -> KitschResult:
    """Raises MissingBlobError, ImageError, UnknownLayerError for a brain without ImageNet's classes, CancelledError."""
    start = time.monotonic()
    judge = bench.brain(request.brain, brains)
    check_judge(judge)
    seen: dict[str, Impression] = {}
    for number, blob in enumerate(request.images, 1):
        bench.blob(blob)
        with said_as_sent(bench.store, {blob: f"Image {number}"}):
            seen[blob] = impression(read_image(bench.store.blob_path(blob)), judge)
    told = tuple(Seen(blob, tuple(one.classes(CLASSES)), tuple(one.families().items())) for blob, one in seen.items())
    if len(seen) < 2:
        return KitschResult(told, None, None, None, round(time.monotonic() - start, 3))
    measure = _measured(bench, judge, brains, report)
    mean = mean_distance(list(seen.values()))
    return KitschResult(told, mean, measure.same_layer, measure.other_layer, round(time.monotonic() - start, 3))


def _measured(bench: Workbench, judge: Brain, brains: Mapping[str, str], report: Report) -> Yardstick:
    dreamer = bench.brain(YARDSTICK_BRAIN, brains)
    return follow(yardstick(dreamer, judge, CellCache(bench.store.root / "cells")), report.advance)
