# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the two environments that everything here runs in; does nothing where they are up to date.

    python3 scripts/setup.py                   .venv and .venv-blender
    python3 scripts/setup.py --blender 4.2     .venv-blender-4.2 alone: another Blender to test with

.venv holds the engine, the server and the test tools; .venv-blender holds Blender as a Python module, and no torch.
Each Blender module is made for one version of Python: the newest whose Python is found here is taken.
Only the standard library, and no syntax newer than Python 3.8: this must run before anything is installed.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
SERVER_PYTHONS = ("3.11", "3.12", "3.13")
STAMP = "deepdream-setup"
BIN = "Scripts" if os.name == "nt" else "bin"


class Blender(NamedTuple):
    """A Blender module that we test with: the Python it is made for, and the numpy it was made with."""

    bpy: str
    python: str
    numpy: str

    @property
    def series(self) -> str:
        return ".".join(self.bpy.split(".")[:2])


BLENDERS = (
    Blender("5.2.3", "3.13", "2.5.5"),
    Blender("4.5.15", "3.11", "1.26.4"),
    Blender("4.2.23", "3.11", "1.26.4"),
)

LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libgomp.so.1": "libgomp1",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""What Blender loads from a Linux system: the library, and Debian's package with it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the environments; does nothing where they are up to date.")
    parser.add_argument(
        "--blender",
        choices=[blender.series for blender in BLENDERS],
        help="make .venv-blender-VERSION with this Blender, and nothing else",
    )
    parser.add_argument("--without-tests", action="store_true", help="leave out the files that only tests need")
    options = parser.parse_args(arguments)
    chosen = options.blender
    check_libraries()
    if chosen:
        blender = next(blender for blender in BLENDERS if blender.series == chosen)
        make_blender_environment(f".venv-blender-{chosen}", [blender])
    else:
        make_server_environment()
        if not options.without_tests:
            fetch_test_wheels()
        make_blender_environment(".venv-blender", BLENDERS)
    return 0


def check_libraries() -> None:
    """Install the system libraries that Blender needs, where we may; else say how, and end."""
    missing = missing_libraries()
    if not missing:
        return
    packages = sorted({LIBRARIES[name] for name in missing})
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"Installing the system libraries that Blender needs: {' '.join(packages)}")
        apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run([*apt, "update"], environment)
        run([*apt, "install", "--no-install-recommends", "-y", *packages], environment)
        missing = missing_libraries()
    if missing:
        stop(
            f"Blender needs system libraries that are not here: {', '.join(missing)}.\n"
            f"On Debian or Ubuntu:\n\n    sudo apt-get install --no-install-recommends -y {' '.join(packages)}\n"
        )


def missing_libraries() -> list[str]:
    if not sys.platform.startswith("linux"):
        return []
    return [name for name in LIBRARIES if not _loads(name)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def fetch_test_wheels() -> None:
    """Wheels that tests read files of. They are not installed: they would bring along what is of no use here."""
    wanted, folder = ROOT / "tests" / "wheels.txt", ROOT / ".venv" / "test-wheels"
    stamp, recipe = folder / STAMP, _recipe(wanted)
    if stamp.is_file() and stamp.read_text("utf-8") == recipe:
        return
    download = [str(_python_of(".venv")), "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
    run([*download, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(wanted), "-d", str(folder)])
    stamp.write_text(recipe, "utf-8")


def make_server_environment() -> None:
    wanted = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    if up_to_date(".venv", recipe := _recipe(*wanted)):
        return
    python = find_python(*SERVER_PYTHONS)
    if not python:
        stop(f"No Python {', '.join(SERVER_PYTHONS[:-1])} or {SERVER_PYTHONS[-1]} was found: install one of them.")
    say("Making .venv, the engine, the server, Ray and the test tools: 1.7 GB, or 5 GB where torch comes with CUDA")
    install(".venv", python, recipe, ["-c", "constraints.txt", "-e", ".[test,cluster]"])


def make_blender_environment(name: str, blenders: Sequence[Blender]) -> None:
    """Blender as a Python module: the first of these whose Python is here."""
    recipe = _recipe(ROOT / "constraints-blender.txt") + repr(tuple(blenders))
    if up_to_date(name, recipe):
        return
    found = ((blender, find_python(blender.python)) for blender in blenders)
    blender, python = next(((blender, python) for blender, python in found if python), (None, None))
    if not blender or not python:
        pairs = "; ".join(f"Blender {blender.series} runs in Python {blender.python}" for blender in blenders)
        stop(f"No Python that a Blender module is made for was found: install one of them ({pairs}).")
    say(f"Making {name}, Blender {blender.bpy} as a Python module: 1 GB")
    packages = [f"bpy=={blender.bpy}", f"numpy=={blender.numpy}", "pytest", "pytest-timeout"]
    install(name, python, recipe, ["-c", "constraints-blender.txt", *packages])


def find_python(*versions: str) -> Path | None:
    """The first interpreter of these versions that runs. One on the path may be a dead shim of pyenv's."""
    for version in versions:
        for candidate in _candidates(version):
            if _version(candidate) == version:
                return candidate
    return None


def _candidates(version: str) -> list[Path]:
    """Where it may be: this very one, those on the path, those that pyenv keeps."""
    own = [Path(sys.executable)] if sys.version.startswith(f"{version}.") else []
    on_path = [Path(found) for name in (f"python{version}", "python3", "python") if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = [path / "bin" / "python" for path in (pyenv / "versions").glob(f"{version}.*")]
    return own + on_path + sorted(kept, reverse=True)


def _version(python: Path) -> str | None:
    """Like 3.13; None if it does not start or cannot make environments (Debian packs that apart)."""
    code = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        outcome = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return outcome.stdout.strip() if outcome.returncode == 0 else None


def up_to_date(name: str, recipe: str) -> bool:
    """Whether an environment was finished, from this recipe, by an interpreter that is still there."""
    stamp = ROOT / name / STAMP
    return stamp.is_file() and stamp.read_text("utf-8") == recipe and _python_of(name).exists()


def install(name: str, python: Path, recipe: str, packages: Sequence[str]) -> None:
    """Fill the environment, made first if need be. Its stamp comes last: one that was interrupted is made anew."""
    stamp = ROOT / name / STAMP
    if stamp.is_file() and _version(_python_of(name)) == _version(python):
        stamp.unlink()
    else:
        run([str(python), "-m", "venv", "--clear", str(ROOT / name)])
    quiet = ["-qq", "--disable-pip-version-check", "--no-warn-script-location"]
    run([str(_python_of(name)), "-m", "pip", "install", *quiet, *packages])
    stamp.write_text(recipe, "utf-8")
    say(f"{name} is ready")


def _python_of(name: str) -> Path:
    return ROOT / name / BIN / "python"


def _recipe(*files: Path) -> str:
    """What an environment is made from. Python's own version counts through the environment's interpreter."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    outcome = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if outcome.returncode:
        stop(f"This failed with exit code {outcome.returncode}, and says above why:\n    {' '.join(command)}", 1)


def say(text: str) -> None:
    print(text, flush=True)


def stop(text: str, code: int = 2) -> NoReturn:
    print(f"setup: {text}", file=sys.stderr, flush=True)
    sys.exit(code)


if __name__ == "__main__":
    sys.exit(main())
