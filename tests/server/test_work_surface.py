# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface job in the worker: what was killed goes on."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.engine.surface import standing
from blender_deepdream.protocol.errors import CancelledError, ImageError, MissingBlobError
from blender_deepdream.protocol.jobs import JobProgress
from blender_deepdream.protocol.messages import Progress
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.protocol.surface import Sheet, SurfaceRegion, SurfaceRequest, View
from blender_deepdream.server.store import Store
from blender_deepdream.server.work_surface import dream_sheets
from blender_deepdream.server.workbench import Workbench

from ..engine.surface.walls import write_view
from .process import wait_for


class Until:
    """A report of a job that nobody wants any more beyond a share of it."""

    def __init__(self, share: float = 2.0) -> None:
        self._share = share
        self.told: list[float] = []

    def advance(self, progress: JobProgress) -> None:
        assert isinstance(progress, Progress)
        self.told.append(progress.fraction)
        if progress.fraction > self._share:
            raise CancelledError("Nobody wants it.")

    def show(self, jpeg: bytes) -> None:
        pass


class Stalled(Until):
    """A report of a job that comes to a standstill there instead, for somebody to kill it."""

    def advance(self, progress: JobProgress) -> None:
        try:
            super().advance(progress)
        except CancelledError:
            time.sleep(60)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    store = Store(tmp_path / "data")
    store.prepare()
    return Workbench(store, "cpu", 1)


def request(keep: Callable[[bytes], str], folder: Path) -> SurfaceRequest:
    """keep: takes a blob, and tells its hash."""
    folder.mkdir()
    base = folder / "base.exr"
    write_image(Image(np.full((16, 16, 3), 0.3, np.float32)), base)
    dark, light, facts = (keep(path.read_bytes()) for path in write_view(folder))
    sheet = Sheet(keep(base.read_bytes()), 64)
    settings = DreamSettings().replace(octaves=2, steps=3)
    return SurfaceRequest((View(dark, light, facts, (0.0, 0.0, 2.0)),), (sheet, sheet), settings)


def test_regions_dream_of_their_own(bench: Workbench, tmp_path: Path) -> None:
    wanted, brains = request(bench.store.keep, tmp_path / "files"), {"lite0": bench.library.find("lite0").id}
    for name, pixels in (("white", np.ones((8, 8, 1))), ("black", np.zeros((8, 8, 1))), ("wide", np.ones((8, 9, 1)))):
        write_image(Image(pixels.astype(np.float32)), tmp_path / f"{name}.exr")
    white, black, wide = (
        bench.store.keep((tmp_path / f"{name}.exr").read_bytes()) for name in ("white", "black", "wide")
    )
    layers = (("_blocks.2", 1.0),)
    regions = [SurfaceRegion(masks, layers) for masks in ((white, black), (black, black))]
    part, none = (dream_sheets(bench, replace(wanted, regions=(one,)), brains, Until()) for one in regions)
    assert part.textures[0] != none.textures[0]
    with pytest.raises(ImageError, match="square"):
        dream_sheets(bench, replace(wanted, regions=(SurfaceRegion((wide, white), layers),)), brains, Until())
    damaged = bench.store.keep(b"no image")
    with pytest.raises(ImageError, match="The mask of region 1 on sheet 2"):
        dream_sheets(bench, replace(wanted, regions=(SurfaceRegion((white, damaged), layers),)), brains, Until())


def test_a_relief_is_dreamed_under_the_textures(bench: Workbench, tmp_path: Path) -> None:
    wanted, brains = request(bench.store.keep, tmp_path / "files"), {"lite0": bench.library.find("lite0").id}
    plain, report = dream_sheets(bench, wanted, brains, Until()), Until()
    deep = dream_sheets(bench, replace(wanted, relief=1.0), brains, report)
    assert plain.reliefs == ()
    assert deep.textures == plain.textures
    assert len(deep.reliefs) == 2
    assert read_image(bench.store.blob_path(deep.reliefs[0])).size == (64, 64)
    assert report.told == sorted(report.told), "progress is of both"
    assert report.told[-1] == pytest.approx(1)


def test_a_copy_that_goes_while_the_textures_dream_is_asked_for_again(bench: Workbench, tmp_path: Path) -> None:
    """As where it came from an object store; here there is no other, and that is said of it."""
    wanted, brains = request(bench.store.keep, tmp_path / "files"), {"lite0": bench.library.find("lite0").id}
    facts = wanted.views[0].facts

    class Tidying(Until):
        def advance(self, progress: JobProgress) -> None:
            super().advance(progress)
            bench.store.blob_path(facts).unlink(missing_ok=True)

    with pytest.raises(MissingBlobError, match=facts):
        dream_sheets(bench, replace(wanted, relief=1.0), brains, Tidying())


def test_a_job_that_was_cancelled_goes_on_and_comes_to_the_same(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, brains = request(bench.store.keep, tmp_path / "files"), {"lite0": bench.library.find("lite0").id}
    whole = dream_sheets(bench, wanted, brains, Until())
    monkeypatch.setattr(standing.Keeper.__init__, "__defaults__", (None, 0.0, float("inf")))
    with pytest.raises(CancelledError):
        dream_sheets(bench, wanted, brains, Until(0.6))
    assert list((bench.store.root / "surfaces").iterdir())
    rest = Until()
    assert dream_sheets(bench, wanted, brains, rest).textures == whole.textures
    assert min(rest.told) > 0.4
    assert not list((bench.store.root / "surfaces").iterdir()), "a dream that is whole leaves nothing behind"


def dream_and_keep_all(root: Path, wanted: SurfaceRequest, brains: dict[str, str]) -> None:
    """For a process of its own."""
    standing.Keeper.__init__.__defaults__ = (None, 0.0, float("inf"))
    torch.set_num_threads(1)
    dream_sheets(Workbench(Store(root), "cpu", 1), wanted, brains, Stalled(0.3))


def test_a_worker_that_is_killed_goes_on_and_comes_to_the_same(bench: Workbench, tmp_path: Path) -> None:
    wanted, brains = request(bench.store.keep, tmp_path / "files"), {"lite0": bench.library.find("lite0").id}
    wanted = replace(wanted, settings=wanted.settings.replace(steps=20))
    arguments = bench.store.root, wanted, brains
    worker = multiprocessing.get_context("spawn").Process(target=dream_and_keep_all, args=arguments)
    worker.start()
    kept = bench.store.root / "surfaces"
    try:
        wait_for(lambda: list(kept.glob("*.safetensors")), 60)
    finally:
        worker.kill()
        worker.join(20)
    assert worker.exitcode
    assert list(kept.glob("*.safetensors")), "it was killed in the midst of its dream"
    rest = Until()
    ended = dream_sheets(bench, wanted, brains, rest)
    assert min(rest.told) > 0.02, "it does not begin anew"
    assert dream_sheets(bench, wanted, brains, Until()).textures == ended.textures
