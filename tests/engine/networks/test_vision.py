# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision import models

from blender_deepdream.engine.brain import Brain, BrainCard, Preprocessing
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.networks.vision import CLASSIFIER, architectures, build, describe
from blender_deepdream.engine.precision import halves_of
from blender_deepdream.protocol.errors import BrainFileError
from blender_deepdream.protocol.settings import DreamSettings

LISTED = {
    "googlenet": ("inception4c", 512, 16, 15),
    "inception_v3": ("Mixed_6b", 768, 16, 75),
    "vgg16": ("features.22", 512, 8, 32),
    "vgg19": ("features.24", 512, 8, 32),
    "resnet50": ("layer3.2", 1024, 16, 1),
    "squeezenet1_1": ("features.9", 384, 16, 17),
    "alexnet": ("features.7", 384, 16, 63),
    "densenet121": ("features.denseblock3", 1024, 16, 29),
    "mobilenet_v3_large": ("features.9", 80, 16, 1),
    "convnext_tiny": ("features.5.3", 384, 16, 32),
    "efficientnet_b0": ("features.5.1", 112, 16, 1),
}
"""Architecture: one of its layers, that layer's channels and stride, and the side of the smallest image."""


def brain_of(architecture: str) -> Brain:
    """One with random weights."""
    said = describe(architecture)
    card = BrainCard(
        name=architecture,
        id="0" * 64,
        title=architecture,
        licence="none",
        layers=said.layers,
        default_layers=((said.layers[-1].name, 1.0),),
        architecture=f"torchvision/{architecture}",
        preprocessing=Preprocessing("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        smallest=said.smallest,
        classifier=said.classifier,
    )
    return Brain(card, build(architecture, None), torch.device("cpu"))


def photograph(height: int, width: int) -> Image:
    generator = np.random.default_rng(0)
    coarse = torch.from_numpy(generator.random((1, 3, 9, 9), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return Image(smooth[0].permute(1, 2, 0).contiguous().numpy())


@pytest.mark.parametrize("architecture", LISTED)
def test_it_lists_its_layers_and_dreams_each_at_any_size(architecture):
    said = describe(architecture)
    name, channels, stride, smallest = LISTED[architecture]
    known = {layer.name: layer for layer in said.layers}
    assert (known[name].channels, known[name].stride, said.smallest) == (channels, stride, smallest)
    strides = [layer.stride for layer in said.layers]
    assert strides == sorted(strides)
    assert len(said.layers) >= 5
    brain = brain_of(architecture)
    for size in ((64, 64), (301, 205)):
        image = photograph(*size)
        for layer in (said.layers[1], known[name], said.layers[-1]):
            one_step = DreamSettings().replace(layers=((layer.name, 1.0),), octaves=1, steps=1, step_size=0.02)
            dreamt = dream_to_end(image, brain, one_step)
            assert dreamt.pixels.shape == image.pixels.shape
            assert np.abs(dreamt.pixels - image.pixels).mean() > 0.005


@pytest.mark.parametrize("architecture", ["googlenet", "resnet50", "densenet121", "swin_t", "mnasnet0_5"])
def test_it_finds_what_torchvision_finds(architecture):
    torch.manual_seed(0)
    plain = models.get_model(architecture, init_weights=False) if architecture == "googlenet" else None
    plain = (plain or models.get_model(architecture)).eval()
    state = plain.state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in state.items():
        if name.endswith(("running_mean", "running_var")):
            tensor.uniform_(0.5, 2, generator=generator)
    x = torch.rand(1, 3, 96, 64, generator=generator)
    with torch.no_grad():
        expected = plain(x)
        found = build(architecture, {name: tensor.clone() for name, tensor in state.items()})(x, [CLASSIFIER])
    assert found[CLASSIFIER].shape == (1, 1000, 1, 1)
    torch.testing.assert_close(found[CLASSIFIER][..., 0, 0], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("architecture", ["googlenet", "squeezenet1_1", "densenet121", "mobilenet_v3_large", "swin_t"])
def test_layers_are_what_they_say_and_stay_what_they_are(architecture):
    """Found together with all others they are what they are alone: nothing after them has changed them in place."""
    said = describe(architecture)
    network = build(architecture, None)
    x = torch.rand(1, 3, 128, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network(x, [layer.name for layer in said.layers])
        for layer in said.layers:
            alone = network(x, [layer.name])[layer.name]
            torch.testing.assert_close(found[layer.name], alone)
            assert alone.shape[1] == layer.channels
            # without padding the borders see less
            assert alone.shape[2:] == pytest.approx((128 / layer.stride, 160 / layer.stride), abs=1.5)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch says nothing of its types
    """The names of torch's operations that run inside the block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


def test_only_what_the_layers_need_is_run():
    network, x = build("alexnet", None), torch.zeros(1, 3, 64, 64)
    counts = []
    for layers in (["features.1"], ["features.4"], ["features.1", "features.4"], [CLASSIFIER]):
        with _Operations() as ran:
            network(x, layers)
        counts.append([sum(part in name for name in ran.names) for part in ("convolution", "max_pool", "addmm")])
    assert counts == [[1, 0, 0], [2, 1, 0], [2, 1, 0], [5, 3, 3]]


def test_the_same_seed_makes_the_same_weights():
    first, second, other = (build("squeezenet1_1", None, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_heads_for_training_are_passed_over_and_classes_counted():
    plain = models.googlenet(init_weights=False, num_classes=7)
    network = build("googlenet", plain.state_dict(), classes=7)
    assert network(torch.rand(1, 3, 64, 64), [CLASSIFIER])[CLASSIFIER].shape == (1, 7, 1, 1)
    assert describe("googlenet", 7).classifier.channels == 7


def test_weights_that_are_not_its_own_are_said():
    state = models.squeezenet1_1().state_dict()
    with pytest.raises(BrainFileError, match="it has no more"):
        build("squeezenet1_1", state | {"more": torch.zeros(1)})
    with pytest.raises(BrainFileError, match=r"features.0.bias is \(3,\), not \(64,\)"):
        build("squeezenet1_1", state | {"features.0.bias": torch.zeros(3)})
    del state["features.0.weight"]
    with pytest.raises(BrainFileError, match=r"features.0.weight is missing"):
        build("squeezenet1_1", state)


def test_an_unknown_architecture_offers_near_names():
    with pytest.raises(BrainFileError) as caught:
        describe("googlnet")
    assert "googlenet" in caught.value.hint


def test_a_network_for_one_size_only_is_said():
    with pytest.raises(BrainFileError, match="one size only"):
        describe("vit_b_16")


def test_every_architecture_has_a_name():
    assert set(LISTED) <= set(architectures())


@pytest.mark.skipif("bfloat16" not in halves_of(torch.device("cpu")), reason="no bfloat16 on this CPU")
@pytest.mark.parametrize("architecture", ["googlenet", "resnet50", "mobilenet_v3_large"])
def test_half_precision_sees_nearly_the_same(architecture):
    network, layer = build(architecture, None), LISTED[architecture][0]
    x = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    exact, half = (network(x.to(kind), [layer])[layer] for kind in (torch.float32, torch.bfloat16))
    assert half.dtype == torch.bfloat16
    assert half.float().square().mean().item() == pytest.approx(exact.square().mean().item(), rel=0.02)
