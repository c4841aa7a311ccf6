# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes: HTTP in, jobs and blobs behind. Every answer is JSON, every error {"code", "message", "hint"}."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ..protocol.errors import (
    DeepDreamError,
    InternalError,
    NotFoundError,
    RequestError,
    TooLargeError,
    VersionMismatchError,
)
from ..protocol.jobs import JobRequest, JobState, JobStatus, request_from_json
from ..protocol.wire import (
    CLIENT_HEADER,
    MAX_BLOB_BYTES,
    MAX_REQUEST_BYTES,
    PROTOCOL_HEADER,
    PROTOCOL_VERSION,
    check_blob_list,
    check_client,
    check_hash,
)
from .auth import check_authorization
from .jobs import JobQueue
from .store import Store
from .supervisor import Worker

HEARTBEAT_SECONDS = 5.0
PIECE_BYTES = 2**20
"""How much of an upload is gathered before a thread hashes and writes it."""

DRAIN_BYTES = 2**26
DRAIN_SECONDS = 1.0
"""How much of a refused upload is read and forgotten, and for how long, so that the client hears why."""

ANONYMOUS = "anonymous"
"""The client of a request that names none."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes stand on."""

    store: Store
    worker: Worker
    jobs: JobQueue
    token: str
    max_blob_bytes: int = MAX_BLOB_BYTES


def create_app(services: Services) -> FastAPI:
    """The whole server as an ASGI application; its jobs run while it does."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.jobs.start()
        yield
        await services.jobs.close()

    # the documentation pages would answer without a token
    app = FastAPI(title="DeepDream", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/v1/health", _health(services), methods=["GET"])
    for router in (_blob_routes(services), _brain_routes(services), _job_routes(services)):
        app.include_router(router, prefix="/v1", dependencies=[Depends(_gate(services.token))])
    app.add_exception_handler(DeepDreamError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_error)
    app.add_exception_handler(ClientDisconnect, _answer_error)
    app.add_exception_handler(Exception, _answer_error)
    return app


def _gate(token: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def check(request: Request) -> None:
        """Every request but health: the right token, and no other version of the protocol."""
        check_authorization(request.headers.get("Authorization"), token)
        version = request.headers.get(PROTOCOL_HEADER)
        if version is not None and version != str(PROTOCOL_VERSION):
            raise VersionMismatchError(
                f"The client speaks protocol version {version[:20]!r}, this server {PROTOCOL_VERSION}.",
                "Update the older of the two: the add-on in Blender or the server.",
            )

    return check


def _health(services: Services) -> Callable[[], Coroutine[Any, Any, dict[str, Any]]]:
    async def health() -> dict[str, Any]:
        facts = services.worker.known_facts
        return {
            "protocol": PROTOCOL_VERSION,
            "ready": facts is not None,
            "device": facts and facts.device,
            "engine": facts and facts.fingerprint,
            "free_memory": services.worker.free_memory,
            "queue": {"queued": services.jobs.queued, "running": services.jobs.running},
            "limits": {"blob_bytes": services.max_blob_bytes, "request_bytes": MAX_REQUEST_BYTES},
        }

    return health


def _blob_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/blobs")
    store = services.store

    @router.put("/{sha}", status_code=201)
    async def put(sha: str, request: Request) -> dict[str, str]:
        await _receive_blob(check_hash(sha), request, services)
        return {"sha256": sha}

    @router.post("/missing")
    async def missing(request: Request) -> dict[str, list[str]]:
        """Those of the blobs `{"blobs": [...]}` that are not here."""
        blobs = check_blob_list(await _json_body(request))
        return {"missing": await asyncio.to_thread(lambda: [sha for sha in blobs if not store.has_blob(sha)])}

    @router.get("/{sha}")
    @router.head("/{sha}")
    async def get(sha: str) -> FileResponse:
        return FileResponse(store.existing_blob(check_hash(sha)), media_type="application/octet-stream")

    return router


def _brain_routes(services: Services) -> APIRouter:
    router = APIRouter()

    worker = services.worker

    @router.get("/brains")
    async def every() -> dict[str, Any]:
        brains = (await worker.fresh_facts()).brains
        return {"brains": [brain.to_json() for brain in brains.values()]}

    @router.get("/brain-offers")
    async def offers() -> dict[str, Any]:
        """Those that can be pulled: the job `pull_brain`."""
        return {"offers": await worker.ask("offers")}

    @router.get("/brains/{name}")
    async def one(name: str) -> JSONResponse:
        """By its name or by its id."""
        brains = (await worker.facts()).brains.values()
        names = [brain.name for brain in brains if brain.id == name]
        return _json(await worker.brain_details(names[0] if names else name))

    @router.delete("/brains/{name}")
    async def remove(name: str) -> JSONResponse:
        """Jobs that wait for it fail; one that runs with it ends well."""
        await worker.remove_brain(name)
        return _json({"removed": name})

    return router


def _job_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/jobs")
    jobs = services.jobs

    @router.post("")
    async def submit(request: Request) -> JSONResponse:
        client = _client(request)
        return _json((await jobs.submit(await _job_request(request), client)).to_json())

    @router.post("/resolve")
    async def resolve(request: Request) -> JSONResponse:
        resolved = await jobs.resolve(await _job_request(request))
        return _json({"id": resolved.id, "request": resolved.content})

    @router.get("/{job_id}")
    async def status(job_id: str) -> JSONResponse:
        return _json((await jobs.status(check_hash(job_id))).to_json())

    @router.delete("/{job_id}")
    async def cancel(job_id: str, request: Request) -> JSONResponse:
        return _json((await jobs.cancel(check_hash(job_id), _client(request))).to_json())

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


async def _receive_blob(sha: str, request: Request, services: Services) -> None:
    body = _Body(request, services.max_blob_bytes)
    try:
        with services.store.upload() as upload:
            async for piece in body.pieces():
                await asyncio.to_thread(upload.write, piece)
            await asyncio.to_thread(upload.commit, sha)
    except DeepDreamError:
        await body.drain()
        raise


async def _job_request(request: Request) -> JobRequest:
    return request_from_json(await _json_body(request))


async def _json_body(request: Request) -> object:
    """Raises TooLargeError, RequestError."""
    body = _Body(request, MAX_REQUEST_BYTES)
    try:
        text = b"".join([piece async for piece in body.pieces()])
    except TooLargeError:
        await body.drain()
        raise
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(
            "The request is not JSON, or nested too deeply.", "Send one JSON object in UTF-8."
        ) from error


class _Body:
    """A request's body, of at most `limit` bytes, in pieces worth a trip to another thread."""

    def __init__(self, request: Request, limit: int) -> None:
        self._claimed = int(request.headers.get("Content-Length", 0))
        self._chunks = request.stream()
        self._limit = limit

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises TooLargeError as soon as the limit is passed."""
        received, pending = 0, bytearray()
        if self._claimed > self._limit:
            raise _too_large(self._limit)
        async for chunk in self._chunks:
            received += len(chunk)
            if received > self._limit:
                raise _too_large(self._limit)
            pending += chunk
            if len(pending) >= PIECE_BYTES:
                yield bytes(pending)
                pending.clear()
        yield bytes(pending)

    async def drain(self) -> None:
        """Read on for a while: a connection closed on a client that still sends may lose our answer."""
        left = DRAIN_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for chunk in self._chunks:
                    left -= len(chunk)
                    if left < 0:
                        break


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _client(request: Request) -> str:
    return check_client(request.headers.get(CLIENT_HEADER, ANONYMOUS))


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"More than {limit} bytes are too many for this server.", "Send a smaller image.")


async def _answer_error(_: Request, error: Exception) -> Response:
    if isinstance(error, DeepDreamError):
        return _json(error.to_wire(), error.http_status)
    if isinstance(error, HTTPException):
        kind = NotFoundError if error.status_code == 404 else RequestError
        answer = kind(f"{error.detail}.", "See the list of addresses in the documentation.")
        return _json(answer.to_wire(), error.status_code, error.headers)
    if isinstance(error, RequestValidationError):
        return _json(RequestError("The request is malformed.").to_wire(), 422)
    if isinstance(error, ClientDisconnect):  # nobody reads this, but neither is it a defect
        return _json(RequestError("The client went away.").to_wire(), 400)
    # a defect of ours: uvicorn logs it with its traceback
    return _json(InternalError("The server met a defect of its own.", "Its log says more.").to_wire(), 500)


def _json(data: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(dict(data), status, dict(headers) if headers else None)
