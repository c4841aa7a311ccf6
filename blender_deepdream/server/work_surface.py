# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's side of a surface job: views and sheets in, textures out.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from ..engine.dream import fingerprint
from ..engine.image_output import write_image
from ..engine.images import Image, read_image
from ..engine.steps import follow, retold
from ..engine.surface.dream import dream_surface
from ..engine.surface.ground import read_ground
from ..engine.surface.regions import Region
from ..engine.surface.relief import dream_relief
from ..engine.surface.sheets import Sheet
from ..engine.surface.standing import Keeper
from ..engine.surface.views import View, read_view
from ..protocol import surface as protocol
from ..protocol.messages import Depth, Progress
from ..protocol.surface import SURFACE_VERSION, SurfaceRequest, SurfaceResult
from ..protocol.wire import canonical_hash
from .as_sent import said_as_sent
from .dreaming import read_guide
from .report import Report
from .workbench import Workbench


def dream_sheets(bench: Workbench, request: SurfaceRequest, brains: Mapping[str, str], report: Report) -> SurfaceResult:
    """Raises what `dream_surface` raises, ImageError, MissingBlobError, CancelledError, StorageError."""
    start = time.monotonic()
    load = functools.partial(bench.brain, wanted=brains)
    # a wrong name is said before anything large is read
    brain = load(request.settings.brain)
    for blob in request.blobs:
        bench.blob(blob)
    with said_as_sent(bench.store, _names(request)):
        views = [_view(bench, request, number, brain.device) for number in range(len(request.views))]
        sheets = [_sheet(bench, request, sheet) for sheet in request.sheets]
        guide = None if request.guide is None else read_guide(bench.store.blob_path(request.guide))
        regions = [_region(bench, request, region, guide) for region in request.regions]
    engine = {"engine": fingerprint(brain.device), "surface": SURFACE_VERSION}
    whole = {"request": request.to_json(), "brains": dict(brains), **engine}
    keeper = Keeper(bench.store.root / "surfaces" / f"{canonical_hash(whole)}.safetensors")
    with _deterministic(brain.device), keeper.until_done():
        steps = dream_surface(
            views, sheets, brain, request.settings, guide, regions=regions, load=load, show=report.show, keeper=keeper
        )
        stages = 2 if request.relief else 1
        dreamt = follow(retold(steps, functools.partial(_of_stage, 0, stages)), report.advance)
        textures = tuple(_kept(bench, image, request.depth) for image in dreamt.images)
        reliefs: tuple[str, ...] = ()
        if request.relief:
            lit = [replace(sheet, image=image) for sheet, image in zip(sheets, dreamt.images, strict=True)]
            carving = _carving(bench, request, views, lit, guide=guide, regions=regions, load=load)
            heights = follow(retold(carving, functools.partial(_of_stage, 1, stages)), report.advance)
            reliefs = tuple(_kept(bench, height, Depth.HALF) for height in heights)
    return SurfaceResult(textures, round(dreamt.coverage, 4), round(time.monotonic() - start, 3), reliefs)


def _carving(
    bench: Workbench, request: SurfaceRequest, views: Sequence[View], sheets: Sequence[Sheet], **how: Any
) -> Generator[Progress, None, list[Image]]:
    """sheets: with the textures that the relief lies under."""
    # a copy of them may have gone while the textures dreamed
    facts = [bench.blob(view.facts) for view in request.views]
    grounds = [read_ground(path, view) for path, view in zip(facts, views, strict=True)]
    brain = how["load"](request.settings.brain)
    return dream_relief(views, grounds, sheets, brain, request.settings, request.relief, **how)


def _of_stage(stage: int, stages: int, progress: Progress) -> Progress:
    """One stage's progress as the whole's: another one is taken to last as long."""
    eta, left = progress.eta, 1 - progress.fraction
    if eta is not None:
        eta = eta * (1 + (stages - stage - 1) / left) if left else None
    return replace(progress, fraction=(stage + progress.fraction) / stages, eta=eta)


def _view(bench: Workbench, request: SurfaceRequest, number: int, device: torch.device) -> View:
    view = request.views[number]
    dark, light, facts, *rest = (bench.store.blob_path(blob) for blob in view.blobs)
    behind, count = rest[0] if rest else None, len(request.sheets)
    return read_view(dark, light, facts, view.eye, request.color_space, sheets=count, device=device, behind=behind)


def _sheet(bench: Workbench, request: SurfaceRequest, wanted: protocol.Sheet) -> Sheet:
    image, *mask = (read_image(bench.store.blob_path(blob), request.color_space) for blob in wanted.blobs)
    return Sheet(image, wanted.side, *mask)


def _region(bench: Workbench, request: SurfaceRequest, wanted: protocol.SurfaceRegion, guide: Image | None) -> Region:
    """guide: of the whole, for a region that needs one and has none of its own."""
    settings = wanted.settings(request.settings)
    own = guide if wanted.guide is None else read_guide(bench.store.blob_path(wanted.guide))
    masks = tuple(read_image(bench.store.blob_path(mask), request.color_space) for mask in wanted.masks)
    return Region(masks, settings, own if settings.needs_guide else None)


def _kept(bench: Workbench, image: Image, depth: Depth) -> str:
    target = bench.store.temporary_path(".exr" if depth.is_float else ".png")
    try:
        write_image(image, target, depth)
        return bench.store.adopt(target)
    finally:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)


@contextlib.contextmanager
def _deterministic(device: torch.device) -> Iterator[None]:
    """On CUDA, many pixels add to one texel in any order, unless torch is told otherwise."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or device.type == "cuda", warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _names(request: SurfaceRequest) -> dict[str, str]:
    """What each blob is to those who sent it."""
    names = {blob: f"View {number}" for number, view in enumerate(request.views, 1) for blob in view.blobs}
    names |= {blob: f"Sheet {number}" for number, sheet in enumerate(request.sheets, 1) for blob in sheet.blobs}
    for number, region in enumerate(request.regions, 1):
        names |= {mask: f"The mask of region {number} on sheet {sheet}" for sheet, mask in enumerate(region.masks, 1)}
        names |= {region.guide: f"The guide of region {number}"} if region.guide else {}
    return names | ({request.guide: "The guide"} if request.guide else {})
