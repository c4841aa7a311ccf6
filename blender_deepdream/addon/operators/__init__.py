# SPDX-License-Identifier: GPL-3.0-or-later
"""One file for each thing an artist does."""

from __future__ import annotations

from . import (
    add_node,
    cancel,
    clear_cache,
    dream_animation,
    dream_frame,
    dream_image,
    dream_surface,
    looks,
    mix_layer,
    quick_test,
    regions,
    render_dataset,
    restore_dream,
    server,
    show_help,
    show_report,
    surface_regions,
    train,
    update_brains,
    use_brain,
)
from .running import stop_all

classes = (
    *add_node.classes,
    *dream_frame.classes,
    *dream_animation.classes,
    *quick_test.classes,
    *cancel.classes,
    *clear_cache.classes,
    *regions.classes,
    *restore_dream.classes,
    *render_dataset.classes,
    *dream_surface.classes,
    *surface_regions.classes,
    *dream_image.classes,
    *train.classes,
    *use_brain.classes,
    *looks.classes,
    *server.classes,
    *mix_layer.classes,
    *update_brains.classes,
    *show_report.classes,
    *show_help.classes,
)

for _item in classes:
    # a docstring is broken into lines for its readers: a tooltip, and its translation, are one paragraph
    _item.bl_description = " ".join(_item.__doc__.split())

__all__ = ["classes", "stop_all"]
