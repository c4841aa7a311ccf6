# SPDX-License-Identifier: GPL-3.0-or-later
"""What `blender -b shot.blend --command NAME ...` runs, from the installed extension, which has no scripts.

What a command needs is loaded when it runs, not while Blender starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy


def _dream(arguments: Sequence[str]) -> int:
    from .batch import main

    return main(arguments)


def _train(arguments: Sequence[str]) -> int:
    from .batch_train import main

    return main(arguments)


COMMANDS = {"deepdream": _dream, "deepdream_train": _train}
handles: list[Any] = []
"""What Blender knows them by, while it does."""


def register() -> None:
    handles.extend(bpy.utils.register_cli_command(name, main) for name, main in COMMANDS.items())


def unregister() -> None:
    while handles:
        bpy.utils.unregister_cli_command(handles.pop())
