# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a Ray cluster, or one of this machine's own."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
from pathlib import Path
from typing import Any, NamedTuple

from ...protocol.errors import DeepDreamError, InputError, ServerUnavailableError

AUTO = "auto"
"""In place of an address: a cluster of this machine alone, which ends with us."""

RAY_PORT, CLIENT_PORT = 6379, 10001
KNOCK_SECONDS = 5.0
GREET_SECONDS = 20.0
"""How long whoever listens there may take to greet back as Ray does."""

OBJECT_STORE_BYTES = 2**28
"""Images go by the shared folder: through Ray go only requests and small previews."""


class Address(NamedTuple):
    """Where a cluster's head is. url: as Ray wants it."""

    url: str
    host: str
    port: int


def read_address(text: str) -> Address | None:
    """None for `auto`. Raises InputError."""
    if text == AUTO:
        return None
    by_client = text.startswith("ray://")
    host, colon, port = text.removeprefix("ray://").rpartition(":")
    if not colon:
        host, port = port, str(CLIENT_PORT if by_client else RAY_PORT)
    if not host or "/" in host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
        raise InputError(
            f"{text!r} is no address of a Ray cluster.",
            "Write auto, HOST:6379 on a machine of the cluster, or ray://HOST:10001 from elsewhere.",
        )
    return Address(f"{'ray://' if by_client else ''}{host}:{port}", host.strip("[]"), int(port))


def prepare(text: str) -> None:
    """Before anybody imports Ray, which reads the environment then. Raises InputError: no address, no Ray.

    A cluster of our own gets a token: whoever may speak to Ray may run anything.
    """
    address = read_address(text)
    if importlib.util.find_spec("ray") is None:
        raise InputError("Ray is not installed here.", "Install it: pip install 'blender-deepdream[cluster]'.")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody asked for being told of
    if address is not None:
        return
    os.environ.setdefault("RAY_worker_niceness", "0")  # by default others on this machine stand above
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def join(text: str) -> None:
    """Become a part of that cluster. Raises InputError for another version of Ray or Python; ServerUnavailableError if
    nobody answers, or another program does."""
    address = read_address(text)
    if address is None:
        _begin()
    else:
        _knock(address)
        _greet(address)
        _enter(address)


def _begin() -> None:
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False, object_store_memory=OBJECT_STORE_BYTES)


def _knock(address: Address) -> None:
    """Ray itself waits for minutes for one that is not there."""
    try:
        socket.create_connection((address.host, address.port), KNOCK_SECONDS).close()
    except OSError as error:
        raise ServerUnavailableError(
            f"Nobody answers at {address.host} port {address.port}: {error.strerror or error}.",
            "Start the cluster there with `ray start --head`, or give --cluster its address.",
        ) from error


def _greet(address: Address) -> None:
    """What listens there must speak gRPC, as Ray does: where it does not, Ray itself tries for minutes."""
    import grpc

    options = [("grpc.enable_http_proxy", 0)]  # Ray, too, goes by none
    target = address.url.removeprefix("ray://")
    own = _tls_of_ray()
    with grpc.secure_channel(target, own, options) if own else grpc.insecure_channel(target, options) as channel:
        try:
            grpc.channel_ready_future(channel).result(GREET_SECONDS)
        except grpc.FutureTimeoutError as error:
            tls = "Either all speak TLS (RAY_USE_TLS), with certificates of one authority, or none. " if own else ""
            raise ServerUnavailableError(
                f"What listens at {address.host} port {address.port} is not Ray.",
                f"{tls}Give --cluster the cluster's address: HOST:{RAY_PORT} on one of its machines, or ray://HOST:"
                f"{CLIENT_PORT} from elsewhere; on its head `ray status` shows whether it runs.",
            ) from error


def _tls_of_ray() -> Any:
    """What Ray itself would show and trust, None where it speaks without TLS. Raises InputError."""
    import grpc

    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    found = []
    for name in ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_SERVER_CERT"):
        path = os.environ.get(name, "")
        try:
            found.append(Path(path).read_bytes())
        except OSError as error:
            raise InputError(
                f"RAY_USE_TLS is set, and {name} names no file that can be read: {path or 'nothing'}.",
                "Set the three of them as on the cluster's machines.",
            ) from error
    return grpc.ssl_channel_credentials(*found)


def _enter(address: Address) -> None:
    import ray

    try:
        ray.init(address.url, log_to_driver=False)
    except Exception as error:  # the boundary to Ray, which raises what it likes
        raise refused(address, error) from error


def refused(address: Address, error: Exception) -> DeepDreamError:
    """What to say of a cluster that does not let us in."""
    said = " ".join(str(error).split())
    if "ersion" in said:
        return InputError(
            f"The cluster at {address.url} runs another version of Ray or Python: {said[:400]}",
            "Install the same ones on all machines: blender-deepdream[cluster] with its constraints.txt.",
        )
    return ServerUnavailableError(
        f"What answers at {address.url} does not let us in: {type(error).__name__}: {said[:300]}",
        "See that it is the head of a Ray cluster, and that RAY_AUTH_TOKEN is the cluster's, if it has one.",
    )
