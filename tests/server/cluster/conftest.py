# SPDX-License-Identifier: GPL-3.0-or-later
"""A dream server on a Ray cluster of several machines."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest

from ..buckets import Buckets, free_port
from ..process import ServerProcess
from ..test_tls import CERTIFICATES, KEY
from .machines import Machines

GOOD = CERTIFICATES / "good.pem"
HTTPS = ("--tls-cert", str(GOOD), "--tls-key", str(KEY))


def trust(environment: pytest.MonkeyPatch) -> None:
    """Clients made from now on take the certificate that the servers here show."""
    environment.setenv("SSL_CERT_FILE", str(GOOD))


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """In these tests only: others run in the same process, and some see that it is refused."""
    trust(monkeypatch)


@pytest.fixture(scope="session")
def machines(buckets: Buckets) -> Iterator[Machines]:
    """buckets: a machine finds the object store by its environment."""
    assert buckets.environment.items() <= os.environ.items()
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'blender-deepdream[cluster]'")
    found = Machines(2)
    yield found
    found.close()


@pytest.fixture(scope="session")
def on_cluster(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two dreamers, over HTTPS."""
    options = ("--cluster", machines.address, "--port", str(free_port()), "--workers", "2", "--least-workers", "2")
    with pytest.MonkeyPatch.context() as environment:
        trust(environment)
        process = ServerProcess(tmp_path_factory.mktemp("cluster") / "shared", *options, *HTTPS)
    yield process
    process.kill()
