# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from blender_deepdream.engine import pull as pulling
from blender_deepdream.engine.library import Library
from blender_deepdream.engine.pull import Parts, offer, offers, pull
from blender_deepdream.protocol.errors import BrainFileError, CancelledError, InputError, PullError, UnknownBrainError

from .small_brains import DESCRIPTION, small_card, small_tensors


@dataclass(frozen=True)
class FakeOffer:
    """Whatever a script fetches."""

    script: str = "import sys; open(sys.argv[1] + '/weights', 'wb').write(bytes(1000))"
    name: str = "small"
    title: str = "A small network"
    licence: str = "CC0-1.0"
    host: str = "nowhere.invalid"
    size: int = 1000

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-c", self.script, str(folder)]

    def parts(self, folder: Path) -> Parts:
        if (folder / "weights").stat().st_size != 1000:
            raise BrainFileError("The weights are damaged.")
        return Parts(small_card(self.name), small_tensors(), DESCRIPTION)


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "brains")


def nothing_left(library: Library) -> bool:
    return [path.name for path in library.folder.iterdir() if path.name.startswith(".pulling")] == []


def unmoved(_done, _total):
    pass


def test_what_is_pulled_is_in_the_library(library):
    told = []
    card = pull(FakeOffer(), library, lambda done, total: told.append((done, total)))
    assert library.load("small").card == card
    assert told[0][0] <= told[-1][0] <= 1000
    assert {total for _, total in told} == {1000}
    assert nothing_left(library)


def test_a_download_that_fails_says_why_and_what_is_here(library):
    broken = FakeOffer("import sys; sys.exit('URLError: no such host')")
    with pytest.raises(PullError, match=r"A small network.*nowhere\.invalid: URLError: no such host.*lite0"):
        pull(broken, library, unmoved)
    assert nothing_left(library)


def test_a_download_that_brings_nothing_is_given_up(library, monkeypatch):
    monkeypatch.setattr(pulling, "STALL_SECONDS", 0.5)
    with pytest.raises(PullError, match="nothing came"):
        pull(FakeOffer("import time; time.sleep(60)"), library, unmoved)
    assert nothing_left(library)


def test_a_cancel_ends_the_download(library):
    def cancel(_done, _total):
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        pull(FakeOffer("import time; time.sleep(60)"), library, cancel)
    assert nothing_left(library)
    assert len(library.brains()) == 1


def test_what_came_damaged_is_not_kept(library):
    short = FakeOffer("import sys; open(sys.argv[1] + '/weights', 'wb').write(bytes(10))")
    with pytest.raises(BrainFileError):
        pull(short, library, unmoved)
    assert nothing_left(library)
    assert len(library.brains()) == 1


def test_what_a_killed_pull_left_is_cleared_and_one_that_runs_keeps_its_own(library):
    abandoned, running = library.folder / ".pulling-abandoned", library.folder / ".pulling-running"
    for folder in (abandoned, running):
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(bytes(10))
        os.utime(folder / "weights", (1e9, 1e9))
        os.utime(folder, (1e9, 1e9))
    (running / "log.txt").touch()
    os.utime(running, (1e9, 1e9))
    pull(FakeOffer(), library, unmoved)
    assert not abandoned.exists()
    assert running.exists()


def test_a_brain_that_is_there_is_not_fetched_again(library):
    pull(FakeOffer(), library, unmoved)
    with pytest.raises(InputError, match="already"):
        pull(FakeOffer("raise SystemExit('fetched')"), library, unmoved)
    pull(FakeOffer(), library, unmoved, replace_old=True)


def test_offers_are_named_without_the_weight_of_torchvision():
    script = "import sys, blender_deepdream.engine.pull as pull; pull.offers(); assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_to_dream_takes_no_torchvision_and_to_pull_no_hdf5():
    script = (
        "import sys, blender_deepdream.engine.dream, blender_deepdream.engine.pull as pull; pull.offers(); "
        "assert not {'torchvision', 'h5py', 'google.protobuf'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_offers_are_those_that_are_known():
    assert {"squeezenet", "googlenet", "vgg19", "efficientnet_b0"} < set(offers())
    assert len(offers()) == 12
    known = offer("googlenet")
    assert known.size == pytest.approx(52_147_035, rel=1e-4)
    assert "BSD" in known.licence
    with pytest.raises(UnknownBrainError, match=r"'gogglenet'.*googlenet"):
        offer("gogglenet")
