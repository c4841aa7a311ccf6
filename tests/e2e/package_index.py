# SPDX-License-Identifier: GPL-3.0-or-later
"""A package index on this machine with what the dream server needs, made of nothing: torch alone would be gigabytes.

uv is the real one. All others are stand-ins: whoever imports one goes on in the Python of the tests, which has the
real ones, so that what was installed starts, answers and dreams.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
import zipfile
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .processes import ROOT, SERVER_PYTHON

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[<>=]=([0-9.]+)")
_GOES_ON = f"""import os, sys
os.execv({SERVER_PYTHON!r}, [{SERVER_PYTHON!r}, *sys.orig_argv[1:]])
"""


class PackageIndex:
    """Serves wheels as pypi.org does, while the context lasts. asked: the names of those that were, in order."""

    def __init__(self, folder: Path, uv: Path, sign: Path, held: Path) -> None:
        """folder: an empty one. uv: its wheel. sign: torch comes once this file is there. held: is made when torch is
        asked for."""
        self.closed = False
        self.sign = sign
        self.held = held
        self.asked: list[str] = []
        lines = (ROOT / "blender_deepdream" / "server_requirements.txt").read_text("utf-8").splitlines()
        for name, version in (match.groups() for match in map(_REQUIREMENT.match, lines) if match):
            _list_wheel(folder, name, _write_wheel(folder, name.replace("-", "_"), version))
        _list_wheel(folder, "uv", Path(shutil.copy(uv, folder)))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> PackageIndex:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, index: PackageIndex, *arguments: object, directory: str) -> None:
        self._index = index
        super().__init__(*arguments, directory=directory)

    def do_GET(self) -> None:
        name = Path(self.path).name
        if name.endswith(".whl"):
            self._index.asked.append(name)
            if name.startswith("torch-"):
                self._index.held.touch()
            while name.startswith("torch-") and not (self._index.sign.exists() or self._index.closed):
                time.sleep(0.1)
        with suppress(ConnectionError):  # who cancels hangs up
            super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _write_wheel(folder: Path, name: str, version: str) -> Path:
    """A whole wheel, with one module of the package's name."""
    files = {
        f"{name}.py": _GOES_ON,
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.with_name(f"{path.name}.metadata").write_text(files[f"{name}-{version}.dist-info/METADATA"], "utf-8")
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(record, "".join(f"{file},,\n" for file in [*files, record]))
    return path


def _list_wheel(folder: Path, name: str, wheel: Path) -> None:
    """Its page in the index, as PEPs 503 and 714 have it: what is in a wheel is known before it is fetched."""
    page = folder / "simple" / re.sub(r"[-_.]+", "-", name).lower() / "index.html"
    page.parent.mkdir(parents=True)
    sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
    described = ' data-core-metadata="true"' if Path(f"{wheel}.metadata").exists() else ""
    page.write_text(f'<!DOCTYPE html><a href="/{wheel.name}#sha256={sha}"{described}>{wheel.name}</a>', "utf-8")
