# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour spaces, and the way into dream space and home again.

Dream space is what a network sees: sRGB-encoded, Rec.709 primaries, [0, 1], straight alpha. What does not fit in it
(highlights, colours outside) stays in the source, to which only the difference that the dream made is added.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..protocol.messages import ColorSpace

Array = NDArray[np.float32]
Matrix = NDArray[np.float64]

REC709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)

_D65 = (0.3127, 0.3290)
_ACES_WHITE = (0.32168, 0.33767)
_CHROMATICITIES = {
    ColorSpace.LINEAR_REC709: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65),
    ColorSpace.LINEAR_REC2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    ColorSpace.ACESCG: ((0.713, 0.293), (0.165, 0.830), (0.128, 0.044), _ACES_WHITE),
}
"""x and y of red, green, blue and white: ITU-R BT.709, BT.2020, and AP1 of the Academy's S-2014-004."""

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

SHOULDER, SHOULDER_SLOPE = 0.8, 6.0
"""Light from which on a roll-off compresses it, and how soon: white comes to 0.87, four stops above it to 1."""

_LARGEST = 1e9
"""No light is brighter; keeps a file's largest floats from overflowing on the way."""


def srgb_encode(linear: Array) -> Array:
    """Linear light in [0, 1] to sRGB's curve (IEC 61966-2-1)."""
    curved = 1.055 * np.power(np.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, curved).astype(np.float32)


def srgb_decode(encoded: Array) -> Array:
    """sRGB's curve in [0, 1] back to linear light."""
    curved = np.power((np.maximum(encoded, 0.04045) + 0.055) / 1.055, 2.4)
    return np.where(encoded <= 0.04045, encoded / 12.92, curved).astype(np.float32)


def roll_off(linear: Array) -> Array:
    """Linear light with a smooth, logarithmic shoulder: what lies below SHOULDER stays, what lies above comes to 1."""
    above = np.maximum(linear - SHOULDER, 0) / (1 - SHOULDER)
    curved = SHOULDER + (1 - SHOULDER) / SHOULDER_SLOPE * np.log1p(SHOULDER_SLOPE * above)
    return np.where(linear <= SHOULDER, linear, curved).astype(np.float32)


def roll_on(compressed: Array) -> Array:
    """Undoes `roll_off`, up to 1."""
    above = np.maximum(compressed - SHOULDER, 0) / (1 - SHOULDER)
    light = SHOULDER + (1 - SHOULDER) / SHOULDER_SLOPE * np.expm1(SHOULDER_SLOPE * above)
    return np.where(compressed <= SHOULDER, compressed, light).astype(np.float32)


@cache
def to_rec709(space: ColorSpace) -> Matrix:
    """3x3, from linear RGB of this space to linear Rec.709, whites mapped to each other by Bradford's adaptation."""
    white_in, white_out = _CHROMATICITIES[space][3], _D65
    cones_in, cones_out = (_BRADFORD @ _xyz(white) for white in (white_in, white_out))
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(cones_out / cones_in) @ _BRADFORD
    matrix: Matrix = np.linalg.inv(_to_xyz(ColorSpace.LINEAR_REC709)) @ adaptation @ _to_xyz(space)
    return matrix


@cache
def from_rec709(space: ColorSpace) -> Matrix:
    """The inverse of `to_rec709`."""
    return np.linalg.inv(to_rec709(space)).astype(np.float64)


def enter_dream(color: Array, space: ColorSpace, exposure: float, highlights: str = "clip") -> Array:
    """HxWx3 or grey straight colour of any range, NaN and inf included, in dream space: finite and in [0, 1].

    exposure: stops, for every space but sRGB, whose images are already what people look at. highlights: "clip" light
    above 1, or compress it by a "roll-off"; but for sRGB, too.
    """
    finite = np.nan_to_num(color, nan=0.0, posinf=_LARGEST, neginf=0.0)
    if space == ColorSpace.SRGB:
        return np.clip(finite, 0, 1)
    exposed = np.clip(finite, -_LARGEST, _LARGEST) * np.float32(2.0**exposure)
    light = _multiply(exposed, to_rec709(space), space)
    return srgb_encode(np.clip(roll_off(light) if highlights == "roll-off" else light, 0, 1))


def leave_dream(dream: Array, space: ColorSpace, exposure: float, highlights: str = "clip") -> Array:
    """HxWx3 in dream space, in a source's own colour space and exposure."""
    if space == ColorSpace.SRGB:
        return dream
    light = srgb_decode(dream)
    light = (roll_on(light) if highlights == "roll-off" else light) * np.float32(2.0**-exposure)
    return _multiply(light, from_rec709(space), space)


def convert(color: Array, source: ColorSpace, target: ColorSpace) -> Array:
    """HxWx3 or grey straight colour from one space to another; into sRGB it is clipped to [0, 1]."""
    if source == target:
        return color
    if target == ColorSpace.SRGB:
        return enter_dream(color, source, 0)
    light = srgb_decode(color) if source == ColorSpace.SRGB else _multiply(color, to_rec709(source), source)
    return _multiply(light, from_rec709(target), target)


def _multiply(color: Array, matrix: Matrix, space: ColorSpace) -> Array:
    # Grey is the white of every space, only darker
    if space == ColorSpace.LINEAR_REC709 or color.shape[2] == 1:
        return color
    return color @ matrix.T.astype(np.float32)


def _xyz(xy: tuple[float, float]) -> Matrix:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(space: ColorSpace) -> Matrix:
    *primaries, white = _CHROMATICITIES[space]
    columns = np.stack([_xyz(xy) for xy in primaries], axis=1)
    return columns * np.linalg.solve(columns, _xyz(white))
