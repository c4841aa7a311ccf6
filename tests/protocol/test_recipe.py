# SPDX-License-Identifier: GPL-3.0-or-later
"""How a brain is trained, as it travels."""

from __future__ import annotations

import json

import pytest

from blender_deepdream.protocol.errors import SettingsError
from blender_deepdream.protocol.recipe import Recipe, background_color


def test_as_json_and_back() -> None:
    recipe = Recipe().replace(base="squeezenet", clarity=0, photometric=False, schedule="step", epochs=3)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert Recipe.from_json({}) == Recipe()
    with pytest.raises(SettingsError, match="no setting 'steps'"):
        Recipe.from_json({"steps": 3})


def test_backgrounds() -> None:
    assert background_color(Recipe()) is None
    assert background_color(Recipe().replace(background="#0a80fF")) == (10, 128, 255)
    for wrong in ("grey", "#fff", "#12345g", "#\uff11\uff12\uff13\uff14\uff15\uff16", "#+12345"):
        with pytest.raises(SettingsError, match="no colour"):
            background_color(Recipe().replace(background=wrong))
