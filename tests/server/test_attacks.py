# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage, death and crowds: what a server must survive. `make soak` does the same for longer."""

from __future__ import annotations

import copy
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from blender_deepdream.protocol.errors import DeepDreamError, StorageError
from blender_deepdream.protocol.jobs import JobState, request_from_json
from blender_deepdream.protocol.messages import DreamRequest
from blender_deepdream.protocol.settings import DreamSettings
from blender_deepdream.protocol.training import TrainRequest

from .attacks import Crowd, Killing, resident_mib
from .conftest import ended, finish, linux_only, request_for
from .process import ROOT, ServerProcess

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    2**70,
    "",
    "x" * 3000,
    "\ud800",
    "../../etc/passwd",
    [],
    [[]],
    {},
    {"a": 1},
    "\0",
)


def changed(value: Any, chance: random.Random) -> Any:
    """The same JSON with something strange in one place."""
    if chance.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return chance.choice(STRANGE)
    value = copy.copy(value)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = chance.choice(keys)
    if isinstance(value, dict) and chance.random() < 0.1:
        value[chance.choice(("", "kind", "__class__", "x" * 500))] = value.pop(key)
    else:
        value[key] = changed(value[key], chance)
    return value


@pytest.mark.parametrize(
    "request_of",
    [
        DreamRequest("0" * 64, DreamSettings().replace(layers=[["_blocks.4", 2.0]]), mask="1" * 64),
        TrainRequest("mine", (("0" * 64, "moss/a.png"), ("1" * 64, "rust/b.png"))),
    ],
)
def test_thousands_of_strange_requests(request_of: DreamRequest | TrainRequest) -> None:
    chance, good, refused = random.Random(9), request_of.to_json(), 0
    for _ in range(2000):
        strange = good
        for _ in range(chance.choice((1, 1, 2, 5))):
            strange = changed(strange, chance)
        try:
            request_from_json(strange)
        except DeepDreamError:
            refused += 1
    assert refused > 1000


@linux_only
@pytest.mark.timeout(600)
def test_thousands_of_damaged_images() -> None:
    command = [sys.executable, "-m", "tests.server.fuzz_images", "9", "2000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=True)
    read, refused, grown = map(float, done.stdout.split())
    assert read > 100
    assert refused > 500
    assert grown < 300


@linux_only
@pytest.mark.timeout(600)
def test_killed_at_any_moment(start_server: Callable[..., ServerProcess]) -> None:
    killing = Killing(start_server, seed=9, steps=15)
    told = [killing.round() for _ in range(10)]
    assert len(told) == 10


def test_a_folder_that_cannot_be_written_for_a_while(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    client = server.client()
    request = request_for(client, steps=1)
    folder = server.data / "unfinished"
    folder.rename(server.data / "elsewhere")
    folder.write_text("in the way: permissions do not stop root")
    with pytest.raises(StorageError):
        client.put_blob(b"new")
    last = ended(client, request)
    assert last.state is JobState.FAILED
    assert isinstance(last.error, StorageError)
    folder.unlink()
    (server.data / "elsewhere").rename(folder)
    assert client.put_blob(b"new")
    finish(client, request)


@linux_only
def test_a_crowd(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--max-queue", "20")
    server.client().brains()
    Crowd(server, streams=20, clients=10, seconds=1).run()
    before = resident_mib(server.pid)
    crowd = Crowd(server, streams=200, clients=50, seconds=4)
    crowd.run()
    assert not crowd.errors
    assert crowd.asked > 50
    assert resident_mib(server.pid) - before < 60
