# SPDX-License-Identifier: GPL-3.0-or-later
"""A view of the objects as files: what is seen with a black and with a white base colour, and which texel is where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from .. import compat
from ..rendering import render_still
from .stage import Stage, set_render
from .surroundings import hold_out

KINDS = ("dark", "light", "facts", "behind")
"""The pictures of a view; the last one where the whole scene is there."""
_AS_BEHIND = 0.5
"""How bright the objects are that a background mirrors."""


def prepare(stage: Stage, kind: str, side: int, samples: int) -> None:
    """Make the stage ready to render one kind of picture. Raises SceneError."""
    scene = stage.scene
    facts = kind == "facts"
    set_render(scene, side, 1 if facts else samples)
    # one sample in the very middle of the pixel: a mean of two texels' places is no place
    scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS" if facts else "BOX"
    scene.cycles.filter_width = 0.01 if facts else 1.5
    layer = scene.view_layers[0]
    for name in ("use_pass_uv", "use_pass_normal", "use_pass_position", "use_pass_material_index"):
        setattr(layer, name, facts)
    stage.use_layers(own=facts)
    stage.dress(stage.facts if facts else [probe.material for probe in stage.probes])
    for probe in stage.probes:
        probe.set({"light": 1.0, "behind": _AS_BEHIND}.get(kind, 0.0))
    if stage.surroundings:
        _show_surroundings(stage, kind == "behind")
    compat.set_float_exr(scene.render.image_settings, multilayer=facts)
    if not facts:
        scene.render.image_settings.color_depth = "16"


def _show_surroundings(stage: Stage, alone: bool) -> None:
    """alone: whether all but the objects is seen, or the objects where nothing hides them."""
    hold_out(stage.scene.view_layers[0], stage.surroundings, not alone)
    stage.scene.render.film_transparent = not alone
    for copy in stage.copies:
        copy.visible_camera = not alone


def render_view(stage: Stage, path: Path) -> None:
    """Render what the camera sees into a file. Raises RenderError, StorageError."""
    render_still(stage.scene, path)


def bake_colors(stage: Stage, side: int, paths: Sequence[Path]) -> None:
    """Write the artist's own colour of each sheet as a square texture: scene-linear, transparent where nothing is.

    Raises RenderError.
    """
    _bake_materials(stage, side, paths, [probe.bare for probe in stage.probes])


def bake_masks(stage: Stage, side: int, paths: Sequence[Path], number: int) -> None:
    """Write one of the masks likewise, from 0. Raises RenderError."""
    _bake_materials(stage, side, paths, [probe.masks[number] for probe in stage.probes])


def _bake_materials(stage: Stage, side: int, paths: Sequence[Path], materials: Sequence[bpy.types.Material]) -> None:
    scene = stage.scene
    set_render(scene, 64, 1)
    scene.view_layers[0].update()
    nodes = [_bake_target(material, side) for material in materials]
    images = [node.image for node in nodes]
    stage.use_layers(own=False)
    stage.dress(materials)
    try:
        _bake(stage)
        for image, path in zip(images, paths, strict=True):
            image.filepath_raw, image.file_format = str(path), "OPEN_EXR"
            image.save()
    finally:
        # in this order: nothing that is evaluated, or kept for the next render, points to an image that goes
        scene.render.use_persistent_data = False
        for material, node in zip(materials, nodes, strict=True):
            material.node_tree.nodes.remove(node)
        scene.view_layers[0].update()
        bpy.data.batch_remove(images)


def _bake_target(material: bpy.types.Material, side: int) -> bpy.types.Node:
    """The node whose image the bake of a material goes into."""
    image = bpy.data.images.new("DeepDream Bake", side, side, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"  # the numbers as they are, baked and saved
    image.generated_color = (0, 0, 0, 0)
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    tree.nodes.active = node
    return node


def _bake(stage: Stage) -> None:
    layer = stage.scene.view_layers[0]
    for target, copy in zip(stage.plan.targets, stage.copies, strict=True):
        for other in layer.objects:
            other.select_set(other == copy, view_layer=layer)
        layer.objects.active = copy
        with bpy.context.temp_override(
            scene=stage.scene,
            view_layer=layer,
            object=copy,
            active_object=copy,
            selected_objects=[copy],
            selected_editable_objects=[copy],
        ):
            bpy.ops.object.bake(type="EMIT", margin=0, use_clear=False, uv_layer=target.layer, target="IMAGE_TEXTURES")
