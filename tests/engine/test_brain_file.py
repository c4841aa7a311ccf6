# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import json
import pickle
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from blender_deepdream.engine import brain_file, lite0
from blender_deepdream.engine.brain import Brain, BrainCard, Preprocessing
from blender_deepdream.engine.brain_card import to_json
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.networks import vision
from blender_deepdream.protocol.errors import BrainFileError, StorageError
from blender_deepdream.protocol.settings import DreamSettings

from .peak_memory import at_most
from .small_brains import DESCRIPTION, small_card, small_tensors


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("brains") / "small.safetensors"
    brain_file.save(path, small_card(), small_tensors(), DESCRIPTION)
    return path


def write(
    path: Path, tensors: dict[str, Tensor] | None = None, *, card: dict[str, Any] | None = None, **changes: Any
) -> Path:
    """A file as only a stranger writes it: whatever it says of the brain, and the right checksum."""
    facts = json.loads(json.dumps(to_json(small_card()))) | (card or {})
    about = {"version": 1, "checksum": "0" * 64, "card": facts, "graph": DESCRIPTION} | changes
    text = json.dumps(about, separators=(",", ":"))
    safetensors.torch.save_file(tensors or small_tensors(), path, metadata={"deepdream": text})
    if about["checksum"] == "0" * 64:
        brain_file._write_checksum(path)
    return path


def dreamt(brain: Brain, image: Image, layer: str) -> NDArray[np.float32]:
    return dream_to_end(image, brain, DreamSettings().replace(octaves=1, steps=2, layers=((layer, 1.0),))).pixels


def test_what_is_saved_is_what_is_read(small):
    card = brain_file.read_card(small)
    sha = hashlib.sha256(small.read_bytes()).hexdigest()
    assert card == small_card(id=sha, size=small.stat().st_size)
    assert brain_file.load(small).card == card


def test_whoever_may_read_new_files_may_read_a_brain(small):
    other = small.with_name("other")
    other.touch()
    assert small.stat().st_mode == other.stat().st_mode


def test_a_card_is_read_without_the_weights(small, monkeypatch):
    monkeypatch.setattr(brain_file, "tensors_in", None)
    monkeypatch.setattr("blender_deepdream.engine.networks.architectures.build", None)
    assert brain_file.read_card(small).classes == ("circle", "square", "star")


def test_lite0_in_a_file_copied_elsewhere_dreams_the_same_bits(tmp_path, brain, scene):
    path = tmp_path / "exported.safetensors"
    brain_file.save(path, lite0.LITE0_CARD, lite0.lite0_weights())
    copy = tmp_path / "elsewhere" / "copied.safetensors"
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    loaded = brain_file.load(copy)
    assert np.array_equal(dreamt(loaded, scene, "_blocks.9"), dreamt(brain, scene, "_blocks.9"))


def test_googlenet_in_a_file_dreams_the_same_bits_each_time(tmp_path, scene):
    from torchvision import models

    torch.manual_seed(3)
    state = models.get_model("googlenet", weights=None, init_weights=False, aux_logits=False).state_dict()
    about = vision.describe("googlenet")
    card = BrainCard(
        name="random",
        id="0" * 64,
        title="GoogLeNet, random",
        licence="none",
        layers=about.layers,
        default_layers=(("inception4c", 1.0),),
        architecture="torchvision/googlenet",
        preprocessing=Preprocessing(),
        smallest=about.smallest,
        classifier=about.classifier,
    )
    brain_file.save(tmp_path / "random.safetensors", card, state)
    shutil.copyfile(tmp_path / "random.safetensors", tmp_path / "copy.safetensors")
    first, second = (brain_file.load(tmp_path / f"{name}.safetensors") for name in ("random", "copy"))
    once = dreamt(first, scene, "inception4c")
    assert np.array_equal(once, dreamt(second, scene, "inception4c"))
    assert not np.array_equal(once, scene.pixels)


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(brain_file, "_write_checksum", full)
    with pytest.raises(StorageError, match="No space left"):
        brain_file.save(tmp_path / "small.safetensors", small_card(), small_tensors(), DESCRIPTION)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a safetensors file"),
        (pickle.dumps(print), "not a safetensors file"),
        (b"\xff" * 100, "not a safetensors file"),
        ((2**40).to_bytes(8, "little") + b"{}", "not a safetensors file"),
        ((90_000).to_bytes(8, "little") + b"[" * 90_000, "not JSON"),
        ((2).to_bytes(8, "little") + b"[]", "list"),
        ((2).to_bytes(8, "little") + b"{}", "not a brain"),
        ((30).to_bytes(8, "little") + b'{"__metadata__":{"deepdream":1'.ljust(30), "not JSON"),
    ],
)
def test_other_files_are_refused(tmp_path, data, said):
    path = tmp_path / "brain.safetensors"
    path.write_bytes(data)
    for read in (brain_file.read_card, brain_file.load):
        with pytest.raises(BrainFileError, match=said):
            read(path)


def test_lengths_that_lie_are_refused_before_memory_is_taken(tmp_path):
    for shape, end in (([2**31, 2**31], 16), ([4], 2**40), ([-4], 16), ([True], 4), ([2] * 20, 2**22)):
        entry = {"weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}
        header = json.dumps(entry).encode()
        path = tmp_path / "brain.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
        with pytest.raises(BrainFileError, match="describes a tensor that cannot be"):
            brain_file.load(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../evil"}, "cannot be called"),
        ({"name": "Two Words"}, "cannot be called"),
        ({"name": "con"}, "cannot be called"),
        ({"architecture": "transformer-9000"}, "does not know the architecture"),
        ({"architecture": "torchvision/nothing"}, "no architecture 'nothing'"),
        ({"architecture": "torchvision/alexnet"}, "not those of alexnet"),
        ({"architecture": "efficientnet_lite0"}, "not those of EfficientNet-Lite0"),
        ({"layers": []}, "no layers"),
        ({"layers": [["conv1", 8]]}, "layers"),
        ({"layers": [{"name": "a@2", "channels": 8, "stride": 1, "dreams": ""}]}, "means something else"),
        ({"layers": [{"name": "class", "channels": 8, "stride": 1, "dreams": ""}]}, "cannot be called"),
        ({"layers": [{"name": "conv1", "channels": 2**40, "stride": 1, "dreams": ""}]}, "impossible"),
        ({"layers": [{"name": "conv1", "channels": 9, "stride": 2, "dreams": ""}]}, "default"),
        ({"default_layers": [["fc", 1]]}, "default layers"),
        ({"default_layers": [["conv1", float("nan")]]}, "proper JSON"),
        ({"classes": ["a", "b"]}, "names 2 of 3"),
        ({"classifier": None}, "no layer that tells them apart"),
        ({"title": "x\x1b[31m"}, "not printable"),
        ({"title": 7}, "title"),
        ({"smallest": 10**9}, "smallest"),
        ({"preprocessing": {"order": "GBR"}}, "order"),
        ({"preprocessing": {"std": [0, 1, 1]}}, "makes no sense"),
        ({"preprocessing": {"mean": [1e300, 1, 1]}}, "beyond all bounds"),
    ],
)
def test_a_card_that_cannot_be_is_refused(tmp_path, changes, said):
    path = write(tmp_path / "brain.safetensors", card=changes)
    with pytest.raises(BrainFileError, match=said):
        brain_file.load(path)


def test_a_card_and_a_network_that_do_not_agree(tmp_path):
    layers = [
        {"name": "conv1", "channels": 9, "stride": 2, "dreams": ""},
        {"name": "relu1", "channels": 8, "stride": 2, "dreams": ""},
    ]
    path = write(tmp_path / "brain.safetensors", card={"layers": layers})
    with pytest.raises(BrainFileError, match=r"'conv1' should have 9 channels and has 8"):
        brain_file.load(path)


def test_another_version_and_another_description(tmp_path):
    path = tmp_path / "brain.safetensors"
    for changes, said in (
        ({"version": 7}, r"version 7.*Update"),
        ({"graph": [[]]}, "description"),
        ({"graph": None}, "description"),
        ({"checksum": "1" * 64}, "checksum"),
        ({"checksum": 1}, "not complete"),
        ({"more": 1}, "not complete"),
    ):
        with pytest.raises(BrainFileError, match=said):
            brain_file.load(write(path, **changes))


def test_words_too_deep(tmp_path):
    path = tmp_path / "brain.safetensors"
    deep = json.loads("[" * 900 + "]" * 900)
    with pytest.raises(BrainFileError):
        brain_file.load(write(path, card={"recipe": {"deep": deep}}))
    safetensors.torch.save_file(small_tensors(), path, metadata={"deepdream": "[" * 100_000})
    with pytest.raises(BrainFileError, match="proper JSON"):
        brain_file.read_card(path)


def test_the_same_brain_makes_the_same_file(tmp_path):
    paths = [tmp_path / f"{number}.safetensors" for number in range(4)]
    cards = [brain_file.save(path, small_card(), small_tensors(), DESCRIPTION) for path in paths]
    assert len({card.id for card in cards}) == 1


def test_weights_that_do_not_fit_are_named(tmp_path):
    tensors = small_tensors() | {"conv1.weight": torch.zeros(8, 3, 5, 5)}
    with pytest.raises(BrainFileError, match=r"conv1\.weight"):
        brain_file.load(write(tmp_path / "brain.safetensors", tensors))


def damage(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, lengthen, or repeat, anywhere, but rather in the header."""
    place = chance.randrange(chance.choice((16, 600, len(data))))
    match chance.randrange(4):
        case 0:
            return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        case 1:
            return data[:place]
        case 2:
            return data + chance.randbytes(chance.randrange(1, 40))
        case _:
            return data[:place] + data[place : place + chance.randrange(1, 60)] + data[place:]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_thousands_of_damaged_files_are_refused(small, tmp_path, seed):
    """50 a time: always a clear error, whatever became of the file, and never much memory."""
    data, chance, path = small.read_bytes(), random.Random(seed), tmp_path / "damaged.safetensors"
    with at_most(mebibytes=20):
        for _ in range(50):
            bad = damage(data, chance)
            path.write_bytes(bad)
            with pytest.raises(BrainFileError) as caught:
                brain_file.load(path)
            assert caught.value.hint


def test_a_header_of_nothing_but_brackets_takes_little_memory(tmp_path):
    text = ("[" + "[]," * 1_398_000 + "[]]").encode()
    path = tmp_path / "brain.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with at_most(mebibytes=150), pytest.raises(BrainFileError):
        brain_file.read_card(path)
