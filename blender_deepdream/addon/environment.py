# SPDX-License-Identifier: GPL-3.0-or-later
"""The dream server's own Python environment: made by Blender's Python in the extension's folder of this user.

Blender's own Python is not touched. An install that was cut off goes on where it was: uv and pip keep what they have
fetched, in the same folder, until all is installed: whatever becomes of it, nothing lies elsewhere.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import StorageError
from .cache import read_json, write_json
from .child_process import ChildProcess
from .paths import user_folder

REQUIREMENTS = Path(__file__).resolve().parent.parent / "server_requirements.txt"
_STAMP, _FETCHED = "deepdream.json", "fetched"
_ASIDE = ".removed-"
_REMOVER = "deepdream-uninstall"
_REMOVE = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
"""A program, because a window would stand still for it; what stays is removed with the environment."""
_BACKENDS = {"AUTO": ["--torch-backend=auto"], "CPU": ["--torch-backend=cpu"], "PYPI": []}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """text: for people. share: of the whole time, about."""

    text: str
    command: Sequence[str]
    share: float


@dataclass(frozen=True)
class InstallEvent:
    fraction: float
    text: str
    note: str = ""


def folder() -> Path:
    """Where the environment lies."""
    return user_folder("server")


def log_path() -> Path:
    return user_folder("log") / "install.log"


def python(home: Path | None = None) -> Path:
    """The environment's interpreter, there or not."""
    home = home or folder()
    return home / "Scripts" / "python.exe" if os.name == "nt" else home / "bin" / "python"


def is_installed() -> bool:
    return python().is_file() and read_json(folder() / _STAMP) is not None


def is_current() -> bool:
    """Whether what is installed is what this version of the add-on needs."""
    return (read_json(folder() / _STAMP) or {}).get("requirements") == _wanted()


def installed_python() -> Path | None:
    """The interpreter of what is installed."""
    return python() if is_installed() else None


def is_begun() -> bool:
    """Whether there is anything to remove, whole or not."""
    return any(folder().iterdir()) or bool(_put_aside())


def install_steps(home: Path, build: str) -> list[Step]:
    """build: AUTO for the graphics card's, CPU, or PYPI for the one that the package index has."""
    inside = str(python(home))
    # a link to a Blender that is gone is not mended by venv: it begins anew
    anew = [] if python(home).is_file() else ["--clear"]
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    uv = [inside, "-m", "uv", "--no-progress", "pip", "install", "--python", inside, *_BACKENDS[build]]
    return [
        Step("Making an environment", [sys.executable, "-m", "venv", *anew, str(home)], 0.1),
        Step("Fetching the installer", [*pip, "uv"], 0.1),
        Step("Fetching the dream server: this takes minutes", [*uv, "-r", str(REQUIREMENTS)], 0.7),
        Step("Trying it", [inside, "-c", "import torch, torchvision, fastapi; print(torch.__version__)"], 0.05),
        Step("Tidying up", [inside, "-c", _REMOVE, str(home / _FETCHED)], 0.05),
    ]


def install(home: Path, build: str, patience: float, steps: Sequence[Step] = ()) -> Iterator[InstallEvent]:
    """Make the environment, or bring it up to date. Raises StorageError with the last that was said.

    patience: seconds to wait for a step before yielding; 0 in a window. steps: others than `install_steps`.
    """
    (home / _STAMP).unlink(missing_ok=True)
    log_path().write_bytes(b"")
    done = 0.0
    for step in steps or install_steps(home, build):
        yield InstallEvent(done, step.text)
        with closing(ChildProcess(step.command, log_path(), _environment(home))) as child:
            while child.runs(patience):
                yield InstallEvent(done, f"{step.text}. {child.last_words()}")
            if child.exit_code:
                raise StorageError(
                    f"{step.text} failed: {child.last_words()}",
                    f"Are you online, and is there room on the disk? All that was said: {log_path()}. "
                    "Install again goes on where this ended.",
                )
        done += step.share
    write_json(home / _STAMP, {"requirements": _wanted(), "python": sys.version.split()[0], "build": build})


def uninstall() -> threading.Thread:
    """Put the environment aside, and with what was put aside before remove it in the thread that is returned: gigabytes
    in many files take a while. Raises StorageError where files are held on to: all is as it was then."""
    home = folder()
    try:
        home.rename(home.with_name(f"{home.name}{_ASIDE}{secrets.token_hex(4)}"))
    except OSError as error:
        raise StorageError(
            f"{home} cannot be removed: {error.strerror}.", "End what uses it, or restart Blender, and try again."
        ) from error
    # no daemon: Blender may be closed meanwhile, and nothing shall be left that nobody knows of
    remover = threading.Thread(target=_remove, args=(_put_aside(),), name=_REMOVER)
    remover.start()
    return remover


def is_removing() -> bool:
    return any(thread.name == _REMOVER for thread in threading.enumerate())


def _put_aside() -> list[Path]:
    home = folder()
    return [*home.parent.glob(f"{home.name}{_ASIDE}*")]


def _remove(folders: Iterable[Path]) -> None:
    for path in folders:
        try:
            shutil.rmtree(path)
        except OSError:  # thread boundary: the panel still offers to remove what is left
            log.exception("%s cannot be removed", path)


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _environment(home: Path) -> dict[str, str]:
    """Ours without what points Python at Blender's own modules; uv and pip keep what they fetch in the environment's
    folder.

    Their own places are shared by all of a user's programs: gigabytes would stay there that no uninstalling finds.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    fetched = home / _FETCHED
    return inherited | {"UV_CACHE_DIR": str(fetched), "PIP_CACHE_DIR": str(fetched / "pip")}
