# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server on a Ray cluster of several machines."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator

import pytest

from ..process import ServerProcess
from .machines import Machines


@pytest.fixture(scope="session")
def machines() -> Iterator[Machines]:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'blender-deepdream[cluster]'")
    found = Machines(2)
    yield found
    found.close()


@pytest.fixture(scope="session")
def on_cluster(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two dreamers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = ("--cluster", machines.address, "--port", str(port), "--workers", "2", "--least-workers", "2")
    process = ServerProcess(tmp_path_factory.mktemp("cluster") / "shared", *options)
    yield process
    process.kill()
