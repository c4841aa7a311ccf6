# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in an object store: a real one of S3's kind, behind a socket."""

from __future__ import annotations

import errno
import os
import re
import threading
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError, NotFoundError, StorageError, UnknownBrainError
from blender_deepdream.protocol.messages import DreamResult
from blender_deepdream.protocol.wire import content_hash
from blender_deepdream.server import objects, remote_store, upkeep
from blender_deepdream.server.carried import carried
from blender_deepdream.server.objects import Objects
from blender_deepdream.server.remote_library import library_of
from blender_deepdream.server.remote_store import RemoteStore, open_store
from blender_deepdream.server.store import Store
from blender_deepdream.server.upkeep import Upkeep

from .buckets import Buckets


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may be busy with something else."""
    monkeypatch.setattr(objects, "PUT_SECONDS", 600)


@pytest.fixture
def address(buckets: Buckets, request: pytest.FixtureRequest) -> str:
    return f"{buckets.address}/{content_hash(request.node.name.encode())[:12]}"


@pytest.fixture
def store(address: str, tmp_path: Path) -> RemoteStore:
    return remote(address, tmp_path / "one")


def remote(address: str, folder: Path) -> RemoteStore:
    """As another machine sees it."""
    store = open_store(folder, address)
    assert isinstance(store, RemoteStore)
    store.prepare()
    return store


def test_what_one_machine_keeps_another_reads(store: RemoteStore, address: str, tmp_path: Path) -> None:
    sha = store.keep(b"an image")
    store.keep_result("1" * 64, "dream", DreamResult(sha, 8, 8, 1.0))
    other = remote(address, tmp_path / "two")
    assert other.existing_blob(sha).read_bytes() == b"an image"
    assert other.blob_is_good(sha)
    found = other.good_result("1" * 64)
    assert found is not None
    assert found.result.blobs == (sha,)
    assert other.result("2" * 64) is None
    assert not list((tmp_path / "two" / "unfinished").iterdir())


def test_what_is_not_there_is_missing(store: RemoteStore) -> None:
    there, nowhere = store.keep(b"there"), "0" * 64
    assert store.missing([there, nowhere]) == [nowhere]
    assert not store.blob_is_good(nowhere)
    assert not store.file_of(nowhere).exists()
    with pytest.raises(NotFoundError):
        store.existing_blob(nowhere)


def test_a_damaged_blob_is_missing_and_can_be_sent_again(store: RemoteStore, address: str, tmp_path: Path) -> None:
    sha = store.keep(b"an image")
    store.objects.put(f"blobs/{sha}", b"an imagf")
    other = remote(address, tmp_path / "two")
    assert not other.blob_is_good(sha)
    assert remote(address, tmp_path / "three").missing([sha]) == [sha]
    other.keep(b"an image")
    assert other.blob_is_good(sha)


def test_a_damaged_copy_is_fetched_again(store: RemoteStore) -> None:
    sha = store.keep(b"an image")
    store.blob_path(sha).write_bytes(b"rot")
    assert store.blob_is_good(sha)
    assert store.blob_path(sha).read_bytes() == b"an image"


def test_a_copy_that_is_needed_stays(store: RemoteStore) -> None:
    """As one that was used just now, for whoever tidies up the copies."""
    sha = store.keep(b"a guide")
    for use in (store.blob_is_good, store.touch, store.existing_blob):
        os.utime(store.blob_path(sha), (0, 0))
        assert use(sha)
        assert store.blob_path(sha).stat().st_mtime > 0


def test_what_is_remembered_of_blobs_has_an_end(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "MAX_FRESH", 2)
    for digit in (b"1", b"2", b"3"):
        store.keep(digit)
    assert len(store._fresh) <= 2


def test_the_least_recently_used_goes(
    store: RemoteStore, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As machines see it that did not use it themselves; S3 tells times in whole seconds."""
    monkeypatch.setattr(upkeep, "GRACE_SECONDS", -1)
    monkeypatch.setattr(remote_store, "FRESH_SECONDS", 0)
    old, used, needed = (store.keep(digit * 100) for digit in (b"1", b"2", b"3"))
    store.keep_result("1" * 64, "dream", DreamResult(old, 8, 8, 1.0))
    until_the_next_second(store)
    assert store.touch(used)
    other = remote(address, tmp_path / "two")
    tidying = Upkeep(other, 250, lambda: {needed})
    assert tidying._tidy({needed}, 0) <= 250
    assert other.missing([old, used, needed]) == [old]
    with pytest.raises(NotFoundError):
        store.existing_blob(old)


def test_many_go_at_once(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes several questions to the object store, and uploads wait until there is room."""
    for word in (b"one", b"two"):
        store.keep(word)
    together, remove = threading.Barrier(2, timeout=60), store.objects.remove

    def meet(name: str) -> None:
        together.wait()
        remove(name)

    monkeypatch.setattr(store.objects, "remove", meet)
    assert store.let_go(store.everything()) == 6
    assert store.everything() == []


def test_what_was_used_since_it_was_counted_stays(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "FRESH_SECONDS", 0)
    sha = store.keep(b"an image")
    (kept,) = store.everything()
    until_the_next_second(store)
    store.touch(sha)
    assert not store.remove(kept)
    (kept,) = store.everything()
    assert store.remove(kept._replace(used=kept.used + 0.9)), "MinIO's lists tell milliseconds"
    assert store.everything() == []


def until_the_next_second(store: RemoteStore) -> None:
    def now() -> float:
        store.objects.put("clock", b"")
        found = store.objects.find("clock")
        assert found is not None
        return found.modified

    start = now()
    while now() == start:
        pass
    store.objects.remove("clock")


def test_documents(store: RemoteStore, address: str, tmp_path: Path) -> None:
    store.documents("queue").put("a.json", b"1")
    store.documents("queue").put("b.json", b"2")
    store.documents("queue").remove("b.json")
    there = remote(address, tmp_path / "two").documents("queue")
    assert [name for name, _ in there.names()] == ["a.json"]
    assert (there.read("a.json"), there.read("b.json")) == (b"1", None)


def test_brains_are_everybodys(store: RemoteStore, address: str, tmp_path: Path) -> None:
    one, two = library_of(store), library_of(remote(address, tmp_path / "two"))
    one.export("lite0", tmp_path / "mine.safetensors")
    card = one.add_file(tmp_path / "mine.safetensors", "mine")
    assert two.find("mine").id == card.id
    with pytest.raises(InputError, match="already"):
        two.check_free("mine")
    assert [brain.name for brain in two.brains()] == ["lite0", "mine"]
    two.remove("mine")
    with pytest.raises(UnknownBrainError):
        one.find("mine")
    assert [brain.name for brain in one.brains()] == ["lite0"]


def test_a_training_goes_on_elsewhere(store: RemoteStore, address: str, tmp_path: Path) -> None:
    here, there = tmp_path / "one" / "trainings" / "t", tmp_path / "two" / "trainings" / "t"
    with pytest.raises(KeyboardInterrupt), carried(store, here, ("work", "own")):
        (here / "work").mkdir(parents=True)
        (here / "work" / "1.safetensors").write_bytes(b"so far")
        (here / "own").write_bytes(b"id")
        (here / "decoded").write_bytes(b"made anew")
        raise KeyboardInterrupt
    other = remote(address, tmp_path / "two")
    with carried(other, there, ("work", "own")):
        assert (there / "work" / "1.safetensors").read_bytes() == b"so far"
        assert (there / "own").read_bytes() == b"id"
        assert not (there / "decoded").exists()
    assert other.in_trainings() == 0, "it is done"


def test_a_training_that_could_not_be_sent_goes_on_with_what_is_here(
    store: RemoteStore, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "one" / "t", tmp_path / "two" / "t"
    other = remote(address, tmp_path / "two")
    train(store, here, "1")
    with monkeypatch.context() as silence:
        silence.setattr(store.objects, "put_file", fall_silent)
        train(store, here, "2")
    assert train(store, here, "3") == "2"
    assert train(other, there, "4") == "3"
    until_the_next_second(store)
    assert train(store, here, "5") == "4"


def test_a_training_goes_on_with_what_others_did_since_it_could_not_be_sent(
    store: RemoteStore, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "one" / "t", tmp_path / "two" / "t"
    train(store, here, "1")
    with monkeypatch.context() as silence:
        silence.setattr(store.objects, "put_file", fall_silent)
        train(store, here, "2")
    until_the_next_second(store)
    assert train(remote(address, tmp_path / "two"), there, "3") == "1"
    assert train(store, here, "4") == "3"


def train(store: RemoteStore, folder: Path, step: str) -> str:
    """Up to a step, and be interrupted. Returns the one that it went on from."""
    checkpoint = folder / "work" / "step"
    with pytest.raises(KeyboardInterrupt), carried(store, folder, ("work",)):
        before = checkpoint.read_text() if checkpoint.is_file() else ""
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_text(step)
        raise KeyboardInterrupt
    return before


def fall_silent(*_: object) -> None:
    raise StorageError("It does not answer.")


def test_what_must_not_be_forgotten_is_sent_at_once(store: RemoteStore, address: str, tmp_path: Path) -> None:
    """This machine may die before the training's end."""
    here, there = tmp_path / "one" / "t", tmp_path / "two" / "t"
    with carried(store, here, ("own",)) as luggage:
        here.mkdir()
        (here / "own").write_text("id")
        luggage.send()
        with pytest.raises(KeyboardInterrupt), carried(remote(address, tmp_path / "two"), there, ("own",)):
            assert (there / "own").read_text() == "id"
            raise KeyboardInterrupt


def test_a_file_that_goes_while_it_is_sent_ends_no_training(
    store: RemoteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "one" / "t"

    def tidied_meanwhile(_name: str, path: Path) -> None:
        for other in {*(folder / "work").iterdir()} - {path}:
            other.unlink()

    with carried(store, folder, ("work",)) as luggage:
        (folder / "work").mkdir(parents=True)
        for name in ("1", "2"):
            (folder / "work" / name).write_text("so far")
        with monkeypatch.context() as tidied:
            tidied.setattr(store.objects, "put_file", tidied_meanwhile)
            luggage.send()
        assert (folder / "unsent").is_file()
        luggage.send()
        assert not (folder / "unsent").is_file()


def test_a_folder_needs_no_carrying(tmp_path: Path) -> None:
    with carried(Store(tmp_path), tmp_path / "t", ("work",)) as luggage:
        luggage.send_in_time()
        luggage.send()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_falls_silent(store: RemoteStore, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it hears so in words, and what was stored is there again when it is."""
    monkeypatch.setattr(objects, "READ_SECONDS", 0.2)
    impatient = RemoteStore(store.root, Objects(store.objects.address))
    sha = store.keep(b"an image")
    with buckets.silent(), monkeypatch.context() as hurry:
        hurry.setattr(objects, "PUT_SECONDS", 0.2)
        for attempt in (lambda: impatient.keep(b"another"), lambda: impatient.result("1" * 64)):
            with pytest.raises(StorageError, match="does not answer") as told:
                attempt()
            assert "nothing that was stored is lost" in told.value.hint
    assert not list((store.root / "unfinished").iterdir())
    assert remote(store.objects.address, store.root).missing([sha]) == [], "it asks anew"


def test_no_such_bucket(buckets: Buckets, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no bucket at s3://nowhere/at-all"):
        open_store(tmp_path, "s3://nowhere/at-all").prepare()


def test_keys_that_open_nothing(buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Objects(buckets.address)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("The AWS Access Key Id you provided does not exist in our records.")

    monkeypatch.setattr(refusing, "_driver", type("Refusing", (), {"pipe_file": refuse})())
    with pytest.raises(StorageError, match="does not let this machine in") as told:
        RemoteStore(tmp_path, refusing).prepare()
    assert "AWS_SECRET_ACCESS_KEY" in told.value.hint


class Failing:
    """A driver that always fails so."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def fail(self, *_: object, **__: object) -> None:
        raise self._error

    get_file = cat_file = fail


def test_a_full_disk_here_is_not_the_stores_fault(tmp_path: Path) -> None:
    full = Objects("s3://dreams/x", Failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(StorageError, match="cannot be written: No space left on device") as told:
        full.fetch("blobs/1", tmp_path / "copy")
    assert str(tmp_path) in told.value.message
    assert "s3://" not in told.value.message


def test_what_a_driver_says_tells_no_secrets() -> None:
    said = "no way to https://anna:key@store.lan/dreams/1?sig=abc%3D&se=2027 from here"
    with pytest.raises(StorageError, match=re.escape("no way to https://store.lan/dreams/1 from")):
        Objects("az://dreams/x", Failing(ValueError(said))).read("1")


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="not installed") as told:
        Objects("gs://dreams")
    assert "pip install gcsfs==" in told.value.hint
