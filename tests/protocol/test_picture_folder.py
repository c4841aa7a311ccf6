# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's folder on its way to a server."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from blender_deepdream.engine.steps import finish
from blender_deepdream.protocol.errors import ImageError, InputError
from blender_deepdream.protocol.picture_folder import names_of, pictures_in, send_pictures
from blender_deepdream.protocol.training import check_picture_name
from blender_deepdream.protocol.wire import content_hash


class Shelf:
    """A server as far as blobs go."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.sent: list[str] = []

    def missing_blobs(self, blobs: Iterable[str]) -> set[str]:
        return {blob for blob in blobs if blob not in self.blobs}

    def put_blob(self, data: Path | bytes) -> str:
        try:
            content = data.read_bytes() if isinstance(data, Path) else data
        except OSError as error:
            raise ImageError("gone") from error
        sha = content_hash(content)
        self.blobs[sha] = content
        self.sent.append(sha)
        return sha


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    for name in ("cats/1.png", "cats/2.JPG", "dogs/old/1.webp", "dogs/.hidden.png", ".git/3.png", "__MACOSX/4.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    (root / "notes.txt").write_text("no picture")
    return root


def test_pictures_are_found_in_order(folder: Path) -> None:
    found = [path.relative_to(folder).as_posix() for path in pictures_in(folder)]
    assert found == ["cats/1.png", "cats/2.JPG", "dogs/old/1.webp"]


def test_folders_without_pictures(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match=r"folder|pictures"):
            pictures_in(folder)


def test_pictures_are_sent_once(folder: Path) -> None:
    shelf = Shelf()
    (folder / "cats/3.png").write_bytes((folder / "cats/1.png").read_bytes())
    pictures = finish(send_pictures(shelf, folder))  # type: ignore[arg-type]  # as far as it is asked
    assert [name for _, name in pictures] == ["cats/1.png", "cats/2.JPG", "cats/3.png", "dogs/old/1.webp"]
    assert {shelf.blobs[blob] for blob, _ in pictures} == {b"cats/1.png", b"cats/2.JPG", b"dogs/old/1.webp"}
    before = len(shelf.sent)
    assert finish(send_pictures(shelf, folder)) == pictures  # type: ignore[arg-type]  # as far as it is asked
    assert len(shelf.sent) == before


def test_progress_ends_with_all(folder: Path) -> None:
    told = list(send_pictures(Shelf(), folder))  # type: ignore[arg-type]  # as far as it is asked
    assert [(one.done, one.total) for one in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_sent_as_nothing(folder: Path) -> None:
    (folder / "cats/1.png").chmod(0)
    assert finish(send_pictures(Shelf(), folder))[0][0] == content_hash(b"")  # type: ignore[arg-type]


def test_a_file_that_has_gone_is_sent_as_nothing(folder: Path) -> None:
    steps = send_pictures(Shelf(), folder)  # type: ignore[arg-type]  # as far as it is asked
    next(steps)
    (folder / "cats/1.png").unlink()
    assert finish(steps)[0][0] == content_hash(b"")


def test_names_are_made_portable_and_each_one_once() -> None:
    paths = [("a?", "x.png"), ("a*", "X.png"), ("con", "1.png"), (" b. ", "2.png"), ("c" * 300, "d" * 300 + ".jpeg")]
    paths.append(("あ" * 120, "い" * 120 + ".png"))
    deep = (*"abcdefghij", "k.png")
    names = names_of([*paths, deep, ("Ä", "ö ü.png")])
    assert [check_picture_name(name) for name in names] == list(names)
    assert names[:4] == ("a_/x.png", "a_/X-2.png", "_con/1.png", "b/2.png")
    assert names[4].endswith(".jpeg")
    assert names[5].endswith("い.png")
    assert names[6] == "a/b/c/d/e/f/g/k.png"
    assert names[7] == "Ä/ö ü.png"
