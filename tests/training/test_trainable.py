# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses
from collections.abc import Callable

import pytest
import torch

from blender_deepdream.engine import brain_file
from blender_deepdream.engine.brain import BrainCard, Preprocessing
from blender_deepdream.engine.brain_file import Contents
from blender_deepdream.engine.networks import vision
from blender_deepdream.engine.zoo import brain_contents
from blender_deepdream.protocol.errors import BrainFileError, SettingsError, UnknownLayerError
from blender_deepdream.protocol.recipe import Recipe
from blender_deepdream.training.averaging import state_of
from blender_deepdream.training.trainable import Trainable, trainable
from tests.engine.small_brains import DESCRIPTION, small_card, small_tensors

CLASSES = ("a", "b", "c", "d", "e")


def small() -> Contents:
    return Contents(small_card(), small_tensors(), DESCRIPTION)


def of_torchvision(architecture: str) -> Contents:
    about = vision.describe(architecture, 7)
    card = BrainCard(
        name="own",
        id="",
        title="",
        licence="",
        layers=about.layers,
        default_layers=((about.layers[-1].name, 1.0),),
        architecture=f"torchvision/{architecture}",
        preprocessing=Preprocessing("RGB", 1.0, (0.5,) * 3, (0.25,) * 3),
        smallest=about.smallest,
        classifier=about.classifier,
    )
    torch.manual_seed(1)
    return Contents(card, vision.construct(architecture, 7, torch.device("cpu")).state_dict())


BASES: dict[str, Callable[[], Contents]] = {
    "lite0": lambda: brain_contents("lite0"),
    "graph": small,
    "resnet18": lambda: of_torchvision("resnet18"),
    "squeezenet": lambda: of_torchvision("squeezenet1_1"),
    "googlenet": lambda: of_torchvision("googlenet"),
}


def having_seen(made: Trainable, side: int) -> Trainable:
    """A network whose statistics and head are not those that it began with."""
    made.learn()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        made(torch.rand(8, 3, side, side, generator=generator))
        for name, weight in made.named_parameters():
            if made.is_head(name):
                weight.normal_(0, 0.5, generator=generator)
    return made.eval()


@pytest.mark.parametrize("name", BASES)
def test_the_brain_says_what_the_network_has_learned_to_say(name):
    side = 64
    made = having_seen(trainable(BASES[name](), CLASSES, Recipe(side=side)), side)
    tensors = made.tensors(state_of(made))
    brain = brain_file.assembled(Contents(made.card, tensors, made.description))
    classifier = brain.card.classifier
    assert classifier is not None
    images = torch.rand(2, 3, side, side)
    with torch.no_grad():
        logits = made(images)
        for image, expected in zip(images, logits, strict=True):
            found = brain.activations(image[None], [classifier.name])[classifier.name]
            torch.testing.assert_close(
                found.mean((2, 3))[0], expected, rtol=1e-3, atol=1e-3 * float(logits.abs().max())
            )
    assert brain.card.classes == CLASSES


@pytest.mark.parametrize("name", BASES)
def test_what_was_not_learned_yet_is_the_base(name):
    base = BASES[name]()
    made = trainable(base, CLASSES, Recipe(side=64))
    tensors = made.tensors(state_of(made))
    same = [key for key in tensors if key in base.tensors and torch.equal(tensors[key], base.tensors[key])]
    assert len(same) == len(tensors) - 2  # the head's weight and bias
    network = trainable(base, CLASSES, Recipe(side=64, seed=1))
    network.take(tensors)
    assert all(torch.equal(tensor, tensors[key]) for key, tensor in network.tensors(state_of(network)).items())


def learning(trains: str, name: str = "lite0") -> set[str]:
    made = trainable(BASES[name](), CLASSES, Recipe(side=64, trains=trains))
    return {key.removeprefix("network.") for key, weight in made.named_parameters() if weight.requires_grad}


def test_a_layer_learns_with_those_after_it():
    late = learning("_blocks.13")
    assert {"_blocks.13._expand_conv.weight", "_blocks.15._bn2.bias", "_conv_head.weight", "_fc.bias"} <= late
    assert not any(name.startswith(("_conv_stem", "_blocks.12.", "_blocks.1.")) for name in late)
    assert learning("head") == {"_fc.weight", "_fc.bias"} < late < learning("all")
    of_layer = {name for name in learning("all", "resnet18") if name.startswith(("layer4.1.", "fc."))}
    assert learning("layer4.1", "resnet18") == of_layer


def test_a_layer_of_a_graph_begins_after_the_one_before_it():
    assert learning("conv1", "graph") == learning("all", "graph")
    assert learning("relu1", "graph") == {"graph.operations.2.weight", "graph.operations.2.bias"}


def test_statistics_of_what_does_not_learn_stay():
    made = trainable(brain_contents("lite0"), CLASSES, Recipe(side=64, trains="_blocks.13"))
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    made.learn()
    made(torch.rand(4, 3, 64, 64))
    changed = {name for name, tensor in made.state_dict().items() if not torch.equal(tensor, before[name])}
    assert "network._blocks.13._bn0.running_mean" in changed
    assert not any(name.startswith("network._blocks.12.") for name in changed)


@pytest.mark.parametrize(("recipe", "frozen"), [
    ({"batch": 32}, False),
    ({"batch": 32, "accumulate": 4}, True),
    ({"batch": 8}, True),
    ({"batch": 8, "frozen_norm": "no"}, False),
    ({"batch": 32, "frozen_norm": "yes"}, True),
    ({"batch": 8, "scratch": True}, False),
])  # fmt: skip
def test_small_batches_leave_the_statistics_alone(recipe, frozen):
    made = trainable(brain_contents("lite0"), CLASSES, Recipe(side=64).replace(**recipe))
    made.learn()
    assert made.network.get_submodule("_bn0").training is not frozen


def test_from_scratch_is_from_the_seed_alone():
    one, same, other = (
        trainable(brain_contents("lite0"), CLASSES, Recipe(side=64, scratch=True, seed=seed)) for seed in (1, 1, 2)
    )
    weight = "network._blocks.3._project_conv.weight"
    assert torch.equal(one.state_dict()[weight], same.state_dict()[weight])
    assert not torch.equal(one.state_dict()[weight], other.state_dict()[weight])
    assert not torch.equal(one.state_dict()[weight], brain_contents("lite0").tensors[weight.removeprefix("network.")])
    with torch.no_grad():
        assert 0.001 < float(one.train()(torch.rand(8, 3, 64, 64)).std()) < 1


def test_bases_and_recipes_that_do_not_go_together():
    blind = small()._replace(card=dataclasses.replace(small_card(), classifier=None, classes=()))
    with pytest.raises(BrainFileError, match="no logits"):
        trainable(blind, CLASSES, Recipe())
    with pytest.raises(SettingsError, match="too small"):
        trainable(small()._replace(card=small_card(smallest=100)), CLASSES, Recipe(side=64))
    with pytest.raises(UnknownLayerError, match=r"_blocks\.99"):
        trainable(brain_contents("lite0"), CLASSES, Recipe(trains="_blocks.99"))
    with pytest.raises(SettingsError, match="scratch"):
        trainable(brain_contents("lite0"), CLASSES, Recipe(trains="head", scratch=True))
    with pytest.raises(SettingsError, match="single pictures"):
        trainable(brain_contents("lite0"), CLASSES, Recipe(batch=8, accumulate=8, frozen_norm="no"))
    with pytest.raises(SettingsError, match="4 processes"):
        trainable(brain_contents("lite0"), CLASSES, Recipe(batch=3), workers=4)
