# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels and menus: they draw, and do nothing else."""

from __future__ import annotations

from . import add_menu, choosing, compositor, dataset, image, node_settings, region_list, surface, training

classes = (
    *choosing.classes,
    *compositor.classes,
    *region_list.classes,
    *node_settings.classes,
    *training.classes,
    *dataset.classes,
    *surface.classes,
    *image.classes,
)


def register() -> None:
    add_menu.register()


def unregister() -> None:
    add_menu.unregister()
