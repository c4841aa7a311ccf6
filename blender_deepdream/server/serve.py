# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: its socket, its token, its signals, and its end."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import signal
import socket

import uvicorn

from ..engine.folders import data_folder
from .app import create_app
from .auth import read_or_make_token
from .connections import guarded
from .hosts import own_names
from .jobs import JobQueue
from .listening import bind, is_loopback, url_of, watch_parent
from .logs import log_to_stderr
from .serve_options import ServeOptions
from .services import assembled
from .store import Store
from .supervisor import Worker
from .tls import check_identity
from .tokens import Keyring

log = logging.getLogger(__name__)


def serve(options: ServeOptions) -> None:
    """Serve until a signal or, with `exit_with_parent`, until whoever started us is gone.

    Prints one line of JSON when ready. Raises ServerUnavailableError if the address cannot be had, InputError,
    StorageError.
    """
    log_to_stderr(as_json=options.log_json, who="server")
    if options.identity:
        check_identity(options.identity)
    if options.cluster:
        _serve_cluster(options)
        return
    listener = bind(options.host, options.port)
    if not options.identity and not is_loopback(listener):
        log.warning("Listening beyond this machine: the token and all images cross the network unencrypted.")
    store = Store(options.data or data_folder())
    store.prepare()
    own_token_file = store.root / f"token-{os.getpid()}"
    if options.token_file is None:
        own_token_file.unlink(missing_ok=True)  # of an earlier process that had our number
    token_file = options.token_file or own_token_file
    keyring = Keyring(read_or_make_token(token_file), options.tokens)
    greeting = {
        "url": url_of(options, *listener.getsockname()[:2]),
        "token_file": str(token_file.resolve()),
        "pid": os.getpid(),
    }
    try:
        asyncio.run(_serve(options, listener, store, keyring, greeting))
    except KeyboardInterrupt:
        log.info("ended by Ctrl-C")
    finally:
        own_token_file.unlink(missing_ok=True)


def _serve_cluster(options: ServeOptions) -> None:
    """Ray is asked for by nobody else."""
    from .cluster.joining import prepare

    prepare(options.cluster)
    from .cluster.serving import serve_cluster

    serve_cluster(options)


async def _serve(
    options: ServeOptions, listener: socket.socket, store: Store, keyring: Keyring, greeting: dict[str, object]
) -> None:
    worker = options.worker(store.root)
    services = assembled(
        store,
        lambda number: Worker(worker, number),
        options.workers,
        keyring=keyring,
        limits=options.limits,
        names=own_names(options.host, *options.names),
    )
    certificate, key = options.identity or (None, None)
    config = uvicorn.Config(
        create_app(services),
        http=guarded(options.limits.connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = _Server(config, services.jobs, greeting)
    if options.exit_with_parent:
        watch_parent(functools.partial(setattr, server, "should_exit", True))
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends cleanly and then raises the signal again: by then there is nothing left to do
        signal.signal(number, lambda *_: None)
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, which says when it is ready, and lets event streams end before it waits for them."""

    def __init__(self, config: uvicorn.Config, jobs: JobQueue, greeting: dict[str, object]) -> None:
        super().__init__(config)
        self._jobs = jobs
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps(self._greeting), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._jobs.close()
        await super().shutdown(sockets)
