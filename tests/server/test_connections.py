# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that nobody uses, and senders who never end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from blender_deepdream.protocol.errors import TooSlowError
from blender_deepdream.server import body as body_module
from blender_deepdream.server import connections
from blender_deepdream.server.body import Body
from blender_deepdream.server.connections import guarded

MUCH = bytes(2**25)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send(
        {"type": "http.response.body", "body": MUCH if scope["path"] == "/much" else b"here", "more_body": False}
    )


def with_server(talk: Callable[[int, set[Any]], Any], limit: int = 10) -> None:
    """Run `talk` with the port of a server of such connections, and what is open there."""

    async def run() -> None:
        config = uvicorn.Config(app, port=0, http=guarded(limit), ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        await talk(server.servers[0].sockets[0].getsockname()[1], server.server_state.connections)
        server.should_exit = True
        await serving

    asyncio.run(run())


async def ends(reader: asyncio.StreamReader) -> None:
    """Wait until the other side has closed."""
    async with asyncio.timeout(100):
        with contextlib.suppress(ConnectionResetError):
            while await reader.read(2**16):
                pass


@pytest.mark.parametrize("first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / H"])
def test_a_head_that_never_ends(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)

    async def talk(port: int, _: set[Any]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)

        async def drip() -> None:
            while not writer.is_closing() and first:
                await asyncio.sleep(0.1)
                writer.write(b"x")

        dripping = asyncio.create_task(drip())
        await ends(reader)
        dripping.cancel()
        writer.close()

    with_server(talk)


def test_a_reader_who_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.3)

    async def talk(port: int, there: set[Any]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(100):
            while not there:
                await asyncio.sleep(0.05)
            while there:
                await asyncio.sleep(0.05)
        got = 0
        try:
            while piece := await reader.read(2**16):
                got += len(piece)
        except ConnectionResetError:
            pass
        assert got < len(MUCH)
        writer.close()

    with_server(talk)


def test_one_connection_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1000.0)

    async def talk(port: int, there: set[Any]) -> None:
        open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        while len(there) < 3:
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await ends(reader)
        writer.close()
        first_reader, first_writer = open_ones[0]
        first_writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"here" in await first_reader.read()
        for _, one in open_ones:
            one.close()

    with_server(talk, limit=3)


def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "PATIENCE_SECONDS", 0.2)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.05)
            yield b"x"

    async def read() -> None:
        request: Any = SimpleNamespace(headers={}, stream=drip)
        async for _ in Body(request, 10**6).pieces():
            pass

    with pytest.raises(TooSlowError):
        asyncio.run(read())
