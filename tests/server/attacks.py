# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers must survive, for the tests here and for hours on end in scripts/soak.py."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import BusyError, DeepDreamError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest, DreamResult
from blender_deepdream.protocol.settings import DreamSettings

from .process import ROOT, ServerProcess, children, png

PATIENCE_SECONDS = 200.0

VICTIMS = ("server", "worker", "client")

_CLIENT = """
import json, sys
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.jobs import request_from_json
client = DreamClient(sys.argv[1], sys.argv[2], timeout=200)
for _ in client.events(client.submit(request_from_json(json.loads(sys.argv[3]))).id):
    print("here", flush=True)
"""


class Killing:
    """Kills whoever takes part in a dream at random moments: the dream that is asked for again has the same bits."""

    def __init__(self, start: Callable[[], ServerProcess], seed: int, steps: int = 25) -> None:
        self._start = start
        self._random = random.Random(seed)
        self._server = start()
        client = _patient_client(self._server)
        settings = DreamSettings().replace(octaves=1, octave_scale=1.05, steps=steps, seed=seed)
        self._request = DreamRequest(client.put_blob(png(48, 32)), settings)
        self._bits = self._finished()

    def round(self) -> str:
        """Kill somebody. Returns whom, and after how many seconds. Raises AssertionError for other bits."""
        self._forget()
        victim, delay = self._random.choice(VICTIMS), self._random.uniform(0.0, 1.0)
        program = self._client_process()
        time.sleep(delay)
        if victim == "server":
            self._server.kill()
            self._server = self._start()
        elif victim == "worker":
            for worker in children(self._server.pid):
                _kill(worker)
        program.kill()
        program.wait()
        assert program.stdout is not None
        program.stdout.close()
        assert self._finished() == self._bits, f"other bits after {victim} was killed"
        unfinished = list((self._server.data / "unfinished").iterdir())
        assert len(unfinished) < 100, unfinished
        return f"{victim} after {delay:.2f} s"

    def _client_process(self) -> subprocess.Popen[bytes]:
        request = json.dumps(self._request.to_json())
        command = [sys.executable, "-c", _CLIENT, self._server.url, self._server.token, request]
        program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert program.stdout is not None
        program.stdout.readline()  # it has submitted the job
        return program

    def _finished(self) -> str:
        """The result's name, which is its bits'. A worker may be killed once more on the way."""
        client = _patient_client(self._server)
        *_, last = client.events(client.submit(self._request).id)
        assert last.state is JobState.DONE, last
        assert isinstance(last.result, DreamResult)
        return last.result.image

    def _forget(self) -> None:
        for path in (self._server.data / "results").iterdir():
            path.unlink()


def _patient_client(server: ServerProcess) -> DreamClient:
    """A machine that is tormented may take its time to start a worker."""
    return DreamClient(server.url, server.token, timeout=PATIENCE_SECONDS)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass
class Crowd:
    """Idle event streams and clients that ask for something all the time. errors: what they met, but 429."""

    server: ServerProcess
    streams: int
    clients: int
    seconds: float
    asked: int = 0
    busy: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        owner = _patient_client(self.server)
        settings = DreamSettings().replace(steps=1000, octaves=16, octave_scale=1.05, seed=99)
        job = owner.submit(DreamRequest(owner.put_blob(png(48, 32)), settings))
        streams = [self._stream(job.id) for _ in range(self.streams)]
        end = time.monotonic() + self.seconds
        threads = [threading.Thread(target=self._ask, args=(number, end)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for stream in streams:
            self.errors["a stream was closed"] += not _open_still(stream)
            stream.close()
        self.errors = +self.errors
        owner.cancel(job.id)

    def _stream(self, job_id: str) -> socket.socket:
        address = urlsplit(self.server.url)
        stream = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)
        head = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.server.token}"
        stream.sendall(f"{head}\r\n\r\n".encode())
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        return stream

    def _ask(self, number: int, end: float) -> None:
        client = DreamClient(self.server.url, self.server.token, f"client-{number}", PATIENCE_SECONDS)
        while time.monotonic() < end:
            self.asked += 1
            try:
                self._one_question(client, number)
            except BusyError:
                self.busy += 1
            except DeepDreamError as error:
                self.errors[str(error)] += 1

    def _one_question(self, client: DreamClient, number: int) -> None:
        blob = client.put_blob(number.to_bytes(2, "big") * 1000)
        assert client.has_blob(blob)
        client.health()
        job = client.submit(DreamRequest("dusk:32x32", DreamSettings().replace(seed=number, steps=1)))
        client.cancel(job.id)


def _open_still(stream: socket.socket) -> bool:
    """Whether the other side has not closed it: everything that it has sent is read first."""
    stream.setblocking(False)
    try:
        while True:
            if not stream.recv(2**16):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def resident_mib(pid: int) -> float:
    """Memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
