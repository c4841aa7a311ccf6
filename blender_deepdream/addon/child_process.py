# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that runs beside Blender, says what it does into a log, and can be ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..protocol.errors import StorageError

_STOP_SECONDS = 5
_LAST_BYTES = 2000
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class ChildProcess:
    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        """log: takes what the program says, after what stands there. Raises StorageError if it cannot be started."""
        self._log = log
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                    creationflags=_NO_WINDOW,
                )
        except OSError as error:
            raise StorageError(f"{command[0]} cannot be started: {error.strerror}.", "Is it there?") from error

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def runs(self, patience: float) -> bool:
        """Whether it still runs; in background so many seconds are waited for its end."""
        if self._process.poll() is None and patience:
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                return True
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line that it said."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _LAST_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """End it with what it has started, if it still runs."""
        if self._process.poll() is not None:
            return
        self._end("SIGTERM")
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._end("SIGKILL")
            self._process.wait()

    def _end(self, how: str) -> None:
        if os.name == "nt":
            _end_tree(self._process)
            return
        with suppress(ProcessLookupError):  # it leads a group of its own: venv and pip start others
            os.killpg(self._process.pid, getattr(signal, how))


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    """Windows knows no groups that end together: its own tool finds those that a process has started, as uv is."""
    command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, check=False, creationflags=_NO_WINDOW, timeout=_STOP_SECONDS)
    process.terminate()  # where that tool is not, this one at least
