# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server in a process of its own, and small images to send to it."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from blender_deepdream.protocol.client import DreamClient

ROOT = Path(__file__).parents[2]

T = TypeVar("T")

_WITH_FILE_LIMIT = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv[1:2] = []
runpy.run_module("blender_deepdream.server", run_name="__main__", alter_sys=True)
"""


class ServerProcess:
    """`deepdream serve` on a folder, ready for requests. Its standard error goes to the file `log`.

    With `--cluster` the folder is the shared one, unless it has copies of what an object store has.
    """

    def __init__(self, data: Path, *arguments: str, limit_file_bytes: int | None = None) -> None:
        self.data = data
        self.log = data.with_name(f"{data.name}-{time.monotonic_ns()}.log")
        command = [sys.executable, "-m", "blender_deepdream.server"]
        if limit_file_bytes is not None:
            command = [sys.executable, "-c", _WITH_FILE_LIMIT, str(limit_file_bytes)]
        folder = "--shared" if "--cluster" in arguments and "--shared" not in arguments else "--data"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "serve", folder, str(data), "--threads", "1", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.greeting = json.loads(line)
        self.url: str = self.greeting["url"]
        self.token = Path(self.greeting["token_file"]).read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def client(self, client_id: str | None = None) -> DreamClient:
        return DreamClient(self.url, self.token, client_id)

    def worker_pid(self) -> int:
        """The worker that is running now or started next (Linux)."""
        return wait_for(lambda: next(iter(children(self.pid)), 0))

    def wait(self, seconds: float) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it and its worker, if they still run."""
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.kill()
        self.process.wait(10)


def children(pid: int) -> list[int]:
    """Child processes (Linux)."""
    try:
        return [int(child) for path in Path(f"/proc/{pid}/task").iterdir() for child in _words(path / "children")]
    except FileNotFoundError:
        return []


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(condition: Callable[[], T], seconds: float = 20.0) -> T:
    """The first answer of `condition` that is true."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return answer


def png(width: int, height: int, seed: int = 0) -> bytes:
    """An 8-bit RGB PNG of noise."""
    rows = random.Random(seed)
    pixels = b"".join(b"\0" + rows.randbytes(3 * width) for _ in range(height))
    return png_of(width, height, zlib.compress(pixels))


def png_of(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims this size, whatever its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
