# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on the screen words stand: `find_words.py SCREEN.pgm WORDS.pgm NUMBER [upright]` prints `X Y`, their middle.

NUMBER: which of several, in reading order, from 1; 0 for the likest. upright: they are read downwards, as the tabs of
a sidebar are. Exit code 1: they are nowhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

_LIKE = 0.86
"""Correlation from which on words are taken for the same: they reach 0.99, others 0.6."""


def main() -> int:
    screen, words, number = _read(sys.argv[1]), _cropped(_read(sys.argv[2])), int(sys.argv[3])
    if "upright" in sys.argv:
        words = np.rot90(words, -1)
    found = _likeness(screen, words)
    height, width = words.shape
    places = []
    while found.max() >= _LIKE:
        y, x = divmod(int(found.argmax()), found.shape[1])
        places.append((y + height // 2, x + width // 2))
        found[max(0, y - height) : y + height, max(0, x - width) : x + width] = -1
    if len(places) < max(number, 1):
        return 1
    y, x = sorted(places)[number - 1] if number else places[0]
    print(x, y)
    return 0


def _read(path: str) -> np.ndarray:
    """A binary PGM of 8 bits."""
    content = Path(path).read_bytes()
    width, height = map(int, content.split(maxsplit=4)[1:3])
    return np.frombuffer(content[-width * height :], np.uint8).reshape(height, width).astype(np.float64)


def _cropped(picture: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero(picture.max(axis)) for axis in (1, 0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _likeness(screen: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Normalised cross-correlation at each place where the words fit, by Fourier transform."""
    height, width = words.shape
    wave = words - words.mean()
    product = np.fft.irfft2(np.fft.rfft2(screen) * np.conj(np.fft.rfft2(wave, screen.shape)), screen.shape)
    total, squares = _sums(screen, height, width), _sums(screen * screen, height, width)
    spread = np.maximum(squares - total * total / words.size, 1) * (wave * wave).sum()
    return product[: len(total), : total.shape[1]] / np.sqrt(spread)


def _sums(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Of every rectangle of this size."""
    corner = np.pad(picture.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return corner[height:, width:] - corner[:-height, width:] - corner[height:, :-width] + corner[:-height, :-width]


if __name__ == "__main__":
    sys.exit(main())
