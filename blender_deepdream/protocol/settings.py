# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob of a dream, ONCE.

`DreamSettings` is the value that travels: immutable, checked, the same in Blender, on the wire and in the engine.
Each field is a `knob.Knob`: default, hard and soft range, unit, label and help. Blender's properties, the command
line's flags, the server's validation and the docs are made from these, so a new setting is one new field here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import SettingsError
from .knob import Knob, Knobs, choice, layer_weights, number, text
from .layers import CLASSES, MAX_OCTAVES, LayerWeights, read_choice

MAX_SEED = 2**31 - 1

MOTION = ("zoom", "rotate", "shift_x", "shift_y")
"""The knobs that move a source before it dreams."""
NOT_ON_SURFACES: Mapping[str, str] = {
    **dict.fromkeys(MOTION, "its texture does not move before it dreams"),
    "seamless": "the edges of a texture's islands meet on the surface by themselves",
    "coherence": "a texture holds from frame to frame by itself",
}
"""Knobs that surfaces refuse, and why."""
DEEPEST_RELIEF = 4
"""How many times as deep as usual a relief of surfaces may be."""


@dataclass(frozen=True, slots=True)
class DreamSettings(Knobs):
    """The settings of one dream. Fields are checked where a value comes in: `from_json`, `from_text`, `replace`."""

    brain: str = text("lite0", "Brain", "Network that dreams")
    layers: LayerWeights = layer_weights(
        "Layers",
        "Layers whose activity grows, with weights: _blocks.4=2, _blocks.9; channels of them: _blocks.9:12+57; classes "
        "the brain knows: class:peacock; in some octaves, from 1, the smallest: _blocks.4@3-; of another brain: "
        "squeezenet::fire9. Early layers draw lines and cells, late ones things. Empty: the brain's own choice",
    )
    objective: str = choice(
        ("l2", "mean", "guide-dot", "guide-cosine", "direction"),
        "Objective",
        "What grows in the layers. l2: whatever they see; mean: their activation, best for single channels; "
        "guide-dot, guide-cosine: what is most like something in the guide image, the loudest or the closest; "
        "direction: a mixture of channels, with factors as in _blocks.9:12+57*-0.5",
    )
    cosine_power: float = number(
        1.0,
        "Cosine Power",
        "For guide-cosine and direction: how much more the likeness counts than the loudness; 0 is dot product alone",
        (0, 8),
        (0, 4),
    )
    strength: float = number(
        1.0, "Strength", "How much of the dream goes into the image: 0 none, 1 all, above 1 exaggerated", (0, 4), (0, 1)
    )
    octaves: int = number(
        4,
        "Octaves",
        "Sizes of the image that dream, from small to full; more give larger shapes",
        (1, MAX_OCTAVES),
        (1, 8),
    )
    octave_scale: float = number(
        1.4, "Octave Scale", "How much larger each octave is than the one before", (1.05, 4), (1.2, 2)
    )
    steps: int = number(10, "Steps", "Gradient ascent steps in each octave", (1, 1000), (1, 50))
    step_size: float = number(
        0.009, "Step Size", "Mean change of a colour in one step, on a scale of 0 to 1", (0.0001, 1), (0.002, 0.05)
    )
    jitter: int = number(
        24,
        "Jitter",
        "Largest random shift before each step, against a visible grid",
        (0, 512),
        (0, 64),
        "px",
    )
    smoothing: int = number(
        3, "Smoothing", "Scales over which the gradient is evened out; 1 sparkles, 3 is calm", (1, 6), (1, 5), "scales"
    )
    total_variation: float = number(
        0.0, "Total Variation", "How strongly each step calms the noise in the dream, not its edges", (0, 10), (0, 2)
    )
    pull: float = number(
        0.0, "Pull", "How much of the way back to the source each step goes: 0 none, 1 all", (0, 1), (0, 0.3)
    )
    color: str = choice(
        ("free", "lightness", "source", "decorrelated"),
        "Color",
        "free: any color; lightness: only lighter and darker; source: as much of each color as the source has; "
        "decorrelated: colors as they go together in photographs, mostly light and dark, warm and cool",
    )
    seamless: str = choice(
        ("no", "x", "y", "both"),
        "Seamless",
        "Sides across which the dream goes on at the other side, for textures that repeat and panoramas (x)",
    )
    zoom: float = number(
        1.0,
        "Zoom",
        "How much larger the source becomes before it dreams; frame after frame, an endless zoom",
        (0.5, 2),
        (0.9, 1.1),
        "times",
    )
    rotate: float = number(
        0.0, "Rotate", "Turn of the source before it dreams, counterclockwise", (-360, 360), (-10, 10), "degrees"
    )
    shift_x: float = number(
        0.0, "Shift X", "Way of the source to the right before it dreams, in image widths", (-1, 1), (-0.1, 0.1)
    )
    shift_y: float = number(
        0.0, "Shift Y", "Way of the source upwards before it dreams, in image heights", (-1, 1), (-0.1, 0.1)
    )
    coherence: float = number(
        0.95,
        "Coherence",
        "How much an animation's dream stays on the surfaces as they move: 0 each frame on its own, 1 sticking",
        (0, 1),
    )
    highlights: str = choice(
        ("clip", "roll-off"),
        "Highlights",
        "Scene-linear light above white. clip: the brain sees white, and files for the eye are white there; "
        "roll-off: it is compressed by a smooth shoulder, so that it dreams too",
    )
    exposure: float = number(
        0.0, "Exposure", "Brightening of a scene-linear image before the brain sees it", (-16, 16), (-4, 4), "stops"
    )
    seed: int = number(0, "Seed", "Start of the random numbers: the same seed gives the same dream", (0, MAX_SEED))
    tile: int = number(
        0,
        "Tile",
        "Side of the parts in which a large image is looked at: less takes less memory and more time; 0: automatic",
        (0, 65536),
        (0, 2048),
        "px",
    )
    precision: str = choice(
        ("auto", "float32", "bfloat16", "float16"),
        "Precision",
        "In which the network calculates: half precision takes half the time where the hardware knows it; "
        "auto: the fastest that sees the same",
    )

    @property
    def needs_guide(self) -> bool:
        return self.objective.startswith("guide-")

    @property
    def classes_only(self) -> bool:
        """Whether nothing but classes of a classifier dreams."""
        return bool(self.layers) and all(read_choice(name).layer == CLASSES for name, _ in self.layers)

    @property
    def moves(self) -> bool:
        """Whether the source is moved before it dreams."""
        return any(getattr(self, name) != KNOBS[name].default for name in MOTION)

    def in_zoom(self, frame: int, *, first: bool) -> DreamSettings:
        """A frame's settings in an endless zoom: it has random numbers of its own, and the first lies still.

        frame: its number, from 1.
        """
        still = {name: KNOBS[name].default for name in MOTION} if first else {}
        return self.replace(seed=(self.seed + frame - 1) % (MAX_SEED + 1), **still)


KNOBS: Mapping[str, Knob] = DreamSettings.knobs()


def check_guide(settings: DreamSettings, given: bool) -> None:
    """Raises SettingsError for an objective without the guide that it needs, or a guide without such an objective."""
    if settings.needs_guide and not given:
        raise SettingsError(
            f"objective = {settings.objective} needs a guide image.", "Give one, or choose objective l2 or mean."
        )
    if given and not settings.needs_guide:
        raise SettingsError(
            f"objective = {settings.objective} makes no use of a guide.", "Choose guide-dot or guide-cosine."
        )


def check_direction(settings: DreamSettings) -> None:
    """Raises SettingsError for a direction without channels, or channels with factors without a direction."""
    choices = [read_choice(name) for name, _ in settings.layers]
    is_direction = settings.objective == "direction"
    if is_direction and not (choices and all(choice.channels or choice.classes for choice in choices)):
        raise SettingsError(
            "objective = direction needs channels in each layer.", "Name them with factors: _blocks.9:12+57*-0.5."
        )
    for chosen in choices:
        if chosen.has_factors and not is_direction:
            raise SettingsError(
                f"objective = {settings.objective} takes no factors, as {str(chosen)!r} has.",
                "Choose objective direction, or leave the factors out.",
            )
