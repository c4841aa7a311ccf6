# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of a cluster: whether each can dream, and how many dreamers they bear together."""

from __future__ import annotations

import hashlib
import platform
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...protocol.errors import DeepDreamError, InputError, ServerUnavailableError, StorageError
from ..documents import Documents
from .place import Place

LOOK_SECONDS = 60.0
_FOLDER, _MARK = "cluster", "marks"
_MARKS = 8
"""Of so many launches: dreamers of one that still serves go by their own, whatever has been started since."""


class Share(NamedTuple):
    """What one dreamer owns. threads: on the CPU, None for torch's choice."""

    cpus: float
    gpus: float
    threads: int | None


def leave_mark(place: Place) -> str:
    """Write into what is shared by what each machine knows it. Returns it. Raises StorageError."""
    mark, documents = uuid.uuid4().hex, place.documents(_FOLDER)
    documents.put(_MARK, "\n".join([*_marks(documents), mark][-_MARKS:]).encode())
    return mark


def check_mark(place: Place, mark: str) -> None:
    """Raises StorageError if this machine does not see the same, or cannot write there; InputError if it cannot speak
    to the object store."""
    name, documents = socket.gethostname(), place.documents(_FOLDER)
    if mark not in _marks(documents):
        if place.is_remote:
            raise StorageError(f"{name} sees another store at {place.shared}.", "Give all the same AWS_ENDPOINT_URL.")
        raise StorageError(
            f"{name} does not see the shared folder {place.shared}.",
            "Mount it there, too, under the same path, or give --shared a folder that all machines see.",
        )
    probe = f"probe-{uuid.uuid4().hex}"
    documents.put(probe, b"deepdream")
    documents.remove(probe)


def check_tokens(tokens: Path | None) -> None:
    """Raises InputError where the ingress, which may run on this machine, would not find them."""
    if tokens is not None and not tokens.is_file():
        raise InputError(
            f"{socket.gethostname()} has no {tokens}.",
            "With an object store, --tokens must be there under the same path on every machine.",
        )


def _marks(documents: Documents) -> list[str]:
    try:
        return (documents.read(_MARK) or b"").decode("ascii").split()
    except UnicodeDecodeError:
        return []


def check_nodes(place: Place, tokens: Path | None, mark: str) -> None:
    """Have every machine look whether it can dream for us.

    Raises InputError for one without this very version of the package, StorageError for one that does not see what
    is shared, ServerUnavailableError for one that does not answer.
    """
    import ray

    looks = {_look_from(node, place, tokens, mark): node["NodeManagerHostname"] for node in _alive()}
    done, late = ray.wait(list(looks), num_returns=len(looks), timeout=LOOK_SECONDS)
    if late:
        raise ServerUnavailableError(
            f"{looks[late[0]]} does not answer within {LOOK_SECONDS:g} seconds.",
            "See `ray status` on the cluster's head, and restart Ray there.",
        )
    for seen in done:
        try:
            error = ray.get(seen)
        except Exception as reason:  # the boundary to Ray: our code could not even be loaded there
            raise InputError(
                f"{looks[seen]} cannot run this DeepDream: {last_words(reason)}",
                "Install the same version of blender-deepdream[cluster] there, with the same Python.",
            ) from reason
        if error is not None:
            raise error


def share_of(device: str, threads: int | None) -> Share:
    """What each dreamer gets here: a GPU where there are any, else CPUs, on every machine as many."""
    if device.startswith("cuda") or (device == "auto" and _resource("GPU")):
        return Share(1, 1, threads)
    cpus = threads or int(min((node["Resources"].get("CPU", 0) for node in _with("CPU")), default=1))
    return Share(cpus, 0, cpus)


def room_for(share: Share) -> int:
    """How many dreamers the machines bear that are there now; at least one: it may be that they come later."""
    kind, each = ("GPU", share.gpus) if share.gpus else ("CPU", share.cpus)
    return max(1, sum(int(node["Resources"][kind] // each) for node in _with(kind)))


def own_code() -> str:
    """What this machine runs: all machines must run the same."""
    package = Path(__file__).resolve().parents[2]
    files = sorted(path for path in package.rglob("*.py") if "addon" not in path.parts)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"code {digest[:12]} in Python {platform.python_version()}"


def last_words(reason: Exception) -> str:
    """What an error of Ray's comes to: it brings a whole traceback, or nothing."""
    return next(reversed(str(reason).strip().splitlines()), type(reason).__name__)


def look(place: Place, tokens: Path | None, mark: str, code: str) -> DeepDreamError | None:
    """Runs on each machine. Returns what is wrong."""
    if own_code() != code:
        return InputError(
            f"{socket.gethostname()} has {own_code()}, this machine {code}.",
            "Install the same version of blender-deepdream[cluster] there, with the same Python.",
        )
    try:
        check_mark(place, mark)
        if place.is_remote:
            check_tokens(tokens)
    except DeepDreamError as error:
        return type(error)(f"{socket.gethostname()}: {error.message}", error.hint)
    return None


def _look_from(node: Mapping[str, Any], place: Place, tokens: Path | None, mark: str) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    looking = ray.remote(look).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    return looking.remote(place, tokens, mark, own_code())


def _alive() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _with(resource: str) -> list[dict[str, Any]]:
    return [node for node in _alive() if node["Resources"].get(resource, 0) >= 1]


def _resource(name: str) -> float:
    return float(sum(node["Resources"].get(name, 0) for node in _alive()))
