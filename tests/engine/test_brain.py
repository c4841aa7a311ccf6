# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import Tensor

from blender_deepdream.engine.brain import Preprocessing
from blender_deepdream.engine.networks import traced
from blender_deepdream.engine.networks.kernels import Convolution
from blender_deepdream.engine.networks.quick import has_kernels
from blender_deepdream.engine.zoo import load_brain
from blender_deepdream.protocol.errors import UnknownLayerError
from blender_deepdream.protocol.regions import MAX_REGIONS


def image(side: int = 64) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_layers_have_the_channels_and_strides_that_they_say(brain):
    with torch.no_grad():
        found = brain.activations(image(), brain.info.layers)
    assert list(found) == list(brain.info.layers)
    for layer in brain.card.layers:
        side = 64 // layer.stride
        assert found[layer.name].shape == (1, layer.channels, side, side)


@pytest.mark.skipif(not has_kernels(torch.device("cpu")), reason="no oneDNN here")
def test_only_what_the_layers_need_is_run(brain, monkeypatch):
    convolutions, convolve = [], Convolution.forward

    def counted(kernel, *inputs):
        convolutions.append(kernel)
        return convolve(kernel, *inputs)

    monkeypatch.setattr(Convolution, "forward", counted)
    brain.activations(image(), ["_blocks.2", "_blocks.5"])
    stem, first_block, other_blocks = 1, 2, 5 * 3
    assert len(convolutions) == stem + first_block + other_blocks


def test_a_gradient_reaches_the_image_and_no_weight(brain):
    x = image().requires_grad_()
    brain.activations(x, ["_blocks.9"])["_blocks.9"].square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert all(not weight.requires_grad and weight.grad is None for weight in brain.network.parameters())


def test_the_card_is_the_info_on_the_wire(brain):
    info = brain.info
    assert info.name == "lite0"
    assert info.licence == "Apache-2.0"
    assert info.layers == tuple(f"_blocks.{index}" for index in range(16))
    assert set(dict(info.default_layers)) <= set(info.layers)
    assert len(info.id) == 64


def test_an_unknown_layer_lists_those_there_are(brain):
    with pytest.raises(UnknownLayerError) as caught:
        brain.activations(image(), ["inception_4c"])
    assert "inception_4c" in caught.value.message
    assert all(name in caught.value.hint for name in brain.info.layers)


def test_stride_is_that_of_the_coarsest_layer(brain):
    assert brain.stride(["_blocks.0", "_blocks.4"]) == 8
    assert brain.stride(["_blocks.12"]) == 32


def test_preprocessing_orders_scales_and_shifts():
    x = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)
    assert torch.equal(Preprocessing()(x), x)
    caffe = Preprocessing("BGR", 255.0, (104.0, 117.0, 123.0))(x)
    assert caffe.flatten().tolist() == [255 - 104, 127.5 - 117, 0 - 123]
    scaled = Preprocessing("RGB", 1.0, (0.5, 0.5, 0.5), (0.5, 0.25, 0.5))(x)
    assert scaled.flatten().tolist() == [-1, 0, 1]


def test_the_classifier_is_a_layer_that_no_list_shows(brain):
    classifier = brain.card.classifier
    assert classifier.channels == len(brain.card.classes) == 1000
    assert classifier.name not in brain.info.layers
    with torch.no_grad():
        found = brain.activations(image(), [classifier.name, "_blocks.3"])
    assert found[classifier.name].shape == (1, 1000, 2, 2)
    assert set(found) == {classifier.name, "_blocks.3"}


def test_the_layers_of_all_regions_together_are_cut_once(monkeypatch):
    brain, cuts, cut = load_brain("lite0"), [], traced.cut

    def counted(*given):
        cuts.append(given)
        return cut(*given)

    monkeypatch.setattr(traced, "cut", counted)
    names = brain.info.layers
    sets = [names, *([name] for name in names)]
    assert len(sets) == MAX_REGIONS + 1
    with torch.no_grad():
        for layers in (*sets, *sets):
            brain.activations(image(32), layers)
    assert len(cuts) == len(sets)
