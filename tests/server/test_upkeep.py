# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when the disk is short, and what never does."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import StorageError
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest, DreamResult
from blender_deepdream.server import upkeep
from blender_deepdream.server.job import FETCH_SECONDS, Client, Job
from blender_deepdream.server.resolving import Resolved
from blender_deepdream.server.store import Kept, Store
from blender_deepdream.server.upkeep import GRACE_SECONDS, Upkeep

HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "data")
    store.prepare()
    return store


def kept(store: Store, size: int, age: float, seed: int = 0) -> str:
    """A blob that was used so many seconds ago."""
    sha = store.keep(bytes([seed]) * size)
    used = time.time() - age
    os.utime(store.blob_path(sha), (used, used))
    return sha


def test_the_least_recently_used_goes_first(store: Store) -> None:
    blobs = [kept(store, 1000, HOUR * (3 - number), number) for number in range(3)]
    asyncio.run(Upkeep(store, 2500, set).tidy())
    assert [store.blob_path(sha).exists() for sha in blobs] == [False, True, True]


def test_what_is_needed_or_just_used_stays(store: Store) -> None:
    needed, recent, old = kept(store, 1000, 9 * HOUR, 1), kept(store, 1000, 60, 2), kept(store, 1000, HOUR, 3)
    upkeep = Upkeep(store, 1000, lambda: {needed})
    asyncio.run(upkeep.tidy())
    assert [store.blob_path(sha).exists() for sha in (needed, recent, old)] == [True, True, False]
    assert upkeep.used == 2000
    with pytest.raises(StorageError, match="full"):
        asyncio.run(upkeep.make_room(10))


def test_a_store_that_does_not_answer_is_said_in_a_line(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A driver's own words, which a traceback would show, may hold keys. The next round goes better."""
    rounds = 0

    def everything() -> list[Kept]:
        nonlocal rounds
        rounds += 1
        if rounds > 1:
            return []
        raise StorageError("It does not answer.") from ValueError("https://store.lan/1?sig=secret")

    monkeypatch.setattr(store, "everything", everything)
    monkeypatch.setattr(upkeep, "ROUND_SECONDS", 0)

    async def through() -> None:
        tidying = Upkeep(store, 0, set)
        tidying.start()
        while not tidying.counts:
            await asyncio.sleep(0.01)
        await tidying.close()

    asyncio.run(through())
    assert "It does not answer." in caplog.text
    assert "secret" not in caplog.text


def test_another_server_sees_what_is_needed(store: Store) -> None:
    needed = kept(store, 1000, 9 * HOUR)
    asyncio.run(Upkeep(store, 0, lambda: {needed}).tidy())
    asyncio.run(Upkeep(Store(store.root), 100, set).tidy())
    assert store.blob_path(needed).exists()


def test_a_question_or_a_read_counts_as_use(store: Store) -> None:
    asked, read, left = (kept(store, 1000, HOUR, number) for number in range(3))
    assert store.has_blob(asked)
    assert store.blob_is_good(read)
    asyncio.run(Upkeep(store, 1, set).tidy())
    assert [store.blob_path(sha).exists() for sha in (asked, read, left)] == [True, True, False]


def test_what_is_asked_for_while_others_are_let_go_stays(store: Store) -> None:
    sha = kept(store, 1000, HOUR)
    (seen,) = store.everything()
    assert store.has_blob(sha)
    assert not store.remove(seen)
    assert store.has_blob(sha), "whoever asked was told that it is here"
    (seen,) = store.everything()
    assert store.remove(seen)
    assert store.remove(seen), "another server was quicker"
    assert not store.has_blob(sha)


def test_a_clock_that_was_set_back(store: Store) -> None:
    of_tomorrow, old = kept(store, 1000, -24 * HOUR, 1), kept(store, 1000, HOUR, 2)
    asyncio.run(Upkeep(store, 1500, set).tidy())
    assert [store.blob_path(sha).exists() for sha in (of_tomorrow, old)] == [True, False]
    asyncio.run(Upkeep(store, 500, set).tidy())
    assert not store.blob_path(of_tomorrow).exists(), "nor does it stay for ever"


def test_room_is_made_before_it_is_needed(store: Store) -> None:
    old = kept(store, 1000, HOUR)
    upkeep = Upkeep(store, 1500, set)
    asyncio.run(upkeep.tidy())
    assert store.blob_path(old).exists()
    asyncio.run(upkeep.make_room(1000))
    assert not store.blob_path(old).exists()


def test_what_is_kept_to_go_on_with_counts(store: Store) -> None:
    picture = kept(store, 1000, 60)
    laid_out = store.root / "trainings" / "0" / "pictures"
    laid_out.mkdir(parents=True)
    os.link(store.blob_path(picture), laid_out / "a.png")
    (laid_out / "decoded").write_bytes(b"x" * 2000)
    for folder in ("cells", "surfaces", "unfinished"):
        (store.root / folder).mkdir(exist_ok=True)
        (store.root / folder / "old").write_bytes(b"x" * 1000)
        os.utime(store.root / folder / "old", (1, 1))
    upkeep = Upkeep(store, 10_000, set)
    asyncio.run(upkeep.tidy())
    assert upkeep.used == 6000, "each once: the blob and its link in the training are one"
    asyncio.run(upkeep.tidy(room=9000))
    assert upkeep.used == 3000
    assert (laid_out / "decoded").exists()
    assert not (store.root / "cells" / "old").exists()


def test_a_result_stays_until_it_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    source, image = "0" * 64, "1" * 64
    job = Job(Resolved("2" * 64, DreamRequest(source), {}, {}))
    job.wants["a"] = Client("a", "owner")
    assert job.needs == {source}
    job.become(JobState.DONE, result=DreamResult(image, 8, 8, 1.0))
    assert job.needs == {image}
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + FETCH_SECONDS + 1)
    assert not job.needs, "but not for ever"
    monkeypatch.undo()
    job.unfetched -= {image}
    assert not job.needs


def test_a_minute_is_recent() -> None:
    assert GRACE_SECONDS >= 60


def test_what_did_not_come_takes_no_room(store: Store) -> None:
    """An upload that broke off, counted meanwhile or not."""
    upkeep = Upkeep(store, 1000, set)
    for counted in (False, True, False):
        asyncio.run(upkeep.make_room(900))
        since = upkeep.counts
        if counted:
            asyncio.run(upkeep.tidy())
        upkeep.give_back(900, since)
        assert upkeep.used == 0
    asyncio.run(upkeep.make_room(900))
