# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob of a training, ONCE: how a brain is made from an artist's own pictures.

The recipe is that of J. T. Nimoy, "Deepdream: Avoiding Kitsch", 2015 (fine-tune a network that sees already, with
photometric distortions, under a falling rate), and against perturbations, so that what the brain dreams can be
recognised: Engstrom et al., "Adversarial Robustness as a Prior for Learned Representations", 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import SettingsError
from .knob import Knobs, choice, flag, number, text
from .settings import MAX_SEED

ALL_LAYERS = "all"
HEAD_ONLY = "head"
"""What `Recipe.trains` can be beside a layer's name."""

RANDOM_BACKGROUND = "random"


@dataclass(frozen=True, slots=True)
class Recipe(Knobs):
    """How a brain is trained. Fields are checked where a value comes in: `from_json`, `from_text`, `replace`."""

    base: str = text("lite0", "Base Brain", "Brain that learns the pictures: what it sees already, it need not learn")
    scratch: bool = flag(False, "From Scratch", "Begin with random weights instead of the base brain's own")
    side: int = number(
        128,
        "Image Side",
        "Side of the square images that the brain learns from; more shows finer things and takes longer",
        (32, 1024),
        (64, 512),
        "px",
    )
    epochs: int = number(16, "Epochs", "How often the brain sees each picture", (1, 10_000), (1, 60))
    clarity: float = number(
        2.0,
        "Clarity",
        "How clearly dreams show things, not texture: the brain learns against perturbations of its pictures. 0: off, "
        "in half the time",
        (0, 10),
        (0, 3),
    )
    attack_steps: int = number(
        2, "Attack Steps", "For clarity: steps in which each perturbation is sought", (1, 20), (1, 5)
    )
    photometric: bool = flag(
        True, "Photometric", "Change contrast, brightness, colour and light of each picture each time it is shown"
    )
    crop: str = choice(
        ("usual", "article"),
        "Crop",
        "Parts of a picture that are shown. usual: most of it, nearly in its proportions; article: a quarter to three "
        "quarters of each side, stretched, as in the article",
    )
    background: str = text(
        RANDOM_BACKGROUND,
        "Background",
        "What lies behind transparent pictures: random, another one each time, or a colour such as #808080",
    )
    trains: str = text(
        ALL_LAYERS,
        "Trains",
        "Which layers learn: all; a layer's name, for this one and those after it; or head, what tells classes apart",
    )
    learning_rate: float = number(
        0.02, "Learning Rate", "Size of the steps in which the new head learns", (1e-6, 10), (0.001, 0.2)
    )
    lower_rate: float = number(
        0.5, "Lower Rate", "Share of the learning rate with which the base brain's own layers learn", (0, 1)
    )
    schedule: str = choice(
        ("poly", "cosine", "step"),
        "Schedule",
        "How the learning rate falls. poly: with the square root of what is left; cosine: along half a wave; step: to "
        "a tenth, after each third",
    )
    batch: int = number(32, "Batch", "Pictures that the brain learns from at once", (1, 4096), (8, 256), "pictures")
    accumulate: int = number(
        1, "Accumulate", "Parts in which a batch is worked on: more take less memory", (1, 256), (1, 16), "parts"
    )
    momentum: float = number(0.9, "Momentum", "How much a step goes on in the direction of those before", (0, 0.999))
    weight_decay: float = number(1e-4, "Weight Decay", "How strongly weights are kept small", (0, 1), (0, 0.01))
    label_smoothing: float = number(
        0.1, "Label Smoothing", "How little sure of itself the brain shall become", (0, 0.9), (0, 0.3)
    )
    average: float = number(
        0.99,
        "Average",
        "How much of the weights' moving average each step keeps, which becomes the brain; 0: the last weights do",
        (0, 0.99999),
    )
    balance: bool = flag(True, "Balance", "Show each class equally often, however many pictures it has")
    frozen_norm: str = choice(
        ("auto", "yes", "no"),
        "Frozen Norm",
        "Whether the base brain's statistics of its activations stay as they are; auto: for small batches",
    )
    validation: float = number(
        0.15, "Validation", "Share of the pictures that it does not learn from, but is tested with", (0.01, 0.5)
    )
    patience: int = number(
        0,
        "Patience",
        "Epochs without a better result after which the training ends early; 0: it never does",
        (0, 10_000),
        (0, 50),
        "epochs",
    )
    clusters: int = number(
        0,
        "Clusters",
        "Classes that pictures without sub-folders are sorted into, by what the base brain sees; 0: it finds a number",
        (0, 100),
        (0, 30),
        "classes",
    )
    precision: str = choice(
        ("auto", "float32", "bfloat16", "float16"),
        "Precision",
        "In which the network calculates while it learns; auto: half precision where it is faster",
    )
    seed: int = number(0, "Seed", "Start of the random numbers: the same seed makes the same brain", (0, MAX_SEED))


def background_color(recipe: Recipe) -> tuple[int, int, int] | None:
    """What lies behind transparent pictures: RGB, 0 to 255, sRGB; None for another one each time.

    Raises SettingsError for what is no colour.
    """
    if recipe.background == RANDOM_BACKGROUND:
        return None
    digits = recipe.background.removeprefix("#")
    if len(digits) != 6 or not digits.isascii() or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise SettingsError(
            f"background = {recipe.background!r:.40} is no colour.", "Write random, or red, green and blue as #808080."
        )
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
