# SPDX-License-Identifier: GPL-3.0-or-later
"""The dream server's process: start it from its own Python environment, reach it, end it."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..protocol.errors import ServerUnavailableError, UnauthorizedError
from . import environment

if TYPE_CHECKING:
    from ..protocol.client import DreamClient

_START_SECONDS = 60
_STOP_SECONDS = 5
PYTHON_VARIABLE = "DEEPDREAM_PYTHON"


@dataclass(frozen=True)
class ServerChoice:
    """Which server dreams.

    url: the address of a running one, with token_file; empty: one of our own, started with `python`.
    folder: for the log of our own. installed: the interpreter that the add-on installed, if it did.
    All of it is known before a thread needs it: Blender may not be asked there.
    """

    url: str = ""
    token_file: str = ""
    python: str = ""
    folder: str = field(default_factory=lambda: bpy.app.tempdir)
    installed: Path | None = field(default_factory=environment.installed_python)


class _LocalServer:
    """A server of our own. It ends when this process does, however that ends, because it holds our end of a pipe."""

    def __init__(self, python: Path, folder: Path) -> None:
        package = Path(__file__).resolve().parent.parent
        self._log = folder / "deepdream-server.log"
        with self._log.open("wb") as log:
            try:
                self.process = subprocess.Popen(
                    [str(python), "-m", f"{package.name}.server", "serve", "--exit-with-parent"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=_environment(package.parent),
                    text=True,
                    start_new_session=True,  # Ctrl-C in a terminal is Blender's: a training is stopped, not cut off
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                raise ServerUnavailableError(
                    f"The dream server's Python, {python}, cannot be started: {error.strerror}.",
                    f"Set it in the add-on's preferences or in {PYTHON_VARIABLE}.",
                ) from error
        try:
            ready = json.loads(self._first_line())
            self.url = str(ready["url"])
            self.token = Path(ready["token_file"]).read_text("utf-8").strip()
        except (ValueError, KeyError, TypeError, OSError) as error:
            self.stop()
            raise ServerUnavailableError(
                f"The dream server did not start: {self._last_words()}",
                f"Is the package installed in the environment of {python}?",
            ) from error

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, patience: float = _STOP_SECONDS) -> None:
        """End the process by letting go of its pipe; one that does not listen for so many seconds is killed."""
        self.process.stdin.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _first_line(self) -> str:
        """What the server prints when it listens; a thread reads it, because pipes know no time limit."""
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.append(self.process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(_START_SECONDS)
        return lines[0] if lines else ""

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {self.process.poll()}.")


_server: _LocalServer | None = None
_starting = threading.Lock()
"""Two dreams that begin at once have one server."""


def connect(choice: ServerChoice, client_id: str | None = None) -> DreamClient:
    """A client of the chosen server, ready to dream; it is started first if it is ours and does not run.

    client_id: who wants the jobs; None: nobody who was there before. Raises ServerUnavailableError, UnauthorizedError
    or VersionMismatchError.
    """
    url, token = (choice.url, _read_token(choice.token_file)) if choice.url else _own_server(choice)
    from ..protocol.client import DreamClient  # HTTP is not loaded while Blender starts

    client = DreamClient(url, token, client_id)
    client.health()
    client.brains()  # answered as soon as its worker has started
    return client


def _own_server(choice: ServerChoice) -> tuple[str, str]:
    """The address and the token of our own server."""
    global _server  # noqa: PLW0603  one Blender has one server of its own
    with _starting:
        server = _server
        if server is None or not server.alive():
            stop()
            _server = server = _LocalServer(find_python(choice.python, choice.installed), Path(choice.folder))
        return server.url, server.token


def find_python(named: str, installed: Path | None = None) -> Path:
    """The interpreter of the server's environment: the one named, else the environment variable's, else the one that
    was installed.

    Raises ServerUnavailableError if none of them is a file.
    """
    path = named or os.environ.get(PYTHON_VARIABLE, "") or str(installed or "")
    if not path:
        raise ServerUnavailableError(
            "The dream server is not installed.",
            f"Press Install Dream Server in the add-on's preferences, or name a Python there or in {PYTHON_VARIABLE}.",
        )
    if not Path(path).is_file():
        raise ServerUnavailableError(
            f"There is no Python interpreter at {path}.", f"Set it in the add-on's preferences or in {PYTHON_VARIABLE}."
        )
    return Path(path)


def stop(patience: float = _STOP_SECONDS) -> None:
    """End our own server, if it runs, at the latest in so many seconds: one that hangs is killed."""
    global _server
    server, _server = _server, None  # at once: a thread that connects meanwhile may be about to end it, too
    if server is not None:
        server.stop(patience)


def is_running() -> bool:
    """Whether there is a server of our own, hung or not."""
    server = _server
    return server is not None and server.alive()


def _read_token(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise UnauthorizedError(
            f"The token file {path!r} cannot be read: {error.strerror}.", "Name the file that the server printed."
        ) from error
    except UnicodeDecodeError as error:
        raise UnauthorizedError(f"{path!r} is no token file.", "Name the file that the server printed.") from error


def _environment(package_parent: Path) -> dict[str, str]:
    """Ours without what points Python at Blender's own modules; the server runs the code that lies beside this file.

    PYTHONSAFEPATH: and not what lies in the current folder, which Python would otherwise look into first.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return inherited | {"PYTHONPATH": str(package_parent), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}


def register() -> None:
    atexit.register(stop)


def unregister() -> None:
    stop()
    atexit.unregister(stop)
