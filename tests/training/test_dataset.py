# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError
from blender_deepdream.training.cache_index import Line
from blender_deepdream.training.dataset import FLAT, MAX_CLASSES, Dataset, Found, find_pictures, sift
from blender_deepdream.training.decoding import Reason


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def found_in(folder: Path) -> dict[str, str]:
    return {file.path.relative_to(folder).as_posix(): file.kind for file in find_pictures(folder)}


def sifted(*files: tuple[str, str, str], **reasons: Reason) -> Dataset:
    """files: class, name, contents. reasons: of files that are no pictures, by name."""
    found = [Found(Path("/set", kind, name), kind) for kind, name, _ in files]
    lines = {
        file.path: Line(name, 1, 1, sha256="" if name in reasons else contents, reason=reasons.get(name))
        for file, (_, name, contents) in zip(found, files, strict=True)
    }
    return sift(Path("/set"), found, lines)


def test_the_first_level_of_folders_is_classes(tmp_path: Path):
    touch(tmp_path, "cats/1.png", "cats/kittens/2.png", "dogs/a/b/c.jpg")
    assert found_in(tmp_path) == {"cats/1.png": "cats", "cats/kittens/2.png": "cats", "dogs/a/b/c.jpg": "dogs"}


def test_a_folder_without_folders_is_flat(tmp_path: Path):
    touch(tmp_path, "1.png", "2.png")
    assert set(found_in(tmp_path).values()) == {FLAT}


def test_litter_is_passed_over(tmp_path: Path):
    litter = (
        "Thumbs.db",
        ".DS_Store",
        "desktop.ini",
        ".hidden/3.png",
        "__MACOSX/cats/._1.png",
        "cats/._1.png",
        "cats/1.xmp",
    )
    touch(tmp_path, "cats/1.png", *litter)
    assert found_in(tmp_path) == {"cats/1.png": "cats"}


def test_a_link_to_a_picture_is_one_and_a_pipe_is_none(tmp_path: Path):
    import os

    touch(tmp_path, "cats/1.png")
    (tmp_path / "cats" / "2.png").symlink_to(tmp_path / "cats" / "1.png")
    (tmp_path / "cats" / "loop").symlink_to(tmp_path / "cats")
    os.mkfifo(tmp_path / "cats" / "pipe.png")
    assert set(found_in(tmp_path)) == {"cats/1.png", "cats/2.png"}


@pytest.mark.parametrize(("name", "words"), [("nowhere", "is not a folder"), (".", "holds no images")])
def test_nothing_to_learn_from_is_said(tmp_path: Path, name: str, words: str):
    with pytest.raises(InputError, match=words):
        find_pictures(tmp_path / name)


def test_a_folder_whose_name_cannot_be_shown_is_said(tmp_path: Path):
    touch(tmp_path, "cats\n/1.png")
    with pytest.raises(InputError, match="No class can be called"):
        find_pictures(tmp_path)


def test_the_same_picture_twice_counts_once_even_in_two_classes():
    dataset = sifted(
        ("cats", "1", "a"),
        ("cats", "2", "b"),
        ("cats", "3", "a"),
        ("dogs", "4", "c"),
        ("dogs", "5", "b"),
        ("dogs", "6", "d"),
    )
    assert [picture.path.name for picture in dataset.pictures] == ["1", "2", "4", "6"]
    assert [(entry.path.name, entry.reason) for entry in dataset.left_out] == [
        ("3", Reason.DUPLICATE),
        ("5", Reason.DUPLICATE),
    ]
    assert "cats/2" in dataset.left_out[1].detail


def test_labels_are_places_among_the_classes():
    dataset = sifted(
        ("b", "1", "1"), ("b", "2", "2"), ("a", "3", "3"), ("a", "4", "4"), ("c", "5", "5"), ("c", "6", "6")
    )
    assert dataset.classes == ("a", "b", "c")
    assert [picture.label for picture in dataset.pictures] == [1, 1, 0, 0, 2, 2]
    assert dataset.counts() == {"a": 2, "b": 2, "c": 2}


def test_files_without_a_picture_are_left_out_with_their_reason():
    dataset = sifted(
        *((kind, f"{kind}{number}", f"{kind}{number}") for kind in "ab" for number in range(3)),
        ("a", "note", ""),
        a0=Reason.DAMAGED,
        note=Reason.NO_IMAGE,
    )
    assert {entry.path.name: entry.reason for entry in dataset.left_out} == {
        "a0": Reason.DAMAGED,
        "note": Reason.NO_IMAGE,
    }


def test_a_class_of_one_picture_is_left_out():
    dataset = sifted(*(("abc"[number // 2], str(number), str(number)) for number in range(5)))
    assert dataset.classes == ("a", "b")
    assert [(entry.path.name, entry.reason) for entry in dataset.left_out] == [("4", Reason.ALONE)]


def test_pictures_beside_the_classes_are_left_out():
    dataset = sifted((FLAT, "0", "0"), *(("ab"[number % 2], str(number), str(number)) for number in range(1, 5)))
    assert [(entry.path.name, entry.reason) for entry in dataset.left_out] == [("0", Reason.LOOSE)]


def test_pictures_beside_folders_without_pictures_are_flat():
    dataset = sifted((FLAT, "0", "0"), (FLAT, "1", "1"), ("notes", "2", "2"), **{"2": Reason.NO_IMAGE})
    assert dataset.is_flat
    assert len(dataset.pictures) == 2


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("cats", "1", "a"), ("cats", "2", "b")], "one class only, 'cats'"),
        ([("cats", "1", "a"), ("cats", "2", "b"), ("dogs", "3", "c")], "one class only, 'cats'.*1 alone in its class"),
        ([(FLAT, "1", "a")], "nothing to learn from.*1 alone"),
    ],
)
def test_one_class_is_not_enough(files: list[tuple[str, str, str]], words: str):
    with pytest.raises(InputError, match=words) as error:
        sifted(*files)
    assert error.value.hint


def test_more_classes_than_a_brain_learns_are_refused():
    files = [(f"class {number // 2}", f"{number}", f"{number}") for number in range(2 * MAX_CLASSES + 2)]
    assert len(sifted(*files[:-2]).classes) == MAX_CLASSES
    with pytest.raises(InputError, match="1,001 classes; a brain can learn 1,000") as error:
        sifted(*files)
    assert error.value.hint


def test_a_folder_of_texts_is_said_to_be_one():
    with pytest.raises(InputError, match=r"nothing to learn from.*3 no image"):
        sifted(*((FLAT, name, "") for name in "abc"), **dict.fromkeys("abc", Reason.NO_IMAGE))


def test_clusters_become_classes():
    flat = sifted(*((FLAT, str(number), str(number)) for number in range(4)))
    dataset = flat.sorted_into([1, 0, 1, 0])
    assert dataset.classes == ("cluster-1", "cluster-2")
    assert [picture.label for picture in dataset.pictures] == [1, 0, 1, 0]
    with pytest.raises(InputError, match="too much alike"):
        flat.sorted_into([0, 0, 0, 0])


def test_the_originals_of_what_was_sorted_may_lie_beside_the_classes():
    copies = [("ab"[number % 2], f"copy{number}", str(number)) for number in range(1, 5)]
    dataset = sifted(*((FLAT, str(number), str(number)) for number in range(1, 5)), *copies)
    assert dataset.counts() == {"a": 2, "b": 2}
    assert {entry.reason for entry in dataset.left_out} == {Reason.LOOSE}
