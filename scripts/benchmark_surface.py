# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream of a surface: its time and memory after the renders, and how good it is.

The octopus of `octopus.py`, without UVs of its own. Its views are rendered by Blender in .venv-blender, and kept until
the scripts that make them change.

A picture dreamed alone is a held-out view's, before the dream, under the same brain and settings, steps among them, at
the same size and as far as the surface covers it, the background as it is. It may do what no texture can: be lit where
there is shadow, and have pixels that agree with no other view. A texture that dreams through that one view tells how
much of what ours lacks is due to that, and how much to the views that it must please at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blender_deepdream.engine.color import Array
from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.passes import Passes, read_passes
from blender_deepdream.engine.surface.sheets import Sheet, sharpest
from blender_deepdream.engine.surface.views import View, read_view
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings
from tests.engine.surface.measures import Textures, alone, seam_steps, touched, worth

ROOT = Path(__file__).resolve().parents[1]
BRAIN = load_brain("lite0")
SETTINGS = DreamSettings().replace(steps=15, step_size=0.014)
"""Those of the panel: 60 steps in four octaves."""
SHEET = "held-out.png"
FEW = 3
"""Every third held-out view has a texture dreamed through it alone, which takes minutes for all."""
WIDTH = 74
LINES = (
    ("seconds", "seconds after the renders", "at most 90"),
    ("reading", "    ... of which reading them", ""),
    ("peak_gib", "memory at the most, GiB", "at most 3"),
    ("seams", "(a) colour step across islands' edges, beside that inside", "at most 1.1"),
    ("seams_halved", "    ... a mip level down", "at most 1.1"),
    ("touched", "(b) of the texels that can be seen, touched", "at least 0.99"),
    ("held_out_of_used", "(c) objective from other views, beside those used", "at least 0.8"),
    ("held_out_of_alone", "    ... beside each of those pictures dreamed alone, in the mean", "at least 0.6"),
    ("least_of_alone", "    ... the least of them", ""),
    ("most_of_alone", "    ... the most", ""),
    ("undreamed_of_alone", "    ... before the dream, in the mean", ""),
    ("one_view_of_alone", "    ... of a texture that dreams through that view alone, in the mean", ""),
)
"""Of a finding: its name, what it is, and what is aimed at."""


@dataclass(frozen=True)
class Scene:
    """What Blender has rendered. found: as `surface_views.py` leaves it."""

    found: dict[str, Any]

    def views(self, kind: str) -> list[View]:
        return [_view(one) for one in self.found[kind]]

    def sheets(self, side: int) -> list[Sheet]:
        return [Sheet(read_image(Path(path), ColorSpace.LINEAR_REC709), side) for path in self.found["sheets"]]


def measure(folder: Path, views: int, side: int, size: int, qualities: bool) -> dict[str, Any]:
    """folder: where views are kept. size: of the texture. qualities: whether seams, coverage and views from elsewhere
    are measured, which takes minutes."""
    scene = rendered(folder, views, side)
    start = time.perf_counter()
    used, sheets = scene.views("used"), scene.sheets(size)
    reading = time.perf_counter() - start
    dreamt = finish(dream_surface(used, sheets, BRAIN, SETTINGS))
    seconds = time.perf_counter() - start
    found: dict[str, Any] = {"seconds": seconds, "reading": reading, "peak_gib": _peak(), "coverage": dreamt.coverage}
    write_image(dreamt.images[0], folder / f"dreamed-{size}.png")
    if qualities:
        found |= _qualities(scene, used, sheets, dreamt.images, folder) | {"pictures": str(folder / SHEET)}
    return found


def _qualities(
    scene: Scene, used: Sequence[View], sheets: Sequence[Sheet], images: Sequence[Image], folder: Path
) -> dict[str, Any]:
    held_out, before = scene.views("held_out"), Textures([sheet.image for sheet in sheets])
    dreamt, facts = Textures(images), [read_passes(Path(one["facts"])) for one in scene.found["near"]]
    visible = np.array(scene.found["visible"], np.float32)
    elsewhere = [dreamt.picture(view) for view in held_out]
    by_itself = [alone(view, before.picture(view), BRAIN, SETTINGS) for view in held_out]
    write_image(_rows(elsewhere, by_itself), folder / SHEET)
    ours, best = _worths(elsewhere, held_out), _worths(by_itself, held_out)
    return {
        "seams": _seams(images, 0, facts),
        "seams_halved": _seams(images, 1, facts),
        "touched": touched(visible, used, sharpest(used, [sheet.side for sheet in sheets])),
        "held_out_of_used": ours.mean() / _worths([dreamt.picture(view) for view in used], used).mean(),
        "held_out_of_alone": ours.mean() / best.mean(),
        "least_of_alone": (ours / best).min(),
        "most_of_alone": (ours / best).max(),
        "undreamed_of_alone": _worths([before.picture(view) for view in held_out], held_out).mean() / best.mean(),
        "one_view_of_alone": _through_one(held_out[::FEW], sheets).mean() / best[::FEW].mean(),
    }


def _worths(pictures: Sequence[Tensor], views: Sequence[View]) -> Array:
    """What the objective is worth in each."""
    return np.array([worth([one], [view], BRAIN, SETTINGS) for one, view in zip(pictures, views, strict=True)])


def _seams(images: Sequence[Image], level: int, facts: Sequence[Passes]) -> float:
    across, inside = seam_steps(Textures(images, level), facts)
    return across / inside


def _through_one(views: Sequence[View], sheets: Sequence[Sheet]) -> Array:
    """What each view is worth if the texture dreams through it alone."""
    dreams = [finish(dream_surface([view], sheets, BRAIN, SETTINGS)).images for view in views]
    return _worths([Textures(images).picture(view) for images, view in zip(dreams, views, strict=True)], views)


def _rows(*rows: Sequence[Tensor]) -> Image:
    """Pictures (1x3xHxW, dream space) of one size below and beside each other."""
    sheet = torch.cat([torch.cat(list(row), dim=3) for row in rows], dim=2)
    return Image(np.ascontiguousarray(sheet[0].permute(1, 2, 0).numpy()), ColorSpace.SRGB)


def rendered(folder: Path, views: int, side: int) -> Scene:
    """The views, by Blender unless the same scripts have left them there. Raises CalledProcessError."""
    blend, out = folder / "octopus.blend", folder / f"{views}-{side}"
    scripts = [ROOT / "scripts" / name for name in ("octopus.py", "surface_views.py")]
    made_by = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()
    note = out / "made-by"
    if not note.is_file() or note.read_text("utf-8") != made_by:
        out.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        blender("octopus.py", blend)
        blender("surface_views.py", blend, out, "--objects", "Octopus", "--views", views, "--side", side)
        note.write_text(made_by, "utf-8")
    return Scene(json.loads((out / "views.json").read_text("utf-8")))


def blender(script: str, *arguments: object) -> None:
    python = ROOT / ".venv-blender" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [os.environ.get("BLENDER_PYTHON", str(python)), str(ROOT / "scripts" / script), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def as_text(found: dict[str, Any]) -> str:
    lines = [f"{words:{WIDTH}}  {found[name]:6.2f}  {target}" for name, words, target in LINES if name in found]
    if "seams" in found:
        lines += [f"(d) to look at: {found['pictures']}, twelve other views above, each dreamed alone below"]
    return "\n".join([f"{'':{WIDTH}}  {'seen':>6}  target", *lines])


def _view(one: dict[str, Any]) -> View:
    dark, light, facts = (Path(one[name]) for name in ("dark", "light", "facts"))
    space, device = ColorSpace.LINEAR_REC709, torch.device("cpu")
    return read_view(dark, light, facts, one["eye"], space, sheets=1, device=device)


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak / 2**30
