# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's own token and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import InputError, StorageError
from blender_deepdream.server.auth import read_or_make_token

TOKEN = "a-token-of-a-proper-length"


def test_a_token_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "token"
    token = read_or_make_token(path)
    assert len(token) >= 32
    assert read_or_make_token(path) == token
    assert read_or_make_token(tmp_path / "other") != token


def test_an_empty_file_gets_one(tmp_path: Path) -> None:
    (tmp_path / "token").touch(mode=0o644)
    assert read_or_make_token(tmp_path / "token")


def test_a_token_may_end_with_a_newline(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    assert read_or_make_token(tmp_path / "token") == TOKEN


@pytest.mark.parametrize("text", ["short", "two words of some length", "\xe4" * 32, "\n" * 40])
def test_what_is_no_token(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_or_make_token(tmp_path / "token")


def test_a_place_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        read_or_make_token(tmp_path / "file" / "token")
