# SPDX-License-Identifier: GPL-3.0-or-later
"""The ingress: the one replica that answers the wire. All that a plain server is, with dreamers in the place of its
worker processes. Its queue is written down in the shared folder: where it dies, the next one goes on with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from fastapi import FastAPI
from ray.serve.handle import DeploymentHandle

from ..app import create_app
from ..documents import Documents
from ..journal import Journal
from ..limits import Limits
from ..logs import log_to_stderr
from ..services import Services, assembled
from ..store import Store
from ..supervisor import Worker, WorkerOptions
from ..tokens import Keyring
from .fleet import Fleet, Hand
from .place import Desk, Place

FORGET_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Launch:
    """What one `deepdream serve --cluster` starts everywhere.

    id: of this launch: dreamers of another one may be others. worker: how dreamers start theirs. dreamers: at most.
    """

    id: str
    place: Place
    worker: WorkerOptions
    dreamers: int
    keyring: Keyring
    names: frozenset[str]
    limits: Limits


class Ingress:
    """A replica of Ray Serve's. launch: that of all."""

    def __init__(self, launch: Launch, dreamers: DeploymentHandle) -> None:
        self._launch = launch
        self._dreamers = dreamers
        self._fleet: Fleet | None = None

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Called by Serve in the event loop that answers."""
        launch = self._launch
        log_to_stderr(as_json=launch.worker.log_json, who="ingress")
        self._desk = Desk(launch.place)
        self._desk.start()
        store = self._desk.store
        queue = store.documents("queue")
        _forget_launches(queue)
        worker = replace(launch.worker, data=store.root, shared=self._desk.address, device="cpu", threads=1)
        self._fleet = fleet = Fleet(self._dreamers, Worker(worker), queue, f"launch-{launch.id}.json")
        return create_app(self._services(store, fleet, Journal(queue)))

    async def words(self, run: str) -> AsyncIterator[str]:
        """For a dreamer at work: what it shall do."""
        if self._fleet is not None:
            async for word in self._fleet.words(run):
                yield word

    def _services(self, store: Store, fleet: Fleet, journal: Journal) -> Services:
        launch = self._launch
        return assembled(
            store,
            lambda _: Hand(fleet),
            launch.dreamers,
            keyring=launch.keyring,
            limits=launch.limits,
            names=launch.names,
            journal=journal,
        )


def _forget_launches(queue: Documents) -> None:
    for name, written in queue.names():
        if name.startswith("launch-") and written < time.time() - FORGET_SECONDS:
            queue.remove(name)
