# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's zip: built twice the same, installed through Blender, used, switched off without a trace."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

from .processes import ROOT, blender


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("dist"))


def _build(folder: Path) -> Path:
    outcome = blender(ROOT / "scripts" / "build_extension.py", "--output", folder)
    assert outcome.returncode == 0, outcome.stderr
    return Path(outcome.stdout.splitlines()[-1])


def test_the_same_sources_give_the_same_bytes(extension: Path, tmp_path: Path) -> None:
    assert _build(tmp_path).read_bytes() == extension.read_bytes()


def test_the_zip_holds_the_package_help_its_manifest_and_its_licence(extension: Path) -> None:
    package = ROOT / "blender_deepdream"
    kinds = (".py", ".txt", ".json", ".jpg")
    sources = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.suffix in kinds}
    with zipfile.ZipFile(extension) as file:
        names = {name for name in file.namelist() if not name.startswith("help/")}
        assert names == sources | {"blender_manifest.toml", "LICENSE"}
        assert {"help/troubleshooting.html", "help/pictures/ui/window.jpg"} <= set(file.namelist()) - names
        manifest = tomllib.loads(file.read("blender_manifest.toml").decode())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert manifest["version"] == project["version"]
    assert manifest["license"] == [f"SPDX:{project['license']}"]


@pytest.mark.smoke
def test_installed_used_and_switched_off_it_leaves_nothing(extension: Path, blend: Path, tmp_path: Path) -> None:
    scene = tmp_path / "shot.blend"
    shutil.copy(blend, scene)
    outcome = blender(
        ROOT / "tests" / "e2e" / "extension_life.py",
        extension,
        scene,
        BLENDER_USER_RESOURCES=tmp_path / "user",
        DEEPDREAM_DATA=tmp_path / "server",
        PYTHONDONTWRITEBYTECODE="",  # compiled files show which code the server ran
    )
    assert outcome.returncode == 0, outcome.stderr
    found = json.loads(outcome.stdout.splitlines()[-1])
    assert found["error"] == ""
    assert list(tmp_path.glob("shot_deepdream/*/dream/*/0001.exr"))
    assert found["server's own code"]
    assert found["children while enabled"] == 1
    assert {"classes", "properties", "handlers", "menu entries"} <= found["while enabled"].keys()
    assert found["while enabled again"] == found["while enabled"]
    assert found["left behind"] == found["left behind again"] == {}
    assert found["timers"] == []
    assert not found["command"]


def test_blender_subscribes_to_the_repository_and_follows_it(tmp_path: Path) -> None:
    site, newer = tmp_path / "site ä", tmp_path / "newer"
    for folder in (site, newer):
        outcome = blender(ROOT / "scripts" / "build_extension.py", "--repository", folder)
        assert outcome.returncode == 0, outcome.stderr
        assert Path(outcome.stdout.splitlines()[-1]) == folder / "index.json"
    _raise_version(newer)
    outcome = blender(
        ROOT / "tests" / "e2e" / "extension_repository.py", site, newer, BLENDER_USER_RESOURCES=tmp_path / "user"
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    found = json.loads(outcome.stdout.splitlines()[-1])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert found == {
        "installed": version,
        "enabled": True,
        "updated": "9.9.9",
        "still enabled": True,
        "it runs": True,
        "removed": "",
        "switched off": True,
    }


def _raise_version(folder: Path) -> None:
    """As if the project had come to version 9.9.9."""
    (old,) = folder.glob("*.zip")
    new = folder / "blender_deepdream-9.9.9.zip"
    with zipfile.ZipFile(old) as before, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "blender_manifest.toml":
                content = re.sub(rb'^version = ".*"$', b'version = "9.9.9"', content, flags=re.MULTILINE)
            after.writestr(name, content)
    old.unlink()
    index = json.loads((folder / "index.json").read_text("utf-8"))
    content = new.read_bytes()
    index["data"][0] |= {
        "version": "9.9.9",
        "archive_url": f"./{new.name}",
        "archive_size": len(content),
        "archive_hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    (folder / "index.json").write_text(json.dumps(index), "utf-8")
