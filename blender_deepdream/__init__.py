# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepDream for Blender. Blender calls `register` and `unregister`; everything else imports its sub-packages."""


def register() -> None:
    from . import addon

    addon.register()


def unregister() -> None:
    from . import addon

    addon.unregister()
