# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of nothing to dream from: clouds, noise, gradients. A brain sees in them what it likes best.

After J. T. Nimoy, "Deepdream: Avoiding Kitsch", 2015. All are made sRGB-encoded and seeded; clouds, dusk and noise
repeat seamlessly in both directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..protocol.messages import ColorSpace
from ..protocol.nothing import read_nothing
from .color import Array
from .images import Image
from .octaves import Size

SKY, CLOUD = np.array([[0.33, 0.49, 0.72], [0.93, 0.94, 0.95]], np.float32)

DUSK, ROSE, TEAL = np.array([[0.43, 0.43, 0.43], [0.07, -0.035, -0.021], [0.0, 0.021, 0.07]], np.float32)


def named(name: str, seed: int, color_space: ColorSpace = ColorSpace.AUTO) -> Image | None:
    """The image of a name like `clouds:1920x1080` or `clouds:1920x1080:7`; None for what is no such name.

    seed: where the name has none. color_space: of the image; AUTO: sRGB. Raises ImageError for an impossible size.
    """
    nothing = read_nothing(name)
    if nothing is None:
        return None
    numbers = np.random.default_rng(seed if nothing.seed is None else nothing.seed)
    pixels = KINDS[nothing.kind](Size(nothing.height, nothing.width), numbers)
    image = Image(np.clip(pixels, 0, 1, dtype=np.float32), ColorSpace.SRGB)
    return image if color_space == ColorSpace.AUTO else image.in_space(color_space)


def clouds(size: Size, numbers: np.random.Generator) -> Array:
    """White on blue."""
    cover = 1 / (1 + np.exp(-2 * _billows(size, numbers)))
    return _mixed(SKY, CLOUD, cover.astype(np.float32))


def dusk(size: Size, numbers: np.random.Generator) -> Array:
    """Clouds of all colours about a middle grey: a dream has room to grow lighter and darker, and colours to use."""
    light, rose, teal = (_billows(size, numbers)[..., None] for _ in range(3))
    sky: Array = DUSK + 0.12 * light + ROSE * rose + TEAL * teal
    return sky


def _billows(size: Size, numbers: np.random.Generator) -> Array:
    """HxW of deviation 1: noise whose amplitude falls with its frequency, as that of real clouds does."""
    spectrum = np.fft.rfft2(numbers.standard_normal(size, np.float32))
    down, across = np.fft.fftfreq(size.height)[:, None], np.fft.rfftfreq(size.width)
    frequency = np.hypot(down, across)
    # the slowest waves only drown the picture in one of them
    spectrum *= np.maximum(frequency, 1.5 / max(size)) ** -1.6
    spectrum[0, 0] = 0
    heights = np.fft.irfft2(spectrum, s=size).astype(np.float32)
    billows: Array = heights / max(float(heights.std()), 1e-12)
    return billows


def noise(size: Size, numbers: np.random.Generator) -> Array:
    """Independent grey-centred values in every pixel and channel."""
    grain: Array = 0.5 + 0.15 * numbers.standard_normal((*size, 3), np.float32)
    return grain


def gradient(size: Size, numbers: np.random.Generator) -> Array:
    """From one colour to another, in one direction."""
    first, last = numbers.uniform(0.05, 0.95, (2, 3)).astype(np.float32)
    return _mixed(first, last, _ramp(size, numbers))


def hue(size: Size, numbers: np.random.Generator) -> Array:
    """Once around the colour circle, in one direction."""
    phase = _ramp(size, numbers)[..., None] + np.array([0, 2 / 3, 1 / 3]) + numbers.random()
    circle: Array = (0.5 + 0.35 * np.cos(2 * np.pi * phase)).astype(np.float32)
    return circle


KINDS: dict[str, Callable[[Size, np.random.Generator], Array]] = {
    "clouds": clouds,
    "dusk": dusk,
    "noise": noise,
    "gradient": gradient,
    "hue": hue,
}


def _mixed(first: Array, last: Array, share: Array) -> Array:
    """HxWx3 from one colour to another by a share of HxW."""
    mixed: Array = first + share[..., None] * (last - first)
    return mixed


def _ramp(size: Size, numbers: np.random.Generator) -> Array:
    """HxW, from 0 at one corner or edge to 1 at the opposite one, in a direction of chance."""
    angle = numbers.uniform(0, 2 * math.pi)
    down, across = (np.linspace(-0.5, 0.5, length, dtype=np.float32) for length in size)
    way = math.sin(angle) * down[:, None] + math.cos(angle) * across
    extent = abs(math.sin(angle)) + abs(math.cos(angle))
    ramp: Array = (way / extent + 0.5).astype(np.float32)
    return ramp
