# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of memory that was freed: asked in a process of its own, whose malloc then stays as it was told."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from blender_deepdream.server import heap

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import resource, sys
import torch
from blender_deepdream.server.dreaming import choose_device
from blender_deepdream.server.heap import return_freed_memory

torch.set_num_threads(1)
choose_device(sys.argv[1], None)

def step():
    maps = [torch.ones(2**22) for _ in range(8)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

for _ in range(6):
    step()
before = faults()
step()
again, full = faults() - before, resident()
return_freed_memory()
print(again, full - resident())
"""

if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
    pytest.skip("only glibc is told what to do with memory", allow_module_level=True)

PAGES = 8 * 2**24 // os.sysconf("SC_PAGE_SIZE")
"""That one step takes; fewer where the system has larger ones for those who take much."""


def taken_and_returned(**environment: str) -> tuple[int, int]:
    """Pages that the system had to give for a step like the last one, and those that it got back in the end."""
    program = [sys.executable, "-c", PROGRAM, "cpu"]
    told = subprocess.run(
        program, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout
    taken, returned = map(int, told.split())
    return taken, returned


def test_a_step_takes_the_memory_of_the_one_before_and_it_is_given_back() -> None:
    taken, returned = taken_and_returned()
    assert taken < PAGES / 4, "one block may come to lie elsewhere"
    assert returned > PAGES * 0.9


def test_what_somebody_has_set_stays() -> None:
    taken, _ = taken_and_returned(MALLOC_MMAP_THRESHOLD_=str(2**20))
    assert taken > PAGES / 2**9 * 0.9, "each block is the system's as soon as it is free, at least as large pages"


def test_an_older_library_is_asked_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """glibc before 2.35 refuses more than 32 MiB; told the rest alone it would keep next to nothing."""
    told = {}

    class Old:
        def mallopt(self, what: int, size: int) -> int:
            taken = what != heap.MMAP_THRESHOLD or size <= 2**25
            told.update({what: size} if taken else {})
            return int(taken)

    for name in heap._SET_BY_SOMEBODY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ctypes.CDLL", lambda _: Old())
    heap.keep_freed_memory()
    assert told == {heap.MMAP_THRESHOLD: 2**25, heap.TRIM_THRESHOLD: heap.EVERYTHING}
