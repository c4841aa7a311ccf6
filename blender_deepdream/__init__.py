# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream for Blender. Blender calls `register` and `unregister`; everything else imports its sub-packages."""


def register() -> None:
    from .addon import register as register_addon

    register_addon()


def unregister() -> None:
    from .addon import unregister as unregister_addon

    unregister_addon()
