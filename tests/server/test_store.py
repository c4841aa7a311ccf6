# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs and results on a disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import NotFoundError, RequestError, StorageError
from blender_deepdream.protocol.messages import DreamResult
from blender_deepdream.protocol.wire import content_hash
from blender_deepdream.server.store import STALE_SECONDS, KeptResult, Store

DATA = b"some bytes"
SHA = content_hash(DATA)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "data")
    store.prepare()
    return store


def put(store: Store, data: bytes = DATA) -> None:
    with store.upload() as upload:
        upload.write(data)
        upload.commit(content_hash(data))


def unfinished(store: Store) -> list[Path]:
    return list((store.root / "unfinished").iterdir())


def test_what_is_committed_is_kept(store: Store) -> None:
    assert not store.has_blob(SHA)
    put(store)
    put(store)
    assert store.existing_blob(SHA).read_bytes() == DATA
    assert store.blob_is_good(SHA)
    assert not unfinished(store)


def test_what_is_not_committed_leaves_no_trace(store: Store) -> None:
    with store.upload() as upload:
        upload.write(DATA)
        assert unfinished(store)
        assert not store.has_blob(SHA)
    assert not unfinished(store)
    with pytest.raises(NotFoundError):
        store.existing_blob(SHA)


def test_another_hash_is_refused(store: Store) -> None:
    with pytest.raises(RequestError, match=SHA), store.upload() as upload:
        upload.write(DATA)
        upload.commit("0" * 64)
    assert not unfinished(store)
    assert not store.has_blob("0" * 64)


def test_a_damaged_blob_is_deleted(store: Store) -> None:
    put(store)
    store.blob_path(SHA).write_bytes(b"rotten")
    assert not store.blob_is_good(SHA)
    assert not store.has_blob(SHA)


def test_a_finished_file_moves_in(store: Store) -> None:
    path = store.temporary_path(".exr")
    path.write_bytes(DATA)
    assert store.adopt(path) == SHA
    assert not path.exists()
    assert store.blob_is_good(SHA)


def test_results_are_good_as_long_as_their_image_is(store: Store) -> None:
    result = DreamResult(SHA, 48, 32, 1.5)
    assert store.good_result("a" * 64) is None
    put(store)
    store.keep_result("a" * 64, "dream", result)
    assert store.result("a" * 64) == store.good_result("a" * 64) == KeptResult("dream", result)
    store.blob_path(SHA).unlink()
    assert store.good_result("a" * 64) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"kind": "dream"}',
        '{"kind": "x", "result": {}}',
        '{"kind": [], "result": {}}',
        '{"kind": "dream", "result": {"image": "x"}}',
        "\xff",
    ],
)
def test_a_result_that_cannot_be_read_is_none(store: Store, text: str) -> None:
    (store.root / "results" / f"{'a' * 64}.json").write_text(text, encoding="latin-1")
    assert store.result("a" * 64) is None


def test_a_start_clears_what_crashes_left(store: Store) -> None:
    old, new = store.temporary_path(), store.temporary_path()
    for path in (old, new):
        path.write_bytes(DATA)
    long_ago = time.time() - STALE_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    store.prepare()
    assert unfinished(store) == [new], "another server may be writing it"


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        Store(tmp_path / "file").prepare()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
def test_a_full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "temporary_path", lambda: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(StorageError, match="full"), store.upload() as upload:
        upload.write(bytes(2**20))
