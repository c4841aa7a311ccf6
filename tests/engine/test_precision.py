# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine.brain import Brain, BrainCard, Preprocessing
from blender_deepdream.engine.dream import dream, fingerprint
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.networks.vision import build, describe
from blender_deepdream.engine.precision import automatic, halves_of, in_precision
from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.settings import DreamSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def squeezenet() -> Brain:
    """One with random weights."""
    said = describe("squeezenet1_1")
    card = BrainCard(
        name="random",
        id="0" * 64,
        title="",
        licence="",
        layers=said.layers,
        default_layers=(("features.7", 1.0),),
        architecture="torchvision/squeezenet1_1",
        preprocessing=Preprocessing("RGB", 1.0, (0.5,) * 3, (0.25,) * 3),
        smallest=said.smallest,
    )
    return Brain(card, build("squeezenet1_1", None), CPU)


def values(brain: Brain, scene: Image, precision: str) -> list[float]:
    settings = DreamSettings().replace(octaves=2, steps=3, precision=precision)
    return [progress.value for progress in dream(scene, brain, settings)]


@pytest.mark.skipif("bfloat16" not in halves_of(CPU), reason="no bfloat16 on this CPU")
def test_half_precision_reaches_the_same_objective(squeezenet, scene):
    exact, half = (values(squeezenet, scene, precision)[-1] for precision in ("float32", "bfloat16"))
    assert half != exact
    assert half == pytest.approx(exact, rel=0.02)


def test_auto_is_what_it_says(squeezenet, scene):
    assert values(squeezenet, scene, "auto") == values(squeezenet, scene, automatic(CPU))
    assert fingerprint("cpu").endswith(f"precision {automatic(CPU)}")


def test_the_brain_itself_stays_as_it_is(squeezenet):
    assert in_precision(squeezenet, "auto").network is squeezenet.network
    assert squeezenet.precision == torch.float32


def test_a_precision_that_does_not_work_is_said(squeezenet, scene):
    with pytest.raises(SettingsError, match="float16 does not work") as caught:
        values(squeezenet, scene, "float16")
    assert "float32" in caught.value.hint
