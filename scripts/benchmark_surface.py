# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream of a surface: its time and memory after the renders, and how good it is.

The octopus of `octopus.py`, without UVs of its own. Its views are rendered once, by Blender in .venv-blender, and kept.
"""

from __future__ import annotations

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

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.engine.steps import finish
from blender_deepdream.engine.surface.dream import dream_surface
from blender_deepdream.engine.surface.passes import read_passes
from blender_deepdream.engine.surface.sheets import Sheet, sharpest
from blender_deepdream.engine.surface.views import View, read_view
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings
from tests.engine.surface.measures import Textures, alone, seam_steps, touched, worth

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = DreamSettings().replace(steps=15, step_size=0.014)
"""Those of the panel: 60 steps in four octaves."""


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
    brain = load_brain("lite0")
    start = time.perf_counter()
    used, sheets = scene.views("used"), scene.sheets(size)
    reading = time.perf_counter() - start
    dreamt = finish(dream_surface(used, sheets, brain, SETTINGS))
    seconds = time.perf_counter() - start
    found: dict[str, Any] = {"seconds": seconds, "reading": reading, "peak_gib": _peak(), "coverage": dreamt.coverage}
    write_image(dreamt.images[0], folder / f"dreamed-{size}.png")
    return found | (_qualities(scene, used, sheets, dreamt.images) if qualities else {})


def _qualities(scene: Scene, used: Sequence[View], sheets: Sequence[Sheet], images: Sequence[Image]) -> dict[str, Any]:
    brain, held_out, before = load_brain("lite0"), scene.views("held_out"), Textures([sheet.image for sheet in sheets])
    dreamt, facts = Textures(images), [read_passes(Path(one["facts"])) for one in scene.found["near"]]

    def seen(textures: Textures, views: Sequence[View]) -> float:
        return worth([textures.picture(view) for view in views], views, brain, SETTINGS)

    def seams(level: int) -> float:
        across, inside = seam_steps(Textures(images, level), facts)
        return across / inside

    by_itself = [alone(view, before.picture(view), brain, SETTINGS) for view in held_out]
    elsewhere = seen(dreamt, held_out)
    return {
        "seams": seams(0),
        "seams_halved": seams(1),
        "touched": touched(
            np.array(scene.found["visible"], np.float32), used, sharpest(used, [sheet.side for sheet in sheets])
        ),
        "held_out_of_used": elsewhere / seen(dreamt, used),
        "held_out_of_alone": elsewhere / worth(by_itself, held_out, brain, SETTINGS),
        "undreamed_of_alone": seen(before, held_out) / worth(by_itself, held_out, brain, SETTINGS),
    }


def rendered(folder: Path, views: int, side: int) -> Scene:
    """The views, by Blender where they are not there yet. Raises CalledProcessError."""
    blend, out = folder / "octopus.blend", folder / f"{views}-{side}"
    if not (out / "views.json").is_file():
        blender("octopus.py", blend)
        blender("surface_views.py", blend, out, "--objects", "Octopus", "--views", views, "--side", side)
    return Scene(json.loads((out / "views.json").read_text("utf-8")))


def blender(script: str, *arguments: object) -> None:
    python = ROOT / ".venv-blender" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [os.environ.get("BLENDER_PYTHON", str(python)), str(ROOT / "scripts" / script), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def as_text(found: dict[str, Any]) -> str:
    lines = [f"{found['seconds']:.0f} s after the renders ({found['reading']:.0f} s to read them)"]
    lines += [f"{found['peak_gib']:.2f} GiB at the most"]
    names = {
        "seams": "colour step across the edges of islands, from texel to texel, beside that inside (target: 1.1)",
        "seams_halved": "the same of the next mip level",
        "touched": "of the texels that can be seen, touched (target: 0.99)",
        "held_out_of_used": "objective from views that were not used, beside those that were (target: 0.8)",
        "held_out_of_alone": "the same beside dreaming each of those pictures alone (target: 0.6)",
        "undreamed_of_alone": "the same before the dream",
    }
    return "\n".join(lines + [f"{found[name]:.3f}  {words}" for name, words in names.items() if name in found])


def _view(one: dict[str, Any]) -> View:
    dark, light, facts = (Path(one[name]) for name in ("dark", "light", "facts"))
    space, device = ColorSpace.LINEAR_REC709, torch.device("cpu")
    return read_view(dark, light, facts, one["eye"], space, sheets=1, device=device)


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak / 2**30
