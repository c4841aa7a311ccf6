# SPDX-License-Identifier: GPL-3.0-or-later
"""The SHA-256 of large files, remembered for as long as their size and time of change agree."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from .whole_files import replaced_whole

MAX_MEMORY_BYTES = 2**20


def hash_of(path: Path) -> str:
    """SHA-256 of a file, lower-case hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileHashes:
    """Hashes of the files in one folder. memory: the JSON file that remembers them; it may be lost at any time."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def of(self, path: Path) -> str:
        """SHA-256 of a file, lower-case hex. Raises OSError."""
        state = path.stat()
        known = self._known()
        entry = known.get(path.name)
        if isinstance(entry, list) and entry[:2] == [state.st_size, state.st_mtime_ns]:
            return str(entry[2])
        found = hash_of(path)
        self._remember(known | {path.name: [state.st_size, state.st_mtime_ns, found]})
        return found

    def _known(self) -> dict[str, object]:
        try:
            if self._memory.stat().st_size > MAX_MEMORY_BYTES:
                return {}
            known = json.loads(self._memory.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):  # as if it were lost
            return {}
        return known if isinstance(known, dict) else {}

    def _remember(self, known: dict[str, object]) -> None:
        there = {name: entry for name, entry in known.items() if self._memory.with_name(name).is_file()}
        # a folder that cannot be written: it only takes longer the next time
        with contextlib.suppress(OSError), replaced_whole(self._memory) as part:
            part.write_text(json.dumps(there), "utf-8")
