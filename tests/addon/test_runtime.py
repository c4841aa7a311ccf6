# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from blender_deepdream.addon import runtime
from blender_deepdream.addon.runtime import ServerChoice
from blender_deepdream.protocol.errors import ServerUnavailableError, UnauthorizedError


def test_own_server_is_started_once_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.stop()
    client = runtime.connect(ServerChoice())
    process = runtime._server.process
    assert client.health()
    runtime.connect(ServerChoice())
    assert runtime._server.process is process
    runtime.stop()
    assert process.poll() is not None


def test_no_python_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runtime.PYTHON_VARIABLE)
    with pytest.raises(ServerUnavailableError, match="preferences"):
        runtime.find_python("")


def test_python_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailableError, match="no Python interpreter"):
        runtime.find_python(str(tmp_path / "python"))


def test_preference_stands_above_the_variable(tmp_path: Path) -> None:
    (tmp_path / "python").touch()
    assert runtime.find_python(str(tmp_path / "python")) == tmp_path / "python"


def test_python_without_the_server(tmp_path: Path) -> None:
    """Blender's own Python has no torch and no FastAPI."""
    runtime.stop()
    with pytest.raises(ServerUnavailableError, match="did not start: ModuleNotFoundError"):
        runtime.connect(ServerChoice(python=sys.executable))


def test_file_that_is_no_program(tmp_path: Path) -> None:
    runtime.stop()
    (tmp_path / "python").write_text("no program")
    with pytest.raises(ServerUnavailableError, match="cannot be started"):
        runtime.connect(ServerChoice(python=str(tmp_path / "python")))


def test_server_that_is_another_program(tmp_path: Path) -> None:
    runtime.stop()
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho hello\n")
    os.chmod(program, 0o755)  # noqa: PTH101
    with pytest.raises(ServerUnavailableError, match="did not start"):
        runtime.connect(ServerChoice(python=str(program)))


def test_token_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnauthorizedError, match="cannot be read"):
        runtime.connect(ServerChoice(url="http://127.0.0.1:9", token_file=str(tmp_path / "token")))


def test_token_file_that_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\x89PNG\xff")
    with pytest.raises(UnauthorizedError, match="no token file"):
        runtime.connect(ServerChoice(url="http://127.0.0.1:9", token_file=str(tmp_path / "token")))
