# SPDX-License-Identifier: GPL-3.0-or-later
"""The same jobs in bare processes: a server's workers without a server, which show what the machine itself bears."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.server.resolving import Facts, resolve
from blender_deepdream.server.store import Store

ROOT = Path(__file__).resolve().parent.parent


class Bare:
    """So many of them on a folder of their own, one thread each. close: ends them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.store = Store(folder)
        self.store.prepare()
        self._processes = [_start(folder) for _ in range(count)]
        self._facts = [Facts.from_json(_hear(process)) for process in self._processes]

    def work(self, requests: Sequence[DreamRequest]) -> None:
        """Do them all; who is done takes the next."""
        left, taking = list(requests), threading.Lock()

        def serve(process: subprocess.Popen[str], facts: Facts) -> None:
            while True:
                with taking:
                    if not left:
                        return
                    request = left.pop()
                _do(process, facts, request)

        pairs = zip(self._processes, self._facts, strict=True)
        threads = [threading.Thread(target=serve, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "blender_deepdream.server.worker", "--data", str(folder), "--threads", "1"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _do(process: subprocess.Popen[str], facts: Facts, request: DreamRequest) -> None:
    job = resolve(request, facts)
    order = {"do": "work", "id": job.id, "request": request.to_json(), "brains": dict(job.brains)}
    assert process.stdin is not None
    print(json.dumps(order), file=process.stdin, flush=True)
    while (told := _hear(process))["is"] != "done":
        assert told["is"] != "failed", told


def _hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told
