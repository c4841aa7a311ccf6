# SPDX-License-Identifier: GPL-3.0-or-later
"""The server as an ASGI application: HTTP in, jobs and blobs behind."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import Depends, FastAPI

from ..protocol.wire import MAX_REQUEST_BYTES, PROTOCOL_VERSION
from .answers import answer_errors
from .gate import gate
from .routes_blobs import blob_routes
from .routes_brains import brain_routes
from .routes_jobs import job_routes
from .services import Services


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
    for router in (blob_routes(services), brain_routes(services), job_routes(services)):
        app.include_router(router, prefix="/v1", dependencies=[Depends(gate(services.token))])
    answer_errors(app)
    return app


def _health(services: Services) -> Callable[[], Coroutine[Any, Any, dict[str, Any]]]:
    async def health() -> dict[str, Any]:
        facts = services.jobs.worker.known_facts
        return {
            "protocol": PROTOCOL_VERSION,
            "ready": facts is not None,
            "device": facts and facts.device,
            "engine": facts and facts.fingerprint,
            "free_memory": services.jobs.worker.free_memory,
            "workers": services.jobs.workers,
            "queue": {"queued": services.jobs.queued, "running": services.jobs.running},
            "limits": {"blob_bytes": services.max_blob_bytes, "request_bytes": MAX_REQUEST_BYTES},
        }

    return health
