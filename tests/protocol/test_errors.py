# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception tree and its wire codes."""

from __future__ import annotations

import pickle

import pytest

from blender_deepdream.protocol import errors
from blender_deepdream.protocol.errors import BY_CODE, DeepDreamError, did_you_mean, from_wire

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DeepDreamError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_cross_the_wire(kind: type[DeepDreamError]) -> None:
    assert BY_CODE[kind.code] is kind, "no two have the same code"
    for back in (from_wire(kind("what", "do").to_wire()), pickle.loads(pickle.dumps(kind("what", "do")))):
        assert type(back) is kind
        assert (back.message, back.hint) == ("what", "do")
        assert str(back) == "what do"
    assert kind.__name__ in (errors.__doc__ or "")


def test_errors_of_a_newer_server() -> None:
    assert type(from_wire({"code": "unheard_of", "message": "m"})) is DeepDreamError
    assert from_wire({}).message


def test_who_meant_another_name_is_asked() -> None:
    assert did_you_mean("lite9", ["squeezenet", "lite0", "lite1"]) == "Did you mean lite1 or lite0? "
    assert did_you_mean("vgg", ["lite0"]) == ""
