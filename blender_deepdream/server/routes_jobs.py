# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of jobs: ask, follow, cancel."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from ..protocol.brains import ImportBrainRequest, PullBrainRequest
from ..protocol.jobs import JobRequest, JobState, JobStatus, request_from_json
from ..protocol.training import TrainRequest
from ..protocol.wire import check_hash
from .answers import as_json
from .body import json_body
from .gate import client_of, holder_of
from .jobs import JobQueue
from .services import Services
from .tokens import Role, check_role

HEARTBEAT_SECONDS = 5.0


def job_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/jobs")
    jobs = services.jobs

    @router.post("")
    async def submit(request: Request) -> JSONResponse:
        client = client_of(request)
        asked = await _job_request(request, services)
        check_role(holder_of(request), role_for(asked))
        if replaces(asked):
            check_role(holder_of(request), Role.ADMIN, "Choose a new name for the brain, without replacing one. ")
        return as_json((await jobs.submit(asked, client)).to_json())

    @router.post("/resolve")
    async def resolve(request: Request) -> JSONResponse:
        resolved = await jobs.resolve(await _job_request(request, services))
        return as_json({"id": resolved.id, "request": resolved.content})

    @router.get("/{job_id}")
    async def status(job_id: str) -> JSONResponse:
        return as_json((await jobs.status(check_hash(job_id))).to_json())

    @router.delete("/{job_id}")
    async def cancel(job_id: str, request: Request) -> JSONResponse:
        return as_json((await jobs.cancel(check_hash(job_id), client_of(request))).to_json())

    @router.get("/{job_id}/preview")
    async def preview(job_id: str) -> Response:
        return Response(
            jobs.preview(check_hash(job_id)), media_type="image/jpeg", headers={"Cache-Control": "no-store"}
        )

    @router.get("/{job_id}/events")
    async def events(job_id: str) -> StreamingResponse:
        await jobs.status(check_hash(job_id))  # an unknown job is an error, not an empty stream
        return StreamingResponse(
            _event_stream(jobs, job_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return router


async def _event_stream(jobs: JobQueue, job_id: str) -> AsyncIterator[str]:
    seen = 0
    async for status in jobs.follow(job_id, HEARTBEAT_SECONDS):
        yield ": still here\n\n" if status is None else _event(status, seen)
        seen = seen if status is None else status.preview


def _event(status: JobStatus, seen: int) -> str:
    """seen: the number of the preview that the reader knows of. The picture itself is fetched by who wants it."""
    name = str(status.state)
    if status.state is JobState.RUNNING:
        name = "preview" if status.preview > seen else "progress"
    return f"event: {name}\ndata: {json.dumps(status.to_json())}\n\n"


async def _job_request(request: Request, services: Services) -> JobRequest:
    return request_from_json(await json_body(request, services.limits.request_bytes))


def replaces(request: JobRequest) -> bool:
    """Whether a brain in the library may have to make way, whoever made it."""
    return isinstance(request, TrainRequest | ImportBrainRequest | PullBrainRequest) and request.replace


def role_for(request: JobRequest) -> Role:
    """Whoever only dreams leaves the library as it is."""
    changes_library = isinstance(request, TrainRequest | ImportBrainRequest | PullBrainRequest)
    return Role.TRAIN if changes_library else Role.DREAM
