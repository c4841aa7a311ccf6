# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import pytest

from blender_deepdream.engine.classes import find_classes
from blender_deepdream.engine.dream import dream, dream_to_end
from blender_deepdream.engine.lite0 import LITE0_CARD
from blender_deepdream.protocol.errors import UnknownLayerError


def test_classes_are_found_by_name_and_by_number():
    assert find_classes(LITE0_CARD, ["peacock", "Tench", "84", "7"]) == ("_fc", (84, 0, 7))


@pytest.mark.parametrize(
    ("name", "said"),
    [("peacok", "peacock"), ("terrier", "toy terrier"), ("1000", "0 to 999"), ("-1", "999")],
)
def test_a_class_that_is_none_is_said_with_its_neighbours(name, said):
    with pytest.raises(UnknownLayerError, match=said):
        find_classes(LITE0_CARD, [name])


def test_a_brain_without_logits_has_no_classes():
    with pytest.raises(UnknownLayerError, match="no classifier"):
        find_classes(replace(LITE0_CARD, classifier=None, classes=()), ["peacock"])


def test_a_class_grows_whatever_the_objective_is(scene, brain, quick):
    settings = quick.replace(octaves=1, steps=6, layers=[["class:peacock", 1]])
    values = [progress.value for progress in dream(scene, brain, settings)]
    assert values[-1] > values[0] + 1
    mean = dream_to_end(scene, brain, settings.replace(objective="mean")).pixels
    assert mean.tobytes() == dream_to_end(scene, brain, settings).pixels.tobytes()
    by_number = dream_to_end(scene, brain, settings.replace(layers=[["class:84", 1]])).pixels
    assert mean.tobytes() == by_number.tobytes()
