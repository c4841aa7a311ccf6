# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes come to what one comes to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from blender_deepdream.engine import brain_file
from blender_deepdream.training.__main__ import main

ROOT = Path(__file__).parents[2]


def torchrun(*program: object, processes: int = 2) -> str:
    """What a module's program tells that is started in so many processes."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    command = [sys.executable, *(launch if processes > 1 else ["-m"]), *map(str, program)]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(folder: Path, processes: int) -> dict[str, torch.Tensor]:
    torchrun("tests.training.small_training", folder, 2, 3, processes=processes)
    return dict(brain_file.read(folder / "brain.safetensors").tensors)


def test_two_processes_learn_what_one_learns(tmp_path):
    one, two = train(tmp_path / "one", 1), train(tmp_path / "two", 2)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(
        path.name for path in (tmp_path / "two").iterdir()
    )


def test_a_folder_is_trained_by_torchrun(tmp_path, pictures, monkeypatch):
    monkeypatch.setenv("DEEPDREAM_DATA", str(tmp_path / "data"))
    options = {"side": 32, "epochs": 1, "batch": 8, "clarity": 0, "name": "few", "device": "cpu"}
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    told = torchrun("blender_deepdream.training", pictures, tmp_path / "few.safetensors", *flags).splitlines()
    assert json.loads(told[-1])["id"] == brain_file.read_card(tmp_path / "few.safetensors").id
    assert told[-2].startswith("epoch 1: ")
    assert len(told) == 2
    assert brain_file.load(tmp_path / "few.safetensors").card.classes == ("moss", "rust", "sky")
    assert not (tmp_path / ".few.training").exists()


def test_bad_input_is_told(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty"), str(tmp_path / "x.safetensors"), "--device", "cpu"]) == 2
    assert str(tmp_path / "empty") in capsys.readouterr().err
