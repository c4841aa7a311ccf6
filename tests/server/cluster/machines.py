# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ray cluster of several machines on this one, in a process of its own: Ray warns and leaks as it likes.

    python -m tests.server.cluster.machines

Reads lines, "add" or "fail RAYLET", and answers each, and the start, with a line of JSON: its address, and the process
of each machine's raylet, the head's first. Ends with its input.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..process import ROOT, children

_RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "120"}


class Machines:
    """A head that has no CPU for dreams, and `count` machines that bear one dreamer each."""

    def __init__(self, count: int) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path} | _RAY,
            start_new_session=True,
        )
        self.raylets: list[int] = []
        self.address = self._hear()
        for _ in range(count):
            self.add()

    def add(self) -> None:
        self._say("add")

    def fail(self, raylet: int) -> None:
        """Cut a machine's power."""
        self._say(f"fail {raylet}")

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(120)
        except subprocess.TimeoutExpired:  # nothing of it is left behind in any case
            os.killpg(self._process.pid, signal.SIGKILL)
            raise

    def replicas(self, name: str) -> dict[int, int]:
        """The processes of a deployment's replicas, and the raylets that they belong to."""
        found = ((pid, raylet) for raylet in self.raylets for pid in children(raylet))
        return {pid: raylet for pid, raylet in found if f"ServeReplica:deepdream:{name}" in _command(pid)}

    def _say(self, order: str) -> None:
        assert self._process.stdin is not None
        print(order, file=self._process.stdin, flush=True)
        self._hear()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        self.raylets = told["raylets"]
        return str(told["address"])


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def main() -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = {_raylet(cluster.head_node): cluster.head_node}

    def tell() -> None:
        print(json.dumps({"address": cluster.address, "raylets": list(nodes)}), flush=True)

    tell()
    for line in sys.stdin:
        match line.split():
            case ["add"]:
                node = cluster.add_node(num_cpus=1)
                nodes[_raylet(node)] = node
            case ["fail", raylet]:
                cluster.remove_node(nodes.pop(int(raylet)), allow_graceful=False)
        tell()
    cluster.shutdown()


def _raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


if __name__ == "__main__":
    main()
