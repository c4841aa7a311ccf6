# SPDX-License-Identifier: GPL-3.0-or-later
"""Read so many damaged images in a process of its own: `python -m tests.server.fuzz_images SEED COUNT`.

Prints how many could be read, how many not, and by how many MiB the process has grown.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from blender_deepdream.engine.image_output import write_image
from blender_deepdream.engine.images import Image, read_image
from blender_deepdream.protocol.errors import ImageError
from blender_deepdream.protocol.messages import ColorSpace

from .attacks import resident_mib
from .process import png

SUFFIXES = (".exr", ".tif", ".png", ".jpg")
MEMORY = 6 * 2**30


def originals(folder: Path) -> list[bytes]:
    pixels = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)
    found = [png(32, 24)]
    for suffix in SUFFIXES:
        write_image(Image(pixels, ColorSpace.SRGB), folder / f"good{suffix}")
        found.append((folder / f"good{suffix}").read_bytes())
    return found


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, most of them in the header, where sizes are; or cut, or with a part twice."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(min(len(changed), chance.choice((64, 400, len(changed)))))
        changed[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    match chance.randrange(6):
        case 0:
            return bytes(changed[: chance.randrange(len(changed))])
        case 1:
            place = chance.randrange(len(changed))
            return bytes(changed[:place] + changed[place // 2 :])
    return bytes(changed)


def main() -> None:
    seed, count = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    chance, read, refused = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        good = originals(Path(folder))
        path = Path(folder) / "damaged"
        before = 0.0
        for number in range(count):
            path.write_bytes(damaged(chance.choice(good), chance))
            try:
                read_image(path)
                read += 1
            except ImageError:
                refused += 1
            except MemoryError:  # more than a worker may have: it tells so, and lives on
                refused += 1
            if number == count // 10:
                before = resident_mib(int(Path("/proc/self").resolve().name))
        grown = resident_mib(int(Path("/proc/self").resolve().name)) - before
    print(read, refused, round(grown, 1))


if __name__ == "__main__":
    main()
