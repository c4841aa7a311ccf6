# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_deepdream.training import decoding_pool
from blender_deepdream.training.decoding import Decoded, LeftOutError, decode
from blender_deepdream.training.decoding_pool import decode_all

from .small_pictures import save_picture


def test_every_file_is_answered_for(tmp_path: Path):
    good = [save_picture(tmp_path / f"{seed}.png", seed) for seed in range(20)]
    words = tmp_path / "words.txt"
    words.write_text("no image")
    answers = dict(decode_all([*good, words, tmp_path / "gone.png"], 32))
    assert all(isinstance(answers[path], Decoded) for path in good)
    assert str(answers[words]) == "no image"
    assert str(answers[tmp_path / "gone.png"]) == "gone meanwhile"
    assert len(answers) == 22


def deadly(path: Path, side: int) -> Decoded:
    """A decoder that breaks down at one file."""
    if path.name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(path, side)


def test_a_file_that_kills_its_decoder_is_left_out_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoding_pool, "_answer", deadly)
    good = [save_picture(tmp_path / f"{seed}.png", seed) for seed in range(6)]
    bad = save_picture(tmp_path / "deadly.png", 9)
    answers = dict(decode_all([*good[:3], bad, *good[3:]], 32))
    assert all(isinstance(answers[path], Decoded) for path in good)
    death = answers[bad]
    assert isinstance(death, LeftOutError)
    assert str(death) == "cannot be read: its decoder broke down"


def test_no_process_outlives_one_that_is_killed(tmp_path: Path):
    for seed in range(30):
        save_picture(tmp_path / f"{seed}.png", seed)
    script = tmp_path / "decode.py"
    script.write_text(
        "import multiprocessing, sys, time\n"
        "from pathlib import Path\n"
        "from blender_deepdream.training.decoding_pool import decode_all\n"
        "if __name__ == '__main__':\n"
        "    answers = decode_all(sorted(Path(sys.argv[1]).glob('*.png')), 32)\n"
        "    next(answers)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    with process.stdout:
        children = [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.wait()
    assert children
    deadline = time.monotonic() + 20
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, children))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
