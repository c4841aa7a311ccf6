# SPDX-License-Identifier: GPL-3.0-or-later
"""The server as an ASGI application: HTTP in, jobs and blobs behind."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response

from ..protocol.wire import PROTOCOL_VERSION
from .answers import answer_errors
from .gate import called_right, let_in
from .metrics import MEDIA_TYPE, CountRequests
from .openapi import describe
from .routes_blobs import blob_routes
from .routes_brains import brain_routes
from .routes_jobs import job_routes
from .services import Services


def create_app(services: Services) -> FastAPI:
    """The whole server as an ASGI application; its jobs run while it does."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await services.jobs.start()
        services.upkeep.start()
        yield
        await services.upkeep.close()
        await services.jobs.close()

    # the documentation pages would answer without a token
    right_name, with_token = Depends(called_right(services.names)), Depends(let_in(services.keyring))
    app = FastAPI(
        title="DeepDream", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, dependencies=[right_name]
    )
    app.add_api_route("/v1/health", _health(services), methods=["GET"])
    app.add_api_route("/metrics", _metrics(services), methods=["GET"], dependencies=[with_token])
    app.add_api_route("/v1/openapi.json", lambda: JSONResponse(describe(app)), dependencies=[with_token])
    for router in (blob_routes(services), brain_routes(services), job_routes(services)):
        app.include_router(router, prefix="/v1", dependencies=[with_token])
    answer_errors(app)
    app.add_middleware(CountRequests, metrics=services.metrics)
    return app


def _metrics(services: Services) -> Callable[[], Coroutine[Any, Any, Response]]:
    async def metrics() -> Response:
        return Response(services.metrics.text(), media_type=MEDIA_TYPE)

    return metrics


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
            "limits": dataclasses.asdict(services.limits),
        }

    return health
