# SPDX-License-Identifier: GPL-3.0-or-later
"""What parts of an image, or of surfaces, dream of their own, as it crosses the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .errors import RequestError, SettingsError
from .layers import LayerWeights, read_choice
from .settings import KNOBS, DreamSettings, check_direction, check_guide
from .wire import check_hash

MAX_REGIONS = 16
WISHES = ("layers", "objective", "guide")

Part = TypeVar("Part")


class Wish(Protocol):
    """layers: empty for the whole's. objective: None for the whole's. guide: blob, if the objective needs another one
    than the whole's."""

    @property
    def layers(self) -> LayerWeights: ...
    @property
    def objective(self) -> str | None: ...
    @property
    def guide(self) -> str | None: ...


def settings_of(wish: Wish, whole: DreamSettings) -> DreamSettings:
    """What is dreamed in a part, in a whole of these settings. Raises SettingsError."""
    return whole.replace(layers=wish.layers or whole.layers, objective=wish.objective or whole.objective)


def wish_to_json(wish: Wish) -> dict[str, Any]:
    return {"layers": [list(layer) for layer in wish.layers], "objective": wish.objective, "guide": wish.guide}


def read_wish(data: Mapping[str, Any]) -> tuple[LayerWeights, str | None, str | None]:
    """Layers, objective and guide. Raises RequestError, SettingsError."""
    objective, guide = data.get("objective"), data.get("guide")
    return (
        KNOBS["layers"].check(data.get("layers", [])),
        None if objective is None else KNOBS["objective"].check(objective),
        None if guide is None else check_hash(guide),
    )


def read_regions(data: object, read: Callable[[object], Part]) -> tuple[Part, ...]:
    """A request's regions. read: one of them. Raises RequestError, SettingsError."""
    if not isinstance(data, list) or len(data) > MAX_REGIONS:
        raise RequestError(f"regions must be a list of at most {MAX_REGIONS} regions.")
    return tuple(map(read, data))


def brains_named(settings: DreamSettings, wishes: Sequence[Wish]) -> tuple[str, ...]:
    """The brains that the layers of a whole and its parts are of, by name, the settings' own first."""
    own = settings.brain
    layers = (*settings.layers, *(layer for wish in wishes for layer in wish.layers))
    return tuple(dict.fromkeys([own, *(read_choice(name).brain or own for name, _ in layers)]))


def check_wishes(settings: DreamSettings, guide: bool, wishes: Sequence[Wish]) -> None:
    """Raises SettingsError where the whole or a part lacks a guide, or directions, or has a guide of no use."""
    parts = [(settings_of(wish, settings), wish.guide is not None) for wish in wishes]
    # a guide of the whole may be there for a part's sake
    lent = guide and any(part.needs_guide and not own for part, own in parts)
    check_guide(settings, guide and (settings.needs_guide or not lent))
    for part, own in parts:
        check_guide(part, own or (guide and part.needs_guide))
    for part, own in ((settings, guide and not lent), *parts):
        check_direction(part)
        if own and part.needs_guide and part.classes_only:
            raise SettingsError("Classes make no use of a guide.", "Name a layer beside them, or leave the guide out.")
