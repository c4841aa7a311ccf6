# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blender_deepdream.protocol.errors import ForbiddenError, InputError, UnauthorizedError
from blender_deepdream.server.cli import main
from blender_deepdream.server.tokens import OWN, Holder, Keyring, Role, add_token, check_role, read_tokens, remove_token

TOKEN = "a-token-of-a-proper-length"


def test_the_owners_token_opens_everything() -> None:
    keyring = Keyring(TOKEN)
    assert keyring.holder(f"Bearer {TOKEN}") == keyring.holder(f"bearer  {TOKEN}") == Holder(OWN, Role.ADMIN)


@pytest.mark.parametrize("header", [None, "", "Bearer", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe4"])
def test_wrong_headers(header: str | None) -> None:
    with pytest.raises(UnauthorizedError):
        Keyring(TOKEN).holder(header)


def test_tokens_by_role(tmp_path: Path) -> None:
    file = tmp_path / "made" / "tokens"
    made = {role: add_token(file, f"a-{role}", role) for role in Role}
    keyring = Keyring(TOKEN, file)
    for role, token in made.items():
        assert keyring.holder(f"Bearer {token}") == Holder(f"a-{role}", role)
        assert token not in file.read_text(), "only its hash is kept"
    assert keyring.holder(f"Bearer {TOKEN}").role is Role.ADMIN


def test_a_role_covers_those_below_it() -> None:
    for holds, needs in ((Role.TRAIN, Role.DREAM), (Role.ADMIN, Role.TRAIN), (Role.DREAM, Role.DREAM)):
        check_role(Holder("x", holds), needs)
    for holds, needs in ((Role.DREAM, Role.TRAIN), (Role.TRAIN, Role.ADMIN)):
        with pytest.raises(ForbiddenError, match=str(needs)):
            check_role(Holder("x", holds), needs)


def test_a_change_of_the_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    keyring = Keyring(TOKEN, file)
    token = add_token(file, "late", Role.DREAM)
    assert keyring.holder(f"Bearer {token}").name == "late"
    remove_token(file, "late")
    with pytest.raises(UnauthorizedError):
        keyring.holder(f"Bearer {token}")


def test_a_file_that_breaks_later_leaves_things_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    token = add_token(file, "first", Role.DREAM)
    keyring = Keyring(TOKEN, file)
    file.write_text("nonsense")
    os.utime(file, ns=(1, 1))
    assert keyring.holder(f"Bearer {token}").name == "first"


@pytest.mark.parametrize("line", ["x", "a dream", f"a king {'0' * 64}", f"a dream {'0' * 63}", f"a/b dream {'0' * 64}"])
def test_what_is_no_list_of_tokens(tmp_path: Path, line: str) -> None:
    (tmp_path / "tokens").write_text(f"# mine\n\n{line}\n")
    with pytest.raises(InputError, match="Line 3"):
        read_tokens(tmp_path / "tokens")


def test_names(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    add_token(file, "anna", Role.DREAM)
    for wrong in ("anna", "", "a b", OWN, "x" * 65):
        with pytest.raises(InputError):
            add_token(file, wrong, Role.DREAM)
    with pytest.raises(InputError, match="bert"):
        remove_token(file, "bert")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "tokens")
    assert main(["tokens", "add", "anna", "--role", "train", "--file", file]) == 0
    token = capsys.readouterr().out.strip()
    assert Keyring(TOKEN, Path(file)).holder(f"Bearer {token}") == Holder("anna", Role.TRAIN)
    assert main(["tokens", "list", "--file", file]) == 0
    assert capsys.readouterr().out.split() == ["anna", "train"]
    assert main(["tokens", "remove", "bert", "--file", file]) == 2
    assert main(["tokens", "remove", "anna", "--file", file]) == 0
    assert not read_tokens(Path(file))


def test_nobody_else_is_called_owner(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    add_token(file, "anna", Role.DREAM)
    file.write_text(file.read_text().replace("anna", OWN))
    with pytest.raises(InputError, match="another name"):
        Keyring(TOKEN, file)
