# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/render.py from outside: what a farm sees of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .processes import (
    LIMIT,
    QUICK,
    SLOW,
    Folder,
    Server,
    blender,
    json_lines,
    kill,
    processes_with,
    wait_for,
    wait_until_gone,
)

WORK = ("3D", "capture", "dream", "composite")


@pytest.mark.smoke
def test_frames_are_rendered_once_and_then_still_good(folder: Folder) -> None:
    first = folder.render("--frames", "1-2", *QUICK)
    assert first.returncode == 0, first.stderr
    assert list(folder.frames()) == ["0001.exr", "0002.exr"]
    lines = first.stdout.splitlines()
    assert lines[0].startswith("frame 1 (1 of 2): 3D ")
    assert lines[1].startswith("frame 2 (2 of 2): "), "its 3D may have been rendered while frame 1 dreamed"
    assert "still good" not in lines[1]
    assert {line.split("  ")[1].strip() for line in lines[2:]} >= {*WORK, "transfer", "total"}

    made, rendered = folder.frames(), folder.raw_times()
    second = folder.render("--frames", "1-2", *QUICK)
    assert second.returncode == 0, second.stderr
    assert "frame 2 (2 of 2): still good" in second.stdout, second.stdout
    assert (folder.frames(), folder.raw_times()) == (made, rendered)
    wait_until_gone(str(folder.root))


@pytest.mark.smoke
def test_a_dream_setting_renders_no_3d(folder: Folder) -> None:
    assert folder.render("--frames", "1", *QUICK).returncode == 0
    rendered, dreamed = folder.raw_times(), folder.dreams()
    changed = folder.render("--frames", "1", *QUICK, "--set", "strength=0.5", "--json")
    assert changed.returncode == 0, changed.stderr
    assert folder.raw_times() == rendered
    assert folder.dreams() != dreamed


def test_json_lines_are_for_machines(folder: Folder) -> None:
    outcome = folder.render("--frames", "1-2", "--json", *QUICK)
    frame, _, summary = json_lines(outcome.stdout)
    assert frame["frame"] == 1
    assert Path(frame["output"]).is_file()
    assert summary["frames"] == 2
    assert summary["seconds"].keys() >= {*WORK, "total"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--frames", "5-"], 2, "5-"),
        (["--frames", "1", "--set", "steps=lots"], 2, "steps"),
        (["--frames", "1", "--node", "Nobody"], 2, "Nobody"),
        (["--frames", "1", "--no-such-thing"], 2, "--no-such-thing"),
        (["--frames", "1", "--server", "http://127.0.0.1:9", "--token-file", "TOKEN"], 1, "127.0.0.1:9"),
        (["--frames", "1", "--server", "http://127.0.0.1:9", "--token-file", "/nowhere"], 1, "/nowhere"),
        (["--frames", "1", "--cache", "/proc/cache"], 1, "/proc/cache"),
    ],
)
def test_errors_say_what_is_wrong_and_end_with_a_code(
    folder: Folder, arguments: list[str], code: int, words: str
) -> None:
    token = folder.root / "token"
    token.write_text("secret")
    outcome = folder.render(*(token if word == "TOKEN" else word for word in arguments), "--json")
    (line,) = json_lines(outcome.stdout)
    assert words in line["error"]["message"]
    assert outcome.returncode == code
    assert "Traceback" not in outcome.stderr


def test_a_missing_scene_is_bad_input(tmp_path: Path) -> None:
    outcome = Folder(tmp_path, tmp_path / "missing.blend").render("--frames", "1")
    assert outcome.returncode == 2
    assert "missing.blend" in outcome.stderr


@pytest.mark.smoke
def test_a_killed_run_goes_on_and_ends_with_the_same_frames(folder: Folder, tmp_path: Path) -> None:
    whole = Folder(tmp_path / "whole", folder.blend)
    assert whole.render("--frames", "1-3", *QUICK).returncode == 0

    run = folder.start("--frames", "1-3", *QUICK)
    _read_until(run, "frame 1 ")
    kill(run)
    wait_until_gone(str(folder.root))  # its server ends with it
    assert list(folder.frames()) != list(whole.frames())
    first = folder.raw_times()[0]

    again = folder.render("--frames", "1-3", *QUICK)
    assert again.returncode == 0, again.stderr
    assert folder.raw_times()[0] == first
    assert folder.frames() == whole.frames()


@pytest.mark.smoke
def test_a_killed_endless_zoom_goes_on_and_ends_with_the_same_frames(tmp_path: Path) -> None:
    blender(Path(__file__).with_name("endless_scene.py"), tmp_path / "zoom.blend")
    whole, killed = (Folder(tmp_path / name, tmp_path / "zoom.blend") for name in ("whole", "killed"))
    assert whole.render("--frames", "1-4", *QUICK).returncode == 0
    run = killed.start("--frames", "1-4", *QUICK)
    _read_until(run, "frame 2 ")
    kill(run)
    wait_until_gone(str(killed.root))
    outcome = killed.render("--frames", "1-4", *QUICK)
    assert outcome.returncode == 0, outcome.stderr
    assert "begins anew" not in outcome.stdout
    assert killed.frames() == whole.frames()
    assert len(set(killed.frames().values())) == 4


@pytest.mark.timeout(2 * LIMIT + 60)
def test_a_machine_asleep_in_mid_dream_goes_on(folder: Folder) -> None:
    """Longer than anybody waits for anybody: the client's 30 seconds, the server's 25 for its worker."""
    run = folder.start("--frames", "1-2", "--set", "steps=40", "--set", "octaves=2")
    _read_until(run, "frame 1 ")
    asleep = processes_with(str(folder.root))
    assert len(asleep) >= 3, "Blender, server and worker"
    for process in asleep:
        os.kill(process, signal.SIGSTOP)
    time.sleep(35)
    for process in asleep:
        os.kill(process, signal.SIGCONT)
    try:
        _, errors = run.communicate(timeout=2 * LIMIT)
    finally:
        run.kill()
    assert run.returncode == 0, errors
    assert len(folder.frames()) == len(folder.dreams()) == 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_dream_leaves_nothing_half_done(folder: Folder, number: signal.Signals) -> None:
    assert folder.render("--frames", "1", *QUICK).returncode == 0
    good, dreamed = folder.frames(), folder.dreams()
    run = folder.start("--frames", "1-2", *SLOW)
    wait_for(lambda: len(processes_with(str(folder.root))) >= 3, "Blender, server and worker")
    time.sleep(2)
    _, errors = kill(run, number)
    if number is signal.SIGINT:
        assert run.returncode == 1
        assert "the same command goes on" in errors
        assert "Traceback" not in errors
    wait_until_gone(str(folder.root))
    assert folder.frames() == good
    assert folder.dreams() == dreamed
    assert folder.render("--frames", "1", *QUICK).returncode == 0
    assert folder.frames() == good


@pytest.mark.smoke
def test_a_server_that_runs_already_is_used(folder: Folder, tmp_path: Path) -> None:
    with Server(tmp_path / "elsewhere") as server:
        outcome = folder.render("--frames", "1", *QUICK, "--server", server.url, "--token-file", server.token_file)
        assert outcome.returncode == 0, outcome.stderr
        assert list(folder.frames()) == ["0001.exr"]
        assert not (tmp_path / "server").exists()
        assert server.process.poll() is None


def _read_until(run: subprocess.Popen[str], start: str) -> None:
    assert run.stdout
    for line in run.stdout:
        if line.startswith(start):
            return
    raise AssertionError(f"no line {start!r}; {run.stderr.read() if run.stderr else ''}")


def test_a_full_disk_is_said_and_leaves_nothing_half_done(folder: Folder) -> None:
    """A limit on the size of files stands in for the disk: a write fails in the same way and at the same places."""
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000,) * 2); "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    interpreter, *command = folder.command("--frames", "1", *QUICK)
    outcome = subprocess.run(
        [interpreter, "-c", limited, *command],
        env=folder.environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert outcome.returncode == 1
    assert "Is the disk full?" in outcome.stderr
    assert not folder.frames()
    assert not list(folder.cache.rglob("*.exr"))
    assert folder.render("--frames", "1", *QUICK).returncode == 0
