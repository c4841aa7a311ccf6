# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's own environment: made in steps that are seen, cancelled, and taken up again."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import child_process, environment, runtime
from blender_deepdream.addon.child_process import ChildProcess
from blender_deepdream.addon.environment import Step
from blender_deepdream.protocol.errors import ServerUnavailableError, StorageError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "user folder ä"
    monkeypatch.setattr(environment, "user_folder", lambda name: _made(folder / name))
    monkeypatch.setattr(environment, "folder", lambda: _made(folder / "server"))
    return folder / "server"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def says(text: str, code: int = 0) -> Step:
    return Step(text, [sys.executable, "-c", f"print('{text}', flush=True); raise SystemExit({code})"], 0.5)


def test_what_is_fetched_is_what_the_project_needs() -> None:
    root = Path(__file__).parents[2]
    wanted = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    listed = environment.REQUIREMENTS.read_text("utf-8").splitlines()
    assert [line for line in listed if not line.startswith("#")] == wanted


@pytest.mark.parametrize("build", ["AUTO", "CPU", "PYPI"])
def test_all_happens_in_the_environment(tmp_path: Path, build: str) -> None:
    first, *others = environment.install_steps(tmp_path / "server", build)
    assert first.command[0] == sys.executable
    assert {Path(step.command[0]) for step in others} == {environment.python(tmp_path / "server")}
    assert ("--torch-backend" in " ".join(others[1].command)) == (build != "PYPI")


def test_an_install_ends_with_its_stamp(home: Path) -> None:
    events = list(environment.install(home, "CPU", 0.05, [says("one"), says("two")]))
    assert [event.text for event in events if event.text in ("one", "two")] == ["one", "two"]
    assert environment.log_path().read_text().split() == ["one", "two"]
    assert environment.is_current()


def test_a_step_that_fails_is_told_with_its_last_words(home: Path) -> None:
    with pytest.raises(StorageError, match="no room") as told:
        list(environment.install(home, "CPU", 0.05, [says("no room", 3), says("never")]))
    assert str(environment.log_path()) in told.value.hint
    assert not environment.is_installed()
    assert "never" not in environment.log_path().read_text()


def test_a_cancelled_install_ends_its_process_and_goes_on_later(home: Path) -> None:
    waits = Step("waits", [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"], 1)
    work = environment.install(home, "CPU", 0.05, [waits])
    for event in work:
        if "begun" in event.text:
            break
    began = time.monotonic()
    work.close()
    assert time.monotonic() - began < 30
    assert not environment.is_current()
    list(environment.install(home, "CPU", 0.05, [says("again")]))
    assert environment.is_current()


@pytest.mark.parametrize("cache", ["UV_CACHE_DIR", "PIP_CACHE_DIR"])
def test_what_is_fetched_lies_in_the_environment_until_all_is_installed(home: Path, cache: str) -> None:
    fetch = f"import os, pathlib; pathlib.Path(os.environ[{cache!r}], 'wheels').mkdir(parents=True)"
    tidy = environment.install_steps(home, "CPU")[-1]
    fetched = Step("Fetching", [sys.executable, "-c", fetch], 0.5)
    with pytest.raises(StorageError, match="no room"):
        list(environment.install(home, "CPU", 0.05, [fetched, says("no room", 3)]))
    assert {path.name for path in home.rglob("wheels")} == {"wheels"}
    list(environment.install(home, "CPU", 0.05, [Step(tidy.text, [sys.executable, *tidy.command[1:]], 0.5)]))
    assert environment.is_current()
    assert not [*home.rglob("wheels")]


@pytest.mark.skipif(os.name == "nt", reason="groups of processes are POSIX's")
def test_what_a_program_has_started_ends_with_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        inner = f"import socket, time; held = socket.create_connection({address!r}); time.sleep(60)"
        outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
        child = ChildProcess([sys.executable, "-c", outer], tmp_path / "log", dict(os.environ))
        listening.settimeout(30)
        held, _ = listening.accept()
        with held:
            held.settimeout(30)
            child.close()
            assert held.recv(1) == b""


def test_an_environment_of_a_blender_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    home = tmp_path / "server"
    interpreter = environment.python(home)
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(tmp_path / "gone" / "python")
    step, *_ = environment.install_steps(home, "CPU")
    subprocess.run([*step.command, "--without-pip"], check=True)
    assert interpreter.is_file()
    assert "--clear" not in environment.install_steps(home, "CPU")[0].command, "what was fetched is kept"


def test_what_was_cut_off_can_be_removed(home: Path) -> None:
    assert not environment.is_begun()
    with pytest.raises(StorageError, match="no room"):
        (environment.folder() / "half").touch()
        list(environment.install(home, "CPU", 0.05, [says("no room", 3)]))
    assert environment.is_begun()
    environment.uninstall().join()
    assert not environment.is_begun()
    assert [*home.parent.glob("server.*")] == []


def test_removing_is_told_at_once_and_done_beside_blender(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment.folder() / "gigabytes").touch()
    may_go_on = threading.Event()
    remove = shutil.rmtree
    monkeypatch.setattr(environment.shutil, "rmtree", lambda path: may_go_on.wait(60) and remove(path))
    removal = environment.uninstall()
    assert not (environment.folder() / "gigabytes").exists()
    assert environment.is_begun(), "there is still something to remove"
    assert not bpy.ops.deepdream.uninstall_server.poll(), "once is enough"
    may_go_on.set()
    removal.join()
    assert bpy.ops.deepdream.uninstall_server.poll()
    assert not environment.is_begun()


def test_what_could_not_be_removed_is_removed_the_next_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment.folder() / "held").touch()
    with monkeypatch.context() as patched:
        patched.setattr(environment.shutil, "rmtree", _refused)
        environment.uninstall().join()
    assert environment.is_begun()
    environment.uninstall().join()
    assert not environment.is_begun()


def test_an_environment_in_use_stays_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment.folder() / "held").touch()
    monkeypatch.setattr(Path, "rename", _refused)
    with pytest.raises(StorageError, match="in use"):
        environment.uninstall()
    assert (environment.folder() / "held").exists()


def _refused(*_: object) -> None:
    raise PermissionError(errno.EACCES, "in use")


def test_on_windows_all_that_a_program_has_started_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command alone: there is no Windows here."""
    run: list[list[str]] = []
    monkeypatch.setattr(child_process.subprocess, "run", lambda command, **_: run.append(command))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        child_process._end_tree(process)
    assert run == [["taskkill", "/T", "/F", "/PID", str(process.pid)]]
    assert process.returncode


def test_blender_is_not_asked_in_a_thread(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server was installed is known before a thread looks for it."""
    choice = runtime.ServerChoice()
    monkeypatch.delenv(runtime.PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr(environment, "folder", lambda: pytest.fail("Blender was asked"))
    with pytest.raises(ServerUnavailableError, match="not installed"):
        runtime.find_python(choice.python, choice.installed)


def test_a_program_that_is_not_there_is_told(home: Path) -> None:
    with pytest.raises(StorageError, match="cannot be started"):
        list(environment.install(home, "CPU", 0.05, [Step("x", ["/nowhere/python"], 1)]))


def test_what_was_installed_is_what_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runtime.PYTHON_VARIABLE, raising=False)
    with pytest.raises(ServerUnavailableError, match="not installed"):
        runtime.find_python("")
    list(environment.install(home, "CPU", 0.05, [says("done")]))
    _made(environment.python().parent)
    environment.python().touch()
    assert runtime.find_python("", runtime.ServerChoice().installed) == environment.python()
    environment.uninstall().join()
    assert not environment.is_installed()


def test_nothing_is_fetched_while_blender_may_not_go_online() -> None:
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.deepdream.install_server.poll()


def test_the_connection_is_tried(scene: bpy.types.Scene) -> None:
    assert bpy.ops.deepdream.test_connection() == {"FINISHED"}
    assert "1 brain" in bpy.context.window_manager.deepdream.connection.message
