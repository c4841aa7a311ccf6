# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as they cross the wire, whatever their kind: the list of kinds, and where a job stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from .atlas import AtlasRequest, AtlasResult
from .brains import Advance, BrainResult, ImportBrainRequest, PullBrainRequest
from .errors import DeepDreamError, RequestError, from_wire
from .kitsch import KitschRequest, KitschResult
from .messages import DreamRequest, DreamResult, Progress
from .surface import SurfaceRequest, SurfaceResult
from .training import TrainProgress, TrainRequest, TrainResult
from .wire import check_hash

JobRequest = (
    DreamRequest | AtlasRequest | KitschRequest | SurfaceRequest | ImportBrainRequest | PullBrainRequest | TrainRequest
)
JobProgress = Progress | Advance | TrainProgress
JobResult = DreamResult | AtlasResult | KitschResult | SurfaceResult | BrainResult | TrainResult


class Kind(NamedTuple):
    """What a kind of job is asked with, what it tells of its way, and what it ends with."""

    request: type[JobRequest]
    progress: type[JobProgress]
    result: type[JobResult]


KINDS: Mapping[str, Kind] = {
    kind.request.KIND: kind
    for kind in (
        Kind(DreamRequest, Progress, DreamResult),
        Kind(AtlasRequest, Progress, AtlasResult),
        Kind(KitschRequest, Progress, KitschResult),
        Kind(SurfaceRequest, Progress, SurfaceResult),
        Kind(ImportBrainRequest, Advance, BrainResult),
        Kind(PullBrainRequest, Advance, BrainResult),
        Kind(TrainRequest, TrainProgress, TrainResult),
    )
}
"""Every kind of job there is, by the name it has on the wire."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def kind_of(data: object) -> Kind:
    """The kind that a JSON object names. Raises RequestError."""
    name = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(name, str) or name not in KINDS:
        raise RequestError(f"A job is a JSON object whose kind is one of: {', '.join(KINDS)}.")
    return KINDS[name]


def request_from_json(data: object) -> JobRequest:
    """A job's request of any kind. Raises RequestError, SettingsError."""
    return kind_of(data).request.from_json(data)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What the server knows of a job.

    position: jobs before it in the queue while it is queued. kind: one of `KINDS`; progress and result are this
    kind's. preview: how many previews there have been; `DreamClient.preview` has the latest.
    """

    id: str
    state: JobState
    position: int = 0
    progress: JobProgress | None = None
    result: JobResult | None = None
    error: DeepDreamError | None = None
    kind: str = DreamRequest.KIND
    preview: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": str(self.state),
            "position": self.position,
            "preview": self.preview,
            "progress": self.progress and self.progress.to_json(),
            "result": self.result and self.result.to_json(),
            "error": self.error and self.error.to_wire(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobStatus:
        kind = KINDS[data.get("kind", DreamRequest.KIND)]
        progress, result, error = data.get("progress"), data.get("result"), data.get("error")
        return cls(
            id=check_hash(data["id"]),
            state=JobState(data["state"]),
            position=int(data.get("position", 0)),
            progress=kind.progress.from_json(progress) if progress else None,
            result=kind.result.from_json(result) if result else None,
            error=from_wire(error) if error else None,
            kind=kind.request.KIND,
            preview=int(data.get("preview", 0)),
        )
