# SPDX-License-Identifier: GPL-3.0-or-later
"""By which motion a node's frames follow one another, said in words."""

from __future__ import annotations

import bpy

from ..protocol.errors import SceneError
from . import node
from .node import DreamNode
from .request import Wishes, is_coherent
from .strokes import draws_strokes


def motion_words(scene: bpy.types.Scene, group: bpy.types.NodeTree) -> str:
    """Of the node of this group: vectors, optical flow or none, and why. Empty for one that dreams nothing."""
    try:
        dream = next((found for found in node.find_nodes(scene) if found.id == group.deepdream.id), None)
    except SceneError:  # whoever presses Dream is told
        return ""
    return f"Motion: {_followed(scene, dream)}" if dream and dream.linked else ""


def _followed(scene: bpy.types.Scene, dream: DreamNode) -> str:
    settings = dream.group.deepdream
    if settings.endless:
        return "none, each frame feeds on the one before"
    if not is_coherent(settings, Wishes()):
        return "none, each frame dreams on its own"
    if why := _why_guessed(scene, dream):
        return f"optical flow, {why}"
    return "the render's vectors"


def _why_guessed(scene: bpy.types.Scene, dream: DreamNode) -> str:
    """Why the render's vectors do not know the motion; empty if they do."""
    reasons = {
        "images and movies have no vectors": dream.filmed,
        "a node on the way bends or moves the image": not dream.rendered,
        "it is the render of another scene": dream.rendered != scene.name,
        "motion blur leaves no vectors": scene.render.use_motion_blur,
        "the frame step leaves frames out": scene.frame_step != 1,
        "this render engine has no vectors": scene.render.engine == "BLENDER_WORKBENCH",
        "grease pencil has no vectors": draws_strokes(scene),
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")
