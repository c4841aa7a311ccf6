# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_LATEST

_JOB_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)


class Metrics:
    """One server's own registry: several may live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._ended = Counter("deepdream_jobs_ended", "Jobs that ended", ["kind", "state"], registry=self._registry)
        self._seconds = Histogram(
            "deepdream_job_seconds", "At work", ["kind"], buckets=_JOB_SECONDS, registry=self._registry
        )
        self._requests = Counter(
            "deepdream_requests", "Requests by route", ["method", "route", "status"], registry=self._registry
        )

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A number that is asked for when it is wanted."""
        Gauge(f"deepdream_{name}", text, registry=self._registry).set_function(value)

    def job_ended(self, kind: str, state: str, seconds: float | None) -> None:
        """seconds: at work, None for one that never was."""
        self._ended.labels(kind, state).inc()
        if seconds is not None:
            self._seconds.labels(kind).observe(seconds)

    def request_ended(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def text(self) -> bytes:
        """All of it, in the form of Prometheus."""
        return generate_latest(self._registry)


class CountRequests:
    """ASGI middleware. Routes are counted by their pattern: what strangers ask for makes no new series."""

    METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"})

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in self.METHODS else "other"

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                self._metrics.request_ended(method, route, message["status"])
            await send(message)

        await self._app(scope, receive, count)
