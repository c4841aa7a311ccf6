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
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from ..engine.folders import data_folder
from ..protocol.errors import ServerUnavailableError
from ..protocol.wire import MAX_BLOB_BYTES
from .app import create_app
from .auth import read_or_make_token
from .jobs import JobQueue
from .services import Services
from .store import Store
from .supervisor import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve.

    port 0: any free one. data: None for the user's data folder. threads: of each worker, None for torch's choice.
    workers: how many, None for one for each GPU.
    """

    host: str = "127.0.0.1"
    port: int = 0
    data: Path | None = None
    token_file: Path | None = None
    exit_with_parent: bool = False
    device: str = "auto"
    threads: int | None = None
    workers: int | None = 1
    max_blob_bytes: int = MAX_BLOB_BYTES


def serve(options: ServeOptions) -> None:
    """Serve until a signal or, with `exit_with_parent`, until whoever started us is gone.

    Prints one line of JSON when ready. Raises ServerUnavailableError if the address cannot be had, InputError,
    StorageError.
    """
    listener = bind(options.host, options.port)
    if not _is_loopback(listener):
        log.warning("Listening beyond this machine: the token and all images cross the network unencrypted.")
    store = Store(options.data or data_folder())
    store.prepare()
    own_token_file = store.root / f"token-{os.getpid()}"
    if options.token_file is None:
        own_token_file.unlink(missing_ok=True)  # of an earlier process that had our number
    token_file = options.token_file or own_token_file
    token = read_or_make_token(token_file)
    try:
        asyncio.run(_serve(options, listener, store, token, token_file))
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


async def _serve(options: ServeOptions, listener: socket.socket, store: Store, token: str, token_file: Path) -> None:
    threads = options.threads or _threads_each(options.workers)
    jobs = JobQueue(store, lambda number: Worker(store.root, options.device, threads, number), options.workers)
    app = create_app(Services(store, jobs, token, options.max_blob_bytes))
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="on", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config, jobs, {"url": _url(listener), "token_file": str(token_file.resolve()), "pid": os.getpid()})
    if options.exit_with_parent:
        _watch_parent(server)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends cleanly and then raises the signal again: by then there is nothing left to do
        signal.signal(number, lambda *_: None)
    await server.serve(sockets=[listener])


def _threads_each(workers: int | None) -> int | None:
    """CPU threads of each of several workers, which share what there are; None for torch's choice."""
    return None if workers in (None, 1) else max(1, (os.cpu_count() or 1) // workers)


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


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback
