# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.surface import Sheet, SurfaceRequest, View
from blender_deepdream.server import resolving
from blender_deepdream.server.resolving import Facts, resolve

BLOB = "1" * 64
BRAIN = BrainInfo("lite0", BLOB, "Lite", "Apache-2.0", ("_blocks.8",), (("_blocks.8", 1.0),))


def test_surfaces_have_a_version_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    request = SurfaceRequest((View(BLOB, BLOB, BLOB, (0.0, 0.0, 2.0)),), (Sheet(BLOB, 64),))
    facts = Facts("cpu", "engine", {"lite0": BRAIN})
    now = resolve(request, facts)
    assert resolve(request, facts).id == now.id
    monkeypatch.setattr(resolving, "SURFACE_VERSION", "another")
    assert resolve(request, facts).id != now.id
