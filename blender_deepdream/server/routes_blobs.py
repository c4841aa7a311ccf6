# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of blobs: bytes by their hash, in and out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from ..protocol.errors import DeepDreamError
from ..protocol.wire import check_blob_list, check_hash
from .body import Body, json_body
from .services import Services


def blob_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/blobs")
    store = services.store

    @router.put("/{sha}", status_code=201)
    async def put(sha: str, request: Request) -> dict[str, str]:
        await _receive_blob(check_hash(sha), request, services)
        return {"sha256": sha}

    @router.post("/missing")
    async def missing(request: Request) -> dict[str, list[str]]:
        """Those of the blobs `{"blobs": [...]}` that are not here."""
        blobs = check_blob_list(await json_body(request, services.limits.request_bytes))
        return {"missing": await asyncio.to_thread(store.missing, blobs)}

    @router.head("/{sha}")
    async def ask(sha: str) -> FileResponse:
        return _file(await asyncio.to_thread(store.existing_blob, check_hash(sha)))

    @router.get("/{sha}")
    async def get(sha: str) -> FileResponse:
        path = await asyncio.to_thread(store.existing_blob, check_hash(sha))
        services.jobs.fetched(sha)
        return _file(path)

    return router


def _file(path: Path) -> FileResponse:
    # a browser that was led here shall not guess what it is
    return FileResponse(path, media_type="application/octet-stream", headers={"X-Content-Type-Options": "nosniff"})


async def _receive_blob(sha: str, request: Request, services: Services) -> None:
    body = Body(request, services.limits.blob_bytes)
    room = received = 0
    counts = services.upkeep.counts
    try:
        body.check_claim()  # before anything else has to go for it
        await services.upkeep.make_room(body.claimed)
        room, counts = body.claimed, services.upkeep.counts
        with services.store.upload() as upload:
            async for piece in body.pieces():
                received += len(piece)
                if received > room:  # who sends in chunks claims nothing
                    await services.upkeep.make_room(received - room)
                    room, counts = received, services.upkeep.counts
                await asyncio.to_thread(upload.write, piece)
            await asyncio.to_thread(upload.commit, sha)
    except BaseException as error:
        services.upkeep.give_back(room, counts)
        if isinstance(error, DeepDreamError):
            await body.drain()
        raise
