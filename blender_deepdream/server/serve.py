# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: its socket, its token, its signals, and its end."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
import threading

import uvicorn

from ..engine.folders import data_folder
from ..protocol.errors import ServerUnavailableError
from .app import create_app
from .auth import read_or_make_token
from .connections import guarded
from .hosts import own_names
from .jobs import JobQueue
from .limits import GIB
from .logs import log_to_stderr
from .metrics import Metrics
from .serve_options import ServeOptions
from .services import Services
from .store import Store
from .supervisor import Worker
from .tls import check_identity
from .tokens import Keyring
from .upkeep import Upkeep

log = logging.getLogger(__name__)


def serve(options: ServeOptions) -> None:
    """Serve until a signal or, with `exit_with_parent`, until whoever started us is gone.

    Prints one line of JSON when ready. Raises ServerUnavailableError if the address cannot be had, InputError,
    StorageError.
    """
    log_to_stderr(as_json=options.log_json, who="server")
    if options.identity:
        check_identity(options.identity)
    listener = bind(options.host, options.port)
    if not options.identity and not _is_loopback(listener):
        log.warning("Listening beyond this machine: the token and all images cross the network unencrypted.")
    store = Store(options.data or data_folder())
    store.prepare()
    own_token_file = store.root / f"token-{os.getpid()}"
    if options.token_file is None:
        own_token_file.unlink(missing_ok=True)  # of an earlier process that had our number
    token_file = options.token_file or own_token_file
    keyring = Keyring(read_or_make_token(token_file), options.tokens)
    greeting = {"url": _url(listener, options), "token_file": str(token_file.resolve()), "pid": os.getpid()}
    try:
        asyncio.run(_serve(options, listener, store, keyring, greeting))
    except KeyboardInterrupt:
        log.info("ended by Ctrl-C")
    finally:
        own_token_file.unlink(missing_ok=True)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ServerUnavailableError if the address is not ours or the port is taken."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ServerUnavailableError(
            f"Cannot listen on {host} port {port}: {reason}.", "Choose another --port, or 0 for any free one."
        ) from error


async def _serve(
    options: ServeOptions, listener: socket.socket, store: Store, keyring: Keyring, greeting: dict[str, object]
) -> None:
    services = _services(options, store, keyring)
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
        _watch_parent(server)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends cleanly and then raises the signal again: by then there is nothing left to do
        signal.signal(number, lambda *_: None)
    await server.serve(sockets=[listener])


def _services(options: ServeOptions, store: Store, keyring: Keyring) -> Services:
    metrics, limits, worker = Metrics(), options.limits, options.worker(store.root)
    jobs = JobQueue(store, lambda number: Worker(worker, number), options.workers, limits, metrics)
    upkeep = Upkeep(store, limits.store_gib * GIB, lambda: jobs.needed_blobs)
    metrics.watch("store_bytes", "Blobs and results on disk", lambda: upkeep.used)
    return Services(store, jobs, upkeep, keyring, metrics, limits, own_names(options.host, *options.names))


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


def _watch_parent(server: uvicorn.Server) -> None:
    """The parent holds the other end of our standard input: its end, however it came, is the parent's end."""

    def watch() -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader makes the interpreter's end a fatal error
        try:
            while os.read(sys.stdin.fileno(), 4096):
                pass
        except (OSError, ValueError):
            log.info("standard input is closed")
        log.info("the parent process is gone")
        server.should_exit = True

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _url(listener: socket.socket, options: ServeOptions) -> str:
    scheme = "https" if options.identity else "http"
    host, port = listener.getsockname()[:2]
    if options.identity and options.names:  # the certificate is for a name, not for an address
        host = options.names[0]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback
