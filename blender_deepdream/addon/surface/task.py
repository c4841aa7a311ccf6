# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures asked of the server, in a thread of its own as a dream is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...protocol.messages import Progress
from ...protocol.surface import SurfaceRequest, SurfaceResult
from ..task import ServerTask

if TYPE_CHECKING:
    from ...protocol.client import DreamClient


@dataclass(frozen=True)
class Dreamed:
    """The textures lie at their destinations. coverage: as in SurfaceResult."""

    coverage: float


class SurfaceTask(ServerTask):
    """Upload, submit, follow, download. `updates` gets Progress, then one Dreamed or one error."""

    def __init__(
        self, client: DreamClient, request: SurfaceRequest, files: Mapping[str, Path], destinations: Sequence[Path]
    ) -> None:
        """files: where the blobs that the request names lie. destinations: of the sheets' textures, then of
        their reliefs."""
        super().__init__(client, "dream")
        self._request = request
        self._files = files
        self._destinations = destinations
        self.start()

    def work(self) -> Iterator[Progress | Dreamed]:
        for blob in self.client.missing_blobs(self._request.blobs):
            self.check()
            self.client.put_blob(self._files[blob])
        self.check()
        result = yield from self.dreamed(self._request, SurfaceResult)
        for blob, path in zip(result.blobs, self._destinations, strict=True):
            self.client.get_blob(blob, path)
        yield Dreamed(result.coverage)
