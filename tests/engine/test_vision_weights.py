# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import io
import pickle

import numpy as np
import pytest
import torch
from torchvision import models

from blender_deepdream.engine import vision_weights
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.library import Library
from blender_deepdream.protocol.errors import BrainFileError
from blender_deepdream.protocol.settings import DreamSettings


class FakeWeights:
    """torchvision's own, but of a file that is here."""

    def __init__(self, real, digits: str) -> None:
        self.meta, self.transforms = real.meta, real.transforms
        self.url = f"https://nowhere.invalid/alexnet-{digits}.pth"

    def __str__(self) -> str:
        return "AlexNet_Weights.FAKE"


@pytest.fixture
def downloaded_as(tmp_path, monkeypatch):
    """Put a file where torchvision would have put it. digits: of the hash; those of the bytes if none are given."""
    real = vision_weights.weights_of("alexnet")

    def put(data: bytes, digits: str = "") -> str:
        digits = digits or hashlib.sha256(data).hexdigest()[:8]
        (tmp_path / f"alexnet-{digits}.pth").write_bytes(data)
        monkeypatch.setattr(vision_weights, "weights_of", lambda _: FakeWeights(real, digits))
        return digits

    return put


def saved(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_what_was_downloaded_becomes_a_brain_that_dreams(tmp_path, downloaded_as, scene):
    torch.manual_seed(1)
    # the real classes: the name and the number of them
    state = models.alexnet(weights=None).state_dict()
    data = saved(state)
    downloaded_as(data)
    tensors, source = vision_weights.downloaded("alexnet", tmp_path)
    assert hashlib.sha256(data).hexdigest() in source
    library = Library(tmp_path / "brains")
    library.add(vision_weights.vision_card("alexnet", source), tensors)
    brain = library.load("alexnet")
    assert brain.card.classes[984] == "rapeseed"
    assert brain.card.preprocessing.mean == (0.485, 0.456, 0.406)
    settings = DreamSettings().replace(brain="alexnet", octaves=1, steps=1)
    assert not np.array_equal(dream_to_end(scene, brain, settings).pixels, scene.pixels)


def test_a_download_of_another_hash_is_refused_unopened(tmp_path, downloaded_as, monkeypatch):
    downloaded_as(saved({}), "0123abcd")
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(BrainFileError, match="damaged"):
        vision_weights.downloaded("alexnet", tmp_path)


def test_a_pickle_that_does_things_is_refused(tmp_path, downloaded_as):
    for data in (pickle.dumps(print, protocol=2), saved({"weight": print})):
        downloaded_as(data)
        with pytest.raises(BrainFileError, match="holds no weights"):
            vision_weights.downloaded("alexnet", tmp_path)


@pytest.mark.parametrize("name", ["googlenet", "vgg16", "squeezenet1_1"])
def test_cards_have_an_order_words_and_a_default(name):
    card = vision_weights.vision_card(name, "here")
    assert all(layer.dreams for layer in card.layers)
    assert card.layers[0].dreams == "lines and colours"
    assert card.layers[-1].dreams == "animals and things"
    assert dict(card.default_layers).keys() <= {layer.name for layer in card.layers}
    assert card.classifier is not None
    assert len(card.classes) == card.classifier.channels == 1000


def test_googlenet_is_shown_what_tensorflow_showed_it():
    """What torchvision does inside the network with ImageNet's mean and deviation comes to this."""
    card = vision_weights.vision_card("googlenet", "here")
    assert card.default_layers == (("inception4c", 1.0),)
    model = models.googlenet(weights=None, transform_input=True, init_weights=False, aux_logits=False)
    transforms = vision_weights.weights_of("googlenet").transforms()
    x = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (transforms.mean, transforms.std))
    torch.testing.assert_close(card.preprocessing(x), model._transform_input((x - mean) / std), atol=1e-5, rtol=1e-5)


def test_every_offer_has_weights_and_a_size(tmp_path):
    for name in vision_weights.TITLES:
        assert vision_weights.size(name) > 4e6
        command = vision_weights.download_command(name, tmp_path)
        assert models.get_weight(command[-2]) is vision_weights.weights_of(name)
