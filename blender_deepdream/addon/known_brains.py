# SPDX-License-Identifier: GPL-3.0-or-later
"""The brains that panels show, each with a picture of what every layer dreams.

    brains/<name>/brain.json     what is known of it: a BrainDetails
    brains/<name>/<layer>.jpg    what the layer dreams

The built-in brain's lie beside this file; those that a server has told of, in the user's folder of the extension.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..protocol.brain_info import BrainDetails
from ..protocol.layers import format_layers
from .cache import write_json
from .paths import user_folder

_WITH_THE_ADDON = Path(__file__).parent / "brains"
BUILT_IN = ("lite0",)
"""Brains whose pictures come with the add-on, whatever a server says."""
_ABOUT = "brain.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownBrain:
    """folder: of its pictures."""

    details: BrainDetails
    folder: Path

    @property
    def name(self) -> str:
        return self.details.info.name

    @property
    def title(self) -> str:
        return self.details.info.title or self.name

    @property
    def own_choice(self) -> str:
        """The layers that dream when none are named, as text."""
        return format_layers(self.details.info.default_layers)

    def picture(self, layer: str) -> Path:
        return self.folder / picture_name(layer)

    @property
    def portrait(self) -> Path:
        """The picture of the layer that weighs most when none is named."""
        default = self.details.info.default_layers
        return self.picture(max(default, key=lambda pair: pair[1])[0] if default else "")

    @property
    def is_pictured(self) -> bool:
        return all(self.picture(layer.name).is_file() for layer in self.details.layers)


def picture_name(layer: str) -> str:
    return f"{quote(layer, safe='')}.jpg"


def users_folder() -> Path:
    """Where what servers have told of their brains lies."""
    return user_folder("brains")


@functools.cache
def known_brains() -> Mapping[str, KnownBrain]:
    """By name, the built-in ones first."""
    folders = [path.parent for root in (_WITH_THE_ADDON, users_folder()) for path in sorted(root.glob(f"*/{_ABOUT}"))]
    found: dict[str, KnownBrain] = {}
    for folder in folders:
        if brain := _read(folder):
            found.setdefault(brain.name, brain)
    return found


def learn(details: BrainDetails, root: Path) -> KnownBrain:
    """Note what a server tells of a brain, below the user's folder `root`; pictures of another brain of that name go.

    Raises StorageError. `known_brains.cache_clear` lets panels know.
    """
    # a name of dots would lead out of the folder: `quote` lets them stand
    folder = root / re.sub(r"^\.", "%2E", quote(details.info.name, safe=""))
    known = _read(folder)
    if known is None or known.details.info.id != details.info.id:
        for picture in folder.glob("*.jpg"):
            picture.unlink()
        write_json(folder / _ABOUT, details.to_json())
    return KnownBrain(details, folder)


def _read(folder: Path) -> KnownBrain | None:
    if not (folder / _ABOUT).is_file():
        return None
    try:
        return KnownBrain(BrainDetails.from_json(json.loads((folder / _ABOUT).read_text("utf-8"))), folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s is passed over: %s", folder, error)
        return None
