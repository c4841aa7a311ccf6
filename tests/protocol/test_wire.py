# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from blender_deepdream.protocol.errors import RequestError
from blender_deepdream.protocol.wire import canonical_hash, check_client, check_hash, content_hash

SHA = content_hash(b"")


def test_hashes() -> None:
    assert canonical_hash({"a": 1, "b": [2.0]}) == canonical_hash({"b": [2.0], "a": 1})
    assert canonical_hash({"a": 1}) != canonical_hash({"a": 2})
    with pytest.raises(ValueError, match="JSON"):
        canonical_hash({"a": float("nan")})
    assert check_hash(SHA) == SHA
    for wrong in (SHA[1:], SHA + "0", SHA + "\n", None, 7):
        with pytest.raises(RequestError):
            check_hash(wrong)


def test_clients() -> None:
    assert check_client("Blender-1") == "Blender-1"
    for wrong in ("", "x" * 65, "a b", "a\n", "\xe4", None):
        with pytest.raises(RequestError):
            check_client(wrong)
