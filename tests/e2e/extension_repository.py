# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: subscribe to a repository, install, update and remove the extension; what was there as JSON.

Started by test_extension.py with BLENDER_USER_RESOURCES set: FOLDER_OF_THE_REPOSITORY FOLDER_OF_THE_NEXT_ONE.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

import bpy

ID, REPOSITORY = "blender_deepdream", "deepdream_site"


def main() -> None:
    site, newer = map(Path, sys.argv[-2:])
    bpy.context.preferences.system.use_online_access = True
    bpy.ops.preferences.extension_repo_add(
        name=REPOSITORY, remote_url=(site / "index.json").as_uri(), type="REMOTE", use_sync_on_startup=False
    )
    number, repository = next(
        (number, item)
        for number, item in enumerate(bpy.context.preferences.extensions.repos)
        if item.remote_url.startswith(site.as_uri())
    )
    name = f"bl_ext.{repository.module}.{ID}"
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_install(repo_index=number, pkg_id=ID, enable_on_install=True)
    found = {"installed": version(repository), "enabled": name in bpy.context.preferences.addons}
    for file in newer.iterdir():
        shutil.copy(file, site)
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_upgrade_all()
    found |= {"updated": version(repository), "still enabled": name in bpy.context.preferences.addons}
    found["it runs"] = hasattr(bpy.types, "DEEPDREAM_PT_dream")
    bpy.ops.extensions.package_uninstall(repo_index=number, pkg_id=ID)
    found |= {"removed": version(repository), "switched off": name not in bpy.context.preferences.addons}
    print("\n" + json.dumps(found), flush=True)


def version(repository: bpy.types.bpy_struct) -> str:
    """Of what is installed; empty if nothing is."""
    manifest = Path(repository.directory) / ID / "blender_manifest.toml"
    return tomllib.loads(manifest.read_text("utf-8"))["version"] if manifest.is_file() else ""


if __name__ == "__main__":
    main()
    os._exit(0)  # the bpy wheels up to 4.5 crash while Python ends
