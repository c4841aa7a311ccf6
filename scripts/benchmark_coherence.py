# SPDX-License-Identifier: GPL-3.0-or-later
"""How much dreamed animations flicker: ours beside dreaming each frame alone, blending with the last frame, and flow.

Flicker is the mean of |D_t - warp(D_{t-1})| over all pixels that were in view in both frames, less that of the render
itself; all methods are warped with the same exact motion and the same kernel. The floor is that of a texture which is
locked to the surfaces: the first dream, read anew in each frame and never touched again.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from blender_deepdream.engine import dreamspace
from blender_deepdream.engine.brain import Brain
from blender_deepdream.engine.chain_files import read_vectors
from blender_deepdream.engine.correspondence import Correspondence, by_vectors, places
from blender_deepdream.engine.dream import dream
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.engine.temporal import Chain, Detail, warp
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings

Table = dict[str, dict[str, dict[str, float]]]
ROOT = Path(__file__).resolve().parents[1]
BLENDER = ROOT / ".venv-blender/bin/python"
BLEND = 0.85
"""pytorch-deepdream's share of the new frame in what it dreams from; the rest is the last dream."""

QUARTER_OF_NYQUIST = 0.125


@dataclass(frozen=True)
class Frame:
    """A rendered frame: its picture in dream space (1x3xHxW), and where its surfaces were in the frame before."""

    image: Image
    picture: Tensor
    motion: Correspondence | None


@dataclass(frozen=True)
class Dreamt:
    """A dreamed shot: the detail of each frame (1x3xHxW) and how many seconds of processor time a frame took."""

    details: list[Tensor]
    seconds: float


def compare(folder: Path, shots: Sequence[str], count: int, pictures: Path | None) -> Table:
    """Every method on every shot, by shot and method. folder: where the shots' frames lie, or are rendered to.

    pictures: a folder for strips and animations.
    """
    brain, settings = load_brain("lite0"), DreamSettings()
    table: Table = {}
    for shot in shots:
        render_shot(folder, shot, count)
        frames = read_shot(folder / shot, count)
        dreams = {name: _timed(method, frames, brain, settings) for name, method in METHODS.items()}
        table[shot] = {name: measure(dreams[name], dreams["independent"], frames) for name in METHODS}
        print(as_text({shot: table[shot]}), file=sys.stderr, flush=True)
        if pictures:
            write_pictures(pictures, shot, frames, dreams)
    return table


def render_shot(folder: Path, shot: str, count: int, width: int = 480) -> None:
    """Have Blender render a shot, unless its frames are there."""
    if (folder / shot / "cameras.json").is_file() and len(list((folder / shot).glob("*.exr"))) >= count:
        return
    arguments = [str(folder), "--frames", str(count), "--width", str(width), "--shots", shot]
    subprocess.run([str(BLENDER), str(ROOT / "scripts/shots.py"), *arguments], check=True, stdout=sys.stderr)


def read_shot(folder: Path, count: int) -> list[Frame]:
    turns = json.loads((folder / "cameras.json").read_text())
    paths = [folder / f"{number:04}.exr" for number in range(1, count + 1)]
    vectors = [read_vectors(path) for path in paths]
    frames = []
    for index, path in enumerate(paths):
        image = read_image(path, ColorSpace.LINEAR_REC709)
        turn = turns[str(index + 1)]
        motion = by_vectors(vectors[index], vectors[index - 1], turn) if index else None
        frames.append(Frame(image, dreamspace.enter(image, 0.0, torch.device("cpu")), motion))
    return frames


Method = Callable[[Sequence[Frame], Brain, DreamSettings], list[Tensor]]


def dream_alone(image: Image, brain: Brain, settings: DreamSettings) -> Tensor:
    return _detail(image, brain, settings).planes.float()


def independent(frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> list[Tensor]:
    return [dream_alone(frame.image, brain, settings) for frame in frames]


def blended(frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> list[Tensor]:
    """What is dreamed from is mostly the frame and partly the last dream, wherever things have moved to."""
    return _from_before(frames, brain, settings, lambda _, before: before, 1 - BLEND)


def farneback(frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> list[Tensor]:
    """DeepDreamAnim's way: half of the last dream, moved along OpenCV's Farneback flow."""

    def moved(index: int, before: Tensor) -> Tensor:
        now, last = (_grey(frames[number].picture) for number in (index, index - 1))
        flow = cv2.calcOpticalFlowFarneback(now, last, np.zeros((*now.shape, 2), np.float32), 0.5, 3, 15, 3, 5, 1.2, 0)
        way = torch.from_numpy(np.ascontiguousarray(np.asarray(flow, np.float32).transpose(2, 0, 1)))[None]
        return warp(before, places(way) + way).clamp(0, 1)

    return _from_before(frames, brain, settings, moved, 0.5)


def ours(frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> list[Tensor]:
    details = [_detail(frames[0].image, brain, settings)]
    for frame in frames[1:]:
        details.append(_detail(frame.image, brain, settings, details[-1], frame.motion))
    return [detail.planes.float() for detail in details]


def floor(frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> list[Tensor]:
    """A texture that sticks to what was in view at first, rendered: positions are carried, and it is read but once."""
    texture = dream_alone(frames[0].image, brain, settings)
    where = places(texture)
    details = [texture]
    for frame in frames[1:]:
        assert frame.motion is not None
        where = warp(where, frame.motion.source)
        details.append(warp(texture, where))
    return details


METHODS: dict[str, Method] = {
    "independent": independent,
    "blended": blended,
    "farneback": farneback,
    "ours": ours,
    "floor": floor,
}


def _detail(
    image: Image,
    brain: Brain,
    settings: DreamSettings,
    before: Detail | None = None,
    motion: Correspondence | None = None,
) -> Detail:
    kept: list[Detail] = []
    for _ in dream(image, brain, settings, chain=Chain(before, motion, kept.append)):
        pass
    return kept[0]


def _from_before(
    frames: Sequence[Frame],
    brain: Brain,
    settings: DreamSettings,
    moved: Callable[[int, Tensor], Tensor],
    share: float,
) -> list[Tensor]:
    """Each frame dreamed from a mixture of itself and of the last dream, which `moved` brings to where it belongs."""
    details = [dream_alone(frames[0].image, brain, settings)]
    for index, frame in enumerate(frames[1:], 1):
        last = (frames[index - 1].picture + details[-1]).clamp(0, 1)
        mixed = torch.lerp(frame.picture, moved(index, last), share)
        pixels = mixed[0].permute(1, 2, 0).contiguous().numpy()
        detail = _detail(Image(pixels, ColorSpace.SRGB, premultiplied=False), brain, settings).planes.float()
        details.append((mixed + detail).clamp(0, 1) - frame.picture)
    return details


def _timed(method: Method, frames: Sequence[Frame], brain: Brain, settings: DreamSettings) -> Dreamt:
    start = time.process_time()
    details = method(frames, brain, settings)
    return Dreamt(details, (time.process_time() - start) / len(frames))


def measure(dreamt: Dreamt, alone: Dreamt, frames: Sequence[Frame]) -> dict[str, float]:
    """Each number beside that of dreaming every frame alone: strength and fine detail at their least and most."""
    strengths = [
        float(mine.abs().mean() / other.abs().mean()) for mine, other in zip(dreamt.details, alone.details, strict=True)
    ]
    fine = [fine_energy(mine) / fine_energy(other) for mine, other in zip(dreamt.details, alone.details, strict=True)]
    revealed = [_revealed(detail, frame) for detail, frame in zip(dreamt.details, frames, strict=True)]
    known = [share for share in revealed if not math.isnan(share)]
    return {
        "flicker": flicker(dreamt.details, frames) / flicker(alone.details, frames),
        "strength_least": min(strengths),
        "strength_most": max(strengths),
        "fine_least": min(fine),
        "fine_most": max(fine),
        "revealed_least": min(known, default=math.nan),
        "revealed_mean": statistics.fmean(known) if known else math.nan,
        "seconds": dreamt.seconds,
    }


def flicker(details: Sequence[Tensor], frames: Sequence[Frame]) -> float:
    total = []
    for index in range(1, len(frames)):
        motion = frames[index].motion
        assert motion is not None
        seen = (motion.trust > 0.99).float()
        pictures = [frame.picture for frame in frames[index - 1 : index + 1]]
        dreams = [
            (picture + detail).clamp(0, 1)
            for picture, detail in zip(pictures, details[index - 1 : index + 1], strict=True)
        ]
        total.append(_jump(dreams, motion.source, seen) - _jump(pictures, motion.source, seen))
    return statistics.fmean(total)


def _jump(pictures: Sequence[Tensor], source: Tensor, seen: Tensor) -> float:
    before, now = pictures
    return float((now - warp(before, source)).abs().mul(seen).sum() / (3 * seen.sum()))


def fine_energy(detail: Tensor) -> float:
    """The energy of the detail above a quarter of Nyquist, in a window that fades out at the borders."""
    height, width = detail.shape[-2:]
    window = torch.outer(_fading(height), _fading(width))
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None])
    spectrum = torch.fft.fft2(detail * window).abs()[..., frequency > QUARTER_OF_NYQUIST]
    return float(spectrum.square().sum().sqrt())


def _fading(side: int) -> Tensor:
    """Tukey's window: 1, and over an eighth at each end down to 0."""
    ramp = torch.hann_window(side // 8 * 2)
    return torch.cat([ramp[: side // 8], torch.ones(side - len(ramp)), ramp[side // 8 :]])


def _revealed(detail: Tensor, frame: Frame) -> float:
    """How strongly what has just come into view dreams, beside the rest; NaN where that is next to nothing."""
    if frame.motion is None:
        return math.nan
    new, old = (frame.motion.trust < 0.01).float(), (frame.motion.trust > 0.99).float()
    if new.mean() < 0.002:
        return math.nan
    strength = detail.abs().mean(dim=1, keepdim=True)
    return float((strength * new).sum() / new.sum() / ((strength * old).sum() / old.sum()))


def _grey(picture: Tensor) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = picture[0].mean(dim=0).mul(255).round().byte().numpy()
    return grey


def write_pictures(folder: Path, shot: str, frames: Sequence[Frame], dreams: Mapping[str, Dreamt]) -> None:
    """SHOT-strip.jpg: four frames of each method, one above the other. SHOT.webp: each frame alone beside ours."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        name: [eight_bits(frame.picture + detail) for frame, detail in zip(frames, dreamt.details, strict=True)]
        for name, dreamt in dreams.items()
        if name != "floor"
    }
    four = np.linspace(0, len(frames) - 1, 4).round().astype(int)
    strip = np.concatenate([np.concatenate([row[index] for index in four], axis=1) for row in pictures.values()])
    PIL.Image.fromarray(strip).save(folder / f"{shot}-strip.jpg", quality=88)
    pairs = zip(pictures["independent"], pictures["ours"], strict=True)
    film = [PIL.Image.fromarray(np.concatenate(pair, axis=1)) for pair in pairs]
    film[0].save(
        folder / f"{shot}.webp", save_all=True, append_images=film[1:], duration=1000 // 24, loop=0, quality=70
    )


def eight_bits(picture: Tensor) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = picture[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    return pixels


def as_text(table: Table) -> str:
    """A table for people; ranges are over the frames, and beside dreaming each frame alone."""
    return "\n\n".join(_shot_as_text(shot, rows) for shot, rows in table.items())


def _shot_as_text(shot: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"{shot:12} {'flicker':>8} {'strength':>12} {'fine detail':>12} {'revealed':>12} {'s/frame':>8}"]
    for name, row in rows.items():
        strength, fine = (f"{row[f'{key}_least']:.2f}-{row[f'{key}_most']:.2f}" for key in ("strength", "fine"))
        revealed = f"{row['revealed_least']:.2f} ({row['revealed_mean']:.2f})"
        lines.append(f"{name:12} {row['flicker']:8.3f} {strength:>12} {fine:>12} {revealed:>12} {row['seconds']:8.2f}")
    return "\n".join(lines)
