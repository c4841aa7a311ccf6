# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of blobs: bytes by their hash, in and out."""

from __future__ import annotations

import asyncio

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
        blobs = check_blob_list(await json_body(request))
        return {"missing": await asyncio.to_thread(lambda: [sha for sha in blobs if not store.has_blob(sha)])}

    @router.get("/{sha}")
    @router.head("/{sha}")
    async def get(sha: str) -> FileResponse:
        return FileResponse(store.existing_blob(check_hash(sha)), media_type="application/octet-stream")

    return router


async def _receive_blob(sha: str, request: Request, services: Services) -> None:
    body = Body(request, services.max_blob_bytes)
    try:
        with services.store.upload() as upload:
            async for piece in body.pieces():
                await asyncio.to_thread(upload.write, piece)
            await asyncio.to_thread(upload.commit, sha)
    except DeepDreamError:
        await body.drain()
        raise
