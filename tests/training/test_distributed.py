# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes come to what one comes to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from blender_deepdream.engine import brain_file

ROOT = Path(__file__).parents[2]


def train(folder: Path, processes: int) -> dict[str, torch.Tensor]:
    """The brain's tensors after a training by `torchrun` in so many processes."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    program = ["tests.training.small_training", str(folder), "2", "3"]
    subprocess.run([sys.executable, *(launch if processes > 1 else ["-m"]), *program], cwd=ROOT, check=True)
    return dict(brain_file.read(folder / "brain.safetensors").tensors)


def test_two_processes_learn_what_one_learns(tmp_path):
    one, two = train(tmp_path / "one", 1), train(tmp_path / "two", 2)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(
        path.name for path in (tmp_path / "two").iterdir()
    )
