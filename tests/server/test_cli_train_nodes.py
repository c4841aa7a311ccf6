# SPDX-License-Identifier: GPL-3.0-or-later
"""One training on several machines: here, two programs that meet on a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from blender_deepdream.engine import brain_file
from blender_deepdream.server import cli

from .process import ROOT
from .shapes import KINDS, draw_shapes, save_small_base


def words(folder: Path, name: str) -> list[str]:
    """A training of a moment, whose statistics do not depend on how it is shared."""
    base = save_small_base(folder / "small.safetensors")
    options = ("--base", base, "--epochs", 1, "--side", 32, "--batch", 6, "--clarity", 0, "--frozen-norm", "yes")
    target = folder / f"{name}.safetensors"
    return ["train", str(folder / "pictures"), str(target), "--name", "mine", "--device", "cpu", *map(str, options)]


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"DEEPDREAM_DATA": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "blender_deepdream.server", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.timeout(400)
def test_two_machines_make_what_one_makes(tmp_path: Path) -> None:
    draw_shapes(tmp_path / "pictures")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    nodes = ("--nnodes", "2", "--rendezvous", place, "--nproc", "1")
    machines = [start(*words(tmp_path, "two"), *nodes, folder=tmp_path) for _ in range(2)]
    told = [machine.communicate(timeout=300)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0]
    assert sum('"brain"' in text for text in told) == 1, "one of them writes it"
    alone = start(*words(tmp_path, "one"), "--nproc", "1", folder=tmp_path)
    alone.communicate(timeout=300)
    assert alone.returncode == 0
    one, two = (brain_file.read(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    assert two.card.classes == KINDS
    for name, tensor in one.tensors.items():
        torch.testing.assert_close(two.tensors[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--nnodes", "2"], "--rendezvous HOST:PORT"),
        (["--nnodes", "2", "--rendezvous", "nowhere"], "--rendezvous HOST:PORT"),
        (["--nnodes", "2", "--rendezvous", "x:99999"], "--rendezvous HOST:PORT"),
        (["--nproc", "2", "--install"], "--install does not go"),
        (["--nproc", "2", "--epochs", "none"], "epochs"),
        (["--nnodes", "0"], "whole number"),
    ],
)
def test_what_cannot_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str) -> None:
    assert cli.main(["train", str(tmp_path), str(tmp_path / "x.safetensors"), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_failure_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ["train", str(tmp_path / "empty"), str(tmp_path / "x.safetensors"), "--nproc", "1", "--device", "cpu"]
    assert cli.main(arguments) == 1
    said = capfd.readouterr().err
    assert "exit code" in said
    assert str(tmp_path / "empty") in said
