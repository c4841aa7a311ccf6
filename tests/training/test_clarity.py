# SPDX-License-Identifier: GPL-3.0-or-later
import torch
from torch import Tensor
from torch.nn import functional

from blender_deepdream.training.clarity import perturbed, radius_of, random_start

GENERATOR = torch.Generator().manual_seed(1)
WEIGHT = torch.randn(4, 3, 16, 16, generator=GENERATOR)
IMAGES = torch.rand(6, 3, 16, 16, generator=GENERATOR) * 0.4 + 0.3
LABELS = torch.arange(6) % 4


def logits(images: Tensor) -> Tensor:
    return functional.conv2d(images, WEIGHT).flatten(1)


def loss(images: Tensor) -> float:
    return float(functional.cross_entropy(logits(images), LABELS))


def start(radius: float) -> Tensor:
    return random_start(IMAGES.shape, radius, torch.Generator().manual_seed(2))


def test_perturbations_stay_in_their_ball_and_make_it_harder():
    found = [perturbed(logits, IMAGES, LABELS, radius, 2, start(radius)) for radius in (0.2, 0.5)]
    lengths = [(one - IMAGES).flatten(1).norm(dim=1) for one in found]
    assert (lengths[0] <= 0.2001).all()
    assert (lengths[1] <= 0.5001).all()
    assert (lengths[1] > 0.4).all()
    assert loss(IMAGES + start(0.5)) + 0.1 < loss(found[0]) < loss(found[1])


def test_more_steps_are_worse_to_bear():
    assert loss(perturbed(logits, IMAGES, LABELS, 0.5, 5, start(0.5))) >= loss(
        perturbed(logits, IMAGES, LABELS, 0.5, 1, start(0.5))
    )


def test_perturbed_images_are_images():
    bright = IMAGES.round()
    found = perturbed(logits, bright, LABELS, 3.0, 2, start(3.0))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    assert not found.requires_grad


def test_starts_are_within_the_ball_and_of_the_seed():
    lengths = start(0.5).flatten(1).norm(dim=1)
    assert (lengths <= 0.5001).all()
    assert len(set(lengths.tolist())) == 6
    assert torch.equal(start(0.5), start(0.5))


def test_the_radius_grows_with_the_side():
    assert radius_of(2, 128) == 2
    assert radius_of(2, 256) == 4
