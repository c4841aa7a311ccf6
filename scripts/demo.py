# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a small animation through the DeepDream node, dream an object on all sides, and lay out what came of both.

    make demo        the same, with everything set up first

Leaves in out/demo: the scene, the frames, a contact sheet (each render above its dream) and a looping animation; and in
out/demo/surface the textures of an octopus, a .blend with them, and the octopus turning.
Run in .venv: it starts Blender in .venv-blender. Run again, it redoes only what has changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "demo"
FRAMES = range(1, 13)
MILLISECONDS = 125
"""How long the animation shows each frame: slow enough to look at."""
DREAM: dict[str, str] = {}
"""Settings that differ from the node's defaults."""
TURN = range(1, 25)
TURN_MILLISECONDS = 120
SURFACE = {"size": 1024, "views": 24, "view-size": 320}
"""Fewer and smaller views than the panel's, to be quick."""
TEXTURE = "Octopus.png"
COLUMNS, GAP, PAPER = 4, 6, (18, 18, 20)


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    scene = OUT / "demo.blend"
    try:
        build_scene(scene)
        render(scene)
        turned = dream_surface()
    except subprocess.CalledProcessError as error:
        print(f"The demo stopped: {Path(error.cmd[1]).name} ended with exit code {error.returncode}.", file=sys.stderr)
        return 1
    dreams = [Image.open(OUT / "frames" / f"{frame:04d}.png").convert("RGB") for frame in FRAMES]
    renders = [read_render(OUT / "cache" / "raw" / f"{frame:04d}.exr") for frame in FRAMES]
    contact_sheet(renders, dreams).save(OUT / "sheet.jpg", quality=88)
    animation = OUT / "demo.webp"
    animate(dreams, animation)
    turntable = OUT / "surface" / "turntable.webp"
    animate(turned, turntable, TURN_MILLISECONDS, quality=95)
    for path in (OUT / "frames", OUT / "sheet.jpg", animation, turntable):
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return 0


def build_scene(scene: Path) -> None:
    """Build the scene, unless it was built from today's scripts already."""
    sources = sorted((ROOT / "scripts").glob("demo_*.py"))
    if scene.is_file() and all(source.stat().st_mtime < scene.stat().st_mtime for source in sources):
        return
    print("Building the scene", flush=True)
    blender(ROOT / "scripts" / "demo_scene.py", scene, speaks=False)


def render(scene: Path) -> None:
    """Render it in 3D, dream it, composite it, all frames."""
    print(f"Rendering and dreaming {len(FRAMES)} frames", flush=True)
    settings = [f"--set={name}={value}" for name, value in DREAM.items()]
    places = ["--cache", OUT / "cache", "--output", OUT / "frames" / "####.png"]
    frames = f"{FRAMES[0]}-{FRAMES[-1]}"
    blender(ROOT / "scripts" / "render.py", scene, "--add-node", "--frames", frames, *places, *settings)


def dream_surface() -> list[Image.Image]:
    """Dream an octopus on all sides, and render it as it turns."""
    scene, folder = OUT / "octopus.blend", OUT / "surface"
    if not scene.is_file() or scene.stat().st_mtime < (ROOT / "scripts" / "octopus.py").stat().st_mtime:
        blender(ROOT / "scripts" / "octopus.py", scene, len(TURN), speaks=False)
    print("Dreaming an octopus on all sides", flush=True)
    options = [f"--{name}={value}" for name, value in SURFACE.items()]
    places = ["--cache", OUT / "cache", "--output", folder]
    blender(ROOT / "scripts" / "surface.py", scene, "--objects", "Octopus", *options, *places)
    print("Turning it", flush=True)
    shown = (folder / TEXTURE).read_bytes() + (ROOT / "scripts" / "octopus.py").read_bytes()
    frames = folder / f"turn-{hashlib.sha256(shown).hexdigest()[:12]}"
    blender(ROOT / "scripts" / "turntable.py", folder / scene.name, frames)
    return [Image.open(frames / f"{frame:04d}.png").convert("RGB") for frame in TURN]


def animate(frames: Sequence[Image.Image], path: Path, milliseconds: int = MILLISECONDS, quality: int = 85) -> None:
    """A WebP that loops."""
    first, *others = frames
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0, quality=quality, method=4)


def blender(script: Path, *arguments: object, speaks: bool = True) -> None:
    """Run a script in Blender's Python, its chatter in a log. Raises CalledProcessError after showing the log's end.

    speaks: whether its standard output is for people, and not Blender's chatter, too.
    """
    python = ROOT / ".venv-blender" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = os.environ | {"DEEPDREAM_PYTHON": sys.executable}
    log = OUT / f"{script.stem}.log"
    with log.open("w", encoding="utf-8") as chatter:
        command = [str(python), str(script), *map(str, arguments)]
        outcome = subprocess.run(
            command, env=environment, stdout=None if speaks else chatter, stderr=chatter, check=False
        )
    if outcome.returncode:
        print(*log.read_text("utf-8", "replace").splitlines()[-20:], sep="\n", file=sys.stderr)
        outcome.check_returncode()


def read_render(path: Path) -> Image.Image:
    """The picture among a frame's rendered passes, as the sRGB screen shows it (the scene's view is Standard)."""
    parts = oiio.ImageBuf(str(path)).nsubimages
    images = (oiio.ImageBuf(str(path), part, 0) for part in range(parts))
    picture = next(image for image in images if image.spec().channelnames[0].endswith("Combined.R"))
    linear = np.clip(np.asarray(picture.get_pixels(oiio.FLOAT))[..., :3], 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return Image.fromarray((encoded * 255 + 0.5).astype(np.uint8))


def contact_sheet(renders: Sequence[Image.Image], dreams: Sequence[Image.Image]) -> Image.Image:
    """All frames in rows of four, each render above its dream."""
    width, height = dreams[0].size
    rows = -(-len(dreams) // COLUMNS)
    pair = 2 * height + GAP
    sheet = Image.new("RGB", (COLUMNS * (width + GAP) + GAP, rows * (pair + 3 * GAP) + GAP), PAPER)
    for index, (render, dream) in enumerate(zip(renders, dreams, strict=True)):
        x = GAP + index % COLUMNS * (width + GAP)
        y = 2 * GAP + index // COLUMNS * (pair + 3 * GAP)
        sheet.paste(render, (x, y))
        sheet.paste(dream, (x, y + height + GAP))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
