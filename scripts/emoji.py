# SPDX-License-Identifier: GPL-3.0-or-later
"""A data set to train on: 1,852 pictures of Microsoft's Fluent Emoji in nine classes, transparent, 256 pixels a side.

    python scripts/emoji.py DIR

The pictures come from npm's package @lobehub/fluent-emoji-3d (MIT), their classes from npm's emoji-datasource (MIT).
npm fetches both, from wherever it is set up to; nothing of them is installed or run. Both are checked by hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Package(NamedTuple):
    """One of npm's, and the SHA-256 of the file it comes in."""

    name: str
    file: str
    sha256: str


PICTURES = Package(
    "@lobehub/fluent-emoji-3d@1.1.0",
    "lobehub-fluent-emoji-3d-1.1.0.tgz",
    "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
)
CATEGORIES = Package(
    "emoji-datasource@16.0.0",
    "emoji-datasource-16.0.0.tgz",
    "2006725061dc0098daa832d65f854a7bec0740af2eb47cb5b23d89f7e2c849f9",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where a folder for each class is made")
    folder: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as name:
        workshop = Path(name)
        entries = json.loads(dict(_members(_fetched(CATEGORIES, workshop)))["package/emoji.json"])
        places = _places(entries)
        counts = _unpack(_fetched(PICTURES, workshop), places, folder)
    for kind, count in sorted(counts.items()):
        print(f"{count:5} {kind}")
    print(f"{counts.total():5} pictures in {folder}")
    return 0


def _fetched(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm fetches the pictures: install Node.js, which it comes with.")
    subprocess.run([npm, "pack", "--silent", package.name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    path = folder / package.file
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != package.sha256:
            sys.exit(f"npm's {package.name} is not the one that this was written for.")
    return path


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Files of a package by name; of the second, the pictures of others are passed over."""
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith((".webp", "emoji.json")) else None
            if file is not None:
                yield member.name, file.read()


def _places(entries: list[dict[str, Any]]) -> dict[str, Path]:
    """Where the picture of each code belongs: "1f600" as smileys/grinning.webp. Skin tones are left out."""
    places = {}
    for entry in entries:
        kind = entry["category"].split()[0].lower()
        for code in filter(None, (entry.get("non_qualified"), entry["unified"])):
            places[code.lower()] = Path(kind, f"{entry['short_name']}.webp")
    return places


def _unpack(package: Path, places: dict[str, Path], folder: Path) -> Counter[str]:
    """Write the pictures that have a place. Returns how many each class has."""
    written = set()
    for name, data in _members(package):
        place = places.get(Path(name).stem)
        if place is None or place in written:
            continue
        (folder / place.parent).mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(data)
        written.add(place)
    return Counter(place.parent.name for place in written)


if __name__ == "__main__":
    sys.exit(main())
