# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DeepDream node sees at a frame, as it was captured, and as the record of its dream keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol.follows import Follows
from .changes import file_hash
from .exr import read_contents

Files = dict[str, Path]
"""Where blobs lie, by their hashes."""


@dataclass(frozen=True)
class Sight:
    """Each image by the hash of its file.

    image, mask: what reached these inputs. size: the image's width and height; None in old records. regions: what
    reached the inputs of regions, by their identifiers. before: the dream of the frame before, where the node fed on
    that; follows: what it held on to, where it followed that frame's motion. files: where those of these lie that are
    at hand; a record does not keep them.
    """

    image: str
    mask: str | None = None
    size: tuple[int, int] | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    before: str | None = None
    follows: Follows | None = None
    files: Files = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        regions = dict(self.regions)
        return {
            "source": self.image,
            "mask": self.mask,
            "size": self.size,
            "regions": regions,
            "before": self.before,
            "follows": self.follows and self.follows.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sight:
        """As a record has it."""
        size, follows = data.get("size"), data.get("follows")
        return cls(
            data["source"],
            data["mask"],
            size and tuple(size),
            data.get("regions", {}),
            data.get("before"),
            follows and Follows.from_json(follows),
        )


def captured_sight(node_id: str, folder: Path) -> Sight:
    """What `rendering.capture` has written to the folder for a node."""
    paths = {path.stem.removeprefix(f"{node_id}-"): path for path in sorted(folder.glob(f"{node_id}-*.exr"))}
    hashes = {kind: file_hash(path) for kind, path in paths.items()}
    files = {hashes[kind]: path for kind, path in paths.items()}
    image, mask = hashes.pop("image"), hashes.pop("mask", None)
    regions = {kind.removeprefix("region-"): name for kind, name in hashes.items()}
    return Sight(image, mask, size_of(paths["image"]), regions, files=files)


def size_of(image: Path) -> tuple[int, int]:
    """Width and height of an EXR file. Raises ImageError."""
    contents = read_contents(image)
    return contents.width, contents.height
