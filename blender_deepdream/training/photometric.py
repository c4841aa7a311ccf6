# SPDX-License-Identifier: GPL-3.0-or-later
"""Photometric distortions, on the device, a batch at once.

Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013: contrast, brightness
and colour, each changed by a random factor, in random order; and the lighting noise of Krizhevsky et al., "ImageNet
Classification with Deep Convolutional Neural Networks", 2012, along the principal components of the data's colours.

All of them are affine in the colour, so that those of a picture come to one matrix, and nothing is clipped on the way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.float64]

FACTOR = (0.5, 1.5)
NOISE = 0.1
"""Deviation of the lighting noise, in units of the data's own."""

LUMA = (0.299, 0.587, 0.114)
"""Grey of an sRGB-encoded colour, as in ITU-R BT.601 and in Pillow."""

CONTRAST, BRIGHTNESS, COLOR = range(3)


class Distortion(NamedTuple):
    """Of N pictures. factors: Nx3, of CONTRAST, BRIGHTNESS and COLOR. order: Nx3, which of them comes first, second,
    third. light: Nx3, what is added to red, green and blue."""

    factors: Numbers
    order: NDArray[np.int64]
    light: Numbers

    def part(self, which: slice) -> Distortion:
        """Of some of the pictures."""
        return Distortion._make(numbers[which] for numbers in self)


def colors_of(pixels: NDArray[np.uint8]) -> Numbers:
    """Nx3, RGB, 0 to 1: of opaque pixels (4xHxW), every eighth along each side."""
    few = pixels[:, ::8, ::8].reshape(4, -1)
    colors: Numbers = few[:3, few[3] == 255].T / 255
    return colors


def components(colors: Numbers) -> Numbers:
    """The principal components of colours (Nx3, RGB, 0 to 1): 3x3, one per column, each as long as the deviation
    along it."""
    if len(colors) < 2:
        return np.zeros((3, 3))
    variances, directions = np.linalg.eigh(np.cov(colors.T))
    principal: Numbers = directions * np.sqrt(np.maximum(variances, 0))
    return principal


def draw(count: int, principal: Numbers, rng: np.random.Generator) -> Distortion:
    """Distortions of this many pictures. principal: as `components` gives them."""
    factors = rng.uniform(*FACTOR, (count, 3))
    order = rng.permuted(np.tile(np.arange(3), (count, 1)), axis=1)
    return Distortion(factors, order, rng.normal(0, NOISE, (count, 3)) @ principal.T)


def distort(pictures: Tensor, distortion: Distortion) -> Tensor:
    """Pictures in another light. pictures: Nx4xHxW, RGBA, 0 to 1, colour multiplied by alpha, which stays so.

    Returns a new tensor.
    """
    alpha = pictures[:, 3:]
    flat = pictures.flatten(2)
    moved = torch.bmm(_matrices(flat, distortion), flat).view_as(pictures[:, :3])
    return torch.cat([torch.minimum(moved.clamp_(min=0), alpha), alpha], 1)


def _matrices(flat: Tensor, distortion: Distortion) -> Tensor:
    """Nx3x4: what makes red, green and blue of red, green, blue and alpha. In colours multiplied by alpha, alpha is
    the constant 1. flat: Nx4xP."""
    count, device = len(flat), flat.device
    luma = torch.tensor(LUMA, device=device)
    mean = flat.mean(2, keepdim=True)
    mean = mean / mean[:, 3:].clamp(min=1e-6)
    matrix = torch.eye(3, 4, device=device).repeat(count, 1, 1)
    for turn in range(3):
        which = distortion.order[:, turn]
        factor = np.take_along_axis(distortion.factors, which[:, None], 1)[:, 0]
        rest = 1 - factor
        numbers = np.stack([factor, rest * (which == COLOR), rest * (which == CONTRAST)])
        scale, grey, middle = _to(numbers, device)[..., None, None]
        # contrast: about the picture's mean grey. colour: about the grey of each pixel
        mean_grey = luma @ (matrix @ mean)
        own_grey = luma @ matrix
        matrix = scale * matrix + grey * own_grey[:, None]
        matrix[:, :, 3] += middle[..., 0] * mean_grey
    matrix[:, :, 3] += _to(distortion.light, device)
    return matrix


def _to(numbers: Numbers, device: torch.device) -> Tensor:
    return torch.from_numpy(numbers.astype(np.float32)).to(device, non_blocking=True)
