# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker's jobs share: the device, the blobs, the library, the brains that are loaded.

Imports torch: the server process must not import this module.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..engine.brain import Brain, BrainCard
from ..engine.brain_file import Contents
from ..engine.dream import fingerprint
from ..engine.pull import clear_abandoned, offer, offers
from ..protocol.brains import BrainOffer
from ..protocol.errors import InternalError, MissingBlobError, UnknownBrainError
from ..protocol.nothing import MAX_PIXELS
from .dreaming import choose_device
from .last_frame import LastFrame
from .loaded_brains import LoadedBrains
from .remote_library import library_of
from .store import Store

log = logging.getLogger(__name__)

MAX_LIST_BYTES = 2**22


class Workbench:
    """One for the whole life of a worker. pixels: of the largest image that is decoded."""

    def __init__(
        self, store: Store, device: str, threads: int | None, number: int = 0, pixels: int = MAX_PIXELS
    ) -> None:
        self.store = store
        self.pixels = pixels
        self.device = choose_device(device, threads, number)
        self.last_frame = LastFrame()
        self.library = library_of(store)
        clear_abandoned(self.library)
        self._loaded = LoadedBrains(lambda name: self.library.load(name, self.device), self.free_memory)

    def describe(self) -> dict[str, Any]:
        """The message that we are ready, and what for."""
        return {
            "device": str(self.device),
            "accelerators": torch.cuda.device_count() if self.device.type == "cuda" else 1,
            "fingerprint": fingerprint(self.device),
            "brains": self.brain_list(),
        }

    def answer(self, question: Mapping[str, Any]) -> Any:
        """Called from the thread that listens, while a job may be running.

        Raises UnknownBrainError, BrainFileError; for a brain that shall go, InputError, StorageError.
        """
        match question["what"]:
            case "brains":
                return self.brain_list()
            case "offers":
                return [
                    BrainOffer(ware.name, ware.title, ware.licence, ware.host, ware.size).to_json()
                    for ware in map(offer, offers())
                ]
            case "brain":
                return self.library.find(question["name"]).details().to_json()
            case "remove_brain":
                self.library.remove(question["name"])
                return self.brain_list()
        raise InternalError(f"The worker cannot answer {question['what']!r}.")

    def brain_list(self) -> list[dict[str, Any]]:
        """Every brain as far as a list shows it. Those that would make the list too long for a message are left out."""
        brains = [card.info().to_json() for card in self.library.brains()]
        lengths = itertools.accumulate(len(json.dumps(brain)) for brain in brains)
        fitting = sum(length <= MAX_LIST_BYTES for length in lengths)
        if fitting < len(brains):
            log.warning("%d brains are not listed: the list would be too long", len(brains) - fitting)
        return brains[:fitting]

    def brain(self, name: str, wanted: Mapping[str, str]) -> Brain:
        """A brain ready to dream. wanted: the ids of all brains that the job was promised, by name.

        Raises UnknownBrainError if the library has none of that name any more, or another; BrainFileError.
        """
        _check_promised(self.library.find(name), wanted)
        return self._loaded.get(name, wanted[name], together_with=wanted)

    def contents(self, name: str, wanted: Mapping[str, str]) -> Contents:
        """What a brain is made of. wanted, errors: as of `brain`."""
        contents = self.library.contents(name)
        _check_promised(contents.card, wanted)
        return contents

    def free_memory(self) -> int | None:
        """Free bytes of the device; None where nobody can say."""
        if self.device.type == "cuda":
            kept_by_torch = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)
            return int(torch.cuda.mem_get_info(self.device)[0]) + kept_by_torch
        return free_system_memory()

    def blob(self, sha: str) -> Path:
        """The file of a blob that is whole. Raises MissingBlobError."""
        if not self.store.blob_is_good(sha):
            raise MissingBlobError(f"The server's copy of blob {sha} is missing or damaged.", "Send it again.")
        return self.store.blob_path(sha)


def _check_promised(card: BrainCard, wanted: Mapping[str, str]) -> None:
    if card.id != wanted[card.name]:
        raise UnknownBrainError(f"Brain {card.name!r} was replaced after this job was submitted.", "Submit it again.")


def free_system_memory() -> int | None:
    """Bytes that programs can still have, what only caches files counted among them; None where nobody can say."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
