# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools

import pytest

from blender_deepdream.engine.networks.imagenet import imagenet_classes
from blender_deepdream.engine.networks.imagenet_families import OTHER, families


def test_each_class_is_in_one_family():
    places = list(itertools.chain.from_iterable(families().values()))
    assert sorted(places) == list(range(1000))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("pug", "dogs"),
        ("dingo", "wolves and foxes"),
        ("hyena", "other mammals"),
        ("Siamese cat", "cats"),
        ("peacock", "birds"),
        ("axolotl", "reptiles and frogs"),
        ("tarantula", "insects and spiders"),
        ("killer whale", "sea creatures"),
        ("pizza", "food"),
        ("daisy", "plants and fruit"),
        ("hay", "plants and fruit"),
        ("castle", "buildings"),
        ("moped", "vehicles"),
        ("volcano", "landscapes"),
        ("quilt", "fabrics"),
        ("teapot", OTHER),
        ("bubble", OTHER),
    ],
)
def test_classes_are_where_people_look_for_them(name, family):
    assert imagenet_classes().index(name) in families()[family]
