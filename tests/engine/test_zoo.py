# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender_deepdream.engine import lite0, zoo
from blender_deepdream.protocol.errors import UnknownBrainError

from .small_brains import DESCRIPTION, small_card, small_tensors


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPDREAM_DATA", str(tmp_path))


def test_brains_are_listed_without_their_weights(monkeypatch):
    monkeypatch.setattr(lite0, "read_weights", None)
    assert [info.name for info in zoo.list_brains()] == ["lite0"]
    assert zoo.find_brain("lite0") in zoo.list_brains()


def test_an_unknown_brain_lists_those_there_are():
    with pytest.raises(UnknownBrainError, match=r"'incepton'.*lite0"):
        zoo.load_brain("incepton")


def test_the_library_is_this_users(tmp_path):
    zoo.library().add(small_card(), small_tensors(), DESCRIPTION)
    assert (tmp_path / "brains" / "small.safetensors").is_file()
    assert zoo.load_brain("small").info == zoo.find_brain("small")
