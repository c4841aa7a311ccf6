# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from blender_deepdream.protocol.errors import InputError, StorageError
from blender_deepdream.training.checkpoint import Checkpoint, Checkpoints

TRAINING = {"recipe": {"epochs": 12, "seed": 0}, "data": "abc"}


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"best": step}, {"weights/a": torch.full((3,), float(step))})


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for step in (5, 10, 15):
        Checkpoints(tmp_path / "run", TRAINING).save(checkpoint(step))
    return tmp_path / "run"


def latest(folder: Path) -> Checkpoint:
    found = Checkpoints(folder, TRAINING).latest()
    assert found is not None
    return found


def test_the_last_one_comes_back_whole(three):
    assert latest(three).step == 15
    assert latest(three).facts == {"best": 15}
    assert latest(three).tensors["weights/a"].tolist() == [15.0] * 3


def test_two_are_kept(three):
    assert {path.stem for path in three.iterdir()} == {"00000010", "00000015"}


def test_there_is_none(tmp_path):
    assert Checkpoints(tmp_path / "nowhere", TRAINING).latest() is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "no facts", "facts of another kind"])
def test_a_damaged_one_is_passed_over(three, damage):
    tensors, facts = three / "00000015.safetensors", three / "00000015.json"
    data = tensors.read_bytes()
    if damage == "cut":
        tensors.write_bytes(data[:-1])
    elif damage == "flipped":
        tensors.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "gone":
        tensors.unlink()
    else:
        facts.write_text("{" if damage == "no facts" else "[1]")
    checkpoints = Checkpoints(three, TRAINING)
    found = checkpoints.latest()
    assert found is not None
    assert found.step == 10
    assert checkpoints.damaged == [tensors]


def test_one_of_another_training_is_refused_with_the_difference(three):
    other = {"recipe": {"epochs": 20, "seed": 0}, "data": "abc"}
    with pytest.raises(InputError, match=r"recipe\.epochs was 12 and is 20") as raised:
        Checkpoints(three, other).latest()
    assert "seed" not in str(raised.value)
    assert "delete that folder" in raised.value.hint


def test_a_full_disk_leaves_those_before(three, monkeypatch):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(StorageError, match="No space left"):
        Checkpoints(three, TRAINING).save(checkpoint(20))
    assert latest(three).step == 15
    assert {path.stem for path in three.iterdir()} == {"00000010", "00000015"}


def test_tensors_without_facts_are_no_checkpoint(three):
    (three / "00000020.safetensors").write_bytes((three / "00000015.safetensors").read_bytes())
    assert latest(three).step == 15
    Checkpoints(three, TRAINING).save(checkpoint(25))
    assert not (three / "00000020.safetensors").exists()


def test_facts_are_plain_json(three):
    assert json.loads((three / "00000015.json").read_text())["training"] == TRAINING


def test_one_before_comes_back_if_there_is_one(three):
    checkpoints = Checkpoints(three, TRAINING)
    assert [found.step for back in (0, 1, 2) if (found := checkpoints.latest(back))] == [15, 10, 10]


def test_later_ones_are_given_up(three):
    Checkpoints(three, TRAINING).save(checkpoint(12))
    assert {path.stem for path in three.iterdir()} == {"00000010", "00000012"}
