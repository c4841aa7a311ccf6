# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the extension's zip with Blender's own builder, let Blender validate it, and print its path last.

    .venv-blender/bin/python scripts/build_extension.py [--output dist] [--blender /path/to/blender]
    .venv-blender/bin/python scripts/build_extension.py --repository site

The second makes a folder that any web server, or a file URL, turns into a repository that Blender subscribes to: its
index.json is printed last. Zips of earlier versions that lie there stay, and Blender offers the newest.

Blender wants the package's files beside the manifest, so they are staged first, with the help pages. The same sources
give the same bytes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = "blender_manifest.toml"
LONG_AGO = 946_684_800
"""The time that all files in the zip bear: the year 2000, as zips know none before 1980."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build and validate the extension's zip; its path is printed last.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")
    parser.add_argument(
        "--blender", metavar="PATH", help="a blender to build with; default: the bpy module, else PATH's"
    )
    parser.add_argument(
        "--repository", type=Path, metavar="DIR", help="build into this folder, and make an extension repository of it"
    )
    options = parser.parse_args(arguments)
    builder = find_builder(options.blender)
    if not builder:
        print("There is no Blender to build with: run `make setup`, or name one with --blender.", file=sys.stderr)
        return 2
    folder = (options.repository or options.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        built = build(builder, folder)
        print(publish(builder, folder) if options.repository else built)
    except subprocess.CalledProcessError as error:
        print(f"The builder ended with exit code {error.returncode}: it says above why.", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"There is no {error.filename}: run `make setup`.", file=sys.stderr)
        return 2
    return 0


def find_builder(blender: str | None) -> list[str] | None:
    """The start of the commands that build and validate extensions."""
    if blender:
        return [blender, "--factory-startup", "--command", "extension"]
    for packages in _site_packages():
        for tool in sorted(packages.glob("bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")):
            return [sys.executable, str(tool)]
    found = shutil.which("blender")
    return [found, "--factory-startup", "--command", "extension"] if found else None


def _site_packages() -> list[Path]:
    """Where the bpy module may lie: in this very environment, or in the one that the set-up makes."""
    spec = importlib.util.find_spec("bpy")
    own = [Path(spec.origin).parents[1]] if spec and spec.origin else []
    made = ROOT / ".venv-blender"
    return [*own, *made.glob("lib/python*/site-packages"), made / "Lib" / "site-packages"]


def build(builder: Sequence[str], output: Path) -> Path:
    """The zip's path. Raises CalledProcessError."""
    package = ROOT / "blender_deepdream"
    target = output / f"{package.name}-{project_version()}.zip"
    with tempfile.TemporaryDirectory() as folder:
        run([_server_python(), str(ROOT / "scripts" / "help_pages.py"), str(Path(folder) / "help")])
        stage(package, Path(folder))
        tags = _known_tags(builder)
        run([*builder, "build", *tags, "--source-dir", folder, "--output-filepath", str(target)])
        run([*builder, "validate", *tags, str(target)])
    return target


def _server_python() -> str:
    """The environment that reads Markdown."""
    made = ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return os.environ.get("DEEPDREAM_PYTHON", str(made))


def publish(builder: Sequence[str], folder: Path) -> Path:
    """The index of a repository of the folder's zips, with a page for people beside it. Raises CalledProcessError."""
    run([*builder, "server-generate", "--repo-dir", str(folder), "--html"])
    return folder / "index.json"


def stage(package: Path, folder: Path) -> None:
    """Lay out the extension as Blender wants it."""
    shutil.copytree(package, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"), dirs_exist_ok=True)
    shutil.copy(ROOT / "LICENSE", folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    (folder / MANIFEST).write_text(manifest([path.relative_to(folder).as_posix() for path in files]), "utf-8")
    for path in [*files, folder / MANIFEST]:
        path.chmod(0o644)
        os.utime(path, (LONG_AGO, LONG_AGO))


def manifest(files: Sequence[str]) -> str:
    """The manifest with the project's version, and with the files in order: Blender would take them as they come."""
    source = (ROOT / MANIFEST).read_text("utf-8")
    return f'version = "{project_version()}"\n{source}\n[build]\npaths = {json.dumps(files, indent=2)}\n'


def project_version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _known_tags(builder: Sequence[str]) -> list[str]:
    """The tags that Blender knows: its command checks them by itself, the tool in its module must be told."""
    tool = Path(builder[-1])
    if tool.suffix != ".py":
        return []
    return [f"--valid-tags={tool.parents[3] / 'modules' / '_bpy_internal' / 'extensions' / 'tags.py'}"]


def run(command: Sequence[str]) -> None:
    """Local time would get into the zip."""
    subprocess.run(command, env=os.environ | {"TZ": "UTC"}, check=True)


if __name__ == "__main__":
    sys.exit(main())
