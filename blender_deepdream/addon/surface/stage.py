# SPDX-License-Identifier: GPL-3.0-or-later
"""A passing scene in which copies of the objects are photographed, so that the artist's scene is never touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...protocol.errors import SceneError
from .. import compat
from ..outline import Points, outline
from ..rendering import stamps
from ..studio import SENSOR
from .choices import WHOLE
from .probe import Probe, ShownMask, make_probe
from .regions import Mask, load_mask
from .shots import LENS, Moment, Shot
from .surroundings import add_surroundings, other_objects
from .targets import Plan, Sheet, Target, find_material, find_object
from .unwrap import read_layer, unwrap, write_layer

_NAME = "DeepDream Surface"
_FAR = 1e4
"""How much further the whole scene is seen than the objects."""
_AMBIENT, _SUN = 0.4, 1.3
"""The neutral studio: radiance from everywhere, and of a sun beside the camera in W/m2."""


@dataclass
class Stage:
    """The scene. copies: of the targets, in their order. probes, facts: of the sheets. added: all that goes in the
    end. surroundings: what else is there, if the whole scene is."""

    scene: bpy.types.Scene
    plan: Plan
    copies: list[bpy.types.Object] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    facts: list[bpy.types.Material] = field(default_factory=list)
    added: list[bpy.types.ID] = field(default_factory=list)
    camera: bpy.types.Object | None = None
    lens: bpy.types.Camera | None = None
    surroundings: bpy.types.Collection | None = None

    @property
    def points(self) -> Points:
        """The outermost points of what is photographed, Nx3."""
        layer = self.scene.view_layers[0]
        layer.update()
        return outline(layer.depsgraph, self.copies)

    def dress(self, materials: Sequence[bpy.types.Material]) -> None:
        """Put a material of each sheet onto the copies."""
        for target, copy in zip(self.plan.targets, self.copies, strict=True):
            for slot, sheet in zip(copy.material_slots, target.sheets, strict=True):
                slot.material = materials[sheet]

    def use_layers(self, own: bool) -> None:
        """Render with the UV maps of the dream, or with the artist's."""
        for target, copy in zip(self.plan.targets, self.copies, strict=True):
            found = find_object(target.uid).data.uv_layers
            rendered = next((layer.name for layer in found if layer.active_render), target.layer)
            copy.data.uv_layers[target.layer if own else rendered].active_render = True

    def at(self, moment: Moment) -> None:
        """Let everything stand as it does then."""
        self.scene.frame_set(int(moment.frame), subframe=moment.frame % 1)
        for copy, place in zip(self.copies, moment.places, strict=True):
            copy.matrix_world = Matrix(place.tolist())
        self.scene.view_layers[0].update()

    def look(self, shot: Shot) -> None:
        """Put the camera where this shot wants it."""
        assert self.camera is not None
        self.camera.data = self._lens(shot.camera)
        if not shot.camera:
            # what is before the objects is cut away, what is behind them is a background
            far = shot.far if self.surroundings is None else _FAR * shot.far
            self.camera.data.clip_start, self.camera.data.clip_end = shot.near, far
        self.camera.matrix_world = Matrix(shot.matrix.tolist())

    def _lens(self, uid: int) -> bpy.types.Camera:
        """Our own, or a copy of the artist's that sees everything sharply. Raises SceneError."""
        if not uid:
            assert self.lens is not None
            return self.lens
        original = next((item for item in bpy.data.cameras if item.session_uid == uid), None)
        if original is None:
            raise SceneError("The camera that was to be dreamed for is gone.", "Undo, or start again.")
        copy = original.copy()
        copy.dof.use_dof = False
        self.added.append(copy)
        return copy


@contextmanager
def staged(
    scene: bpy.types.Scene,
    plan: Plan,
    light: str,
    layers: dict[int, NDArray[np.float32]],
    masks: Sequence[Mask] = (),
) -> Iterator[Stage]:
    """The plan's objects, to stand `at` a moment. light: STUDIO, SCENE for the scene's own, or WHOLE for all else of
    it, too.

    layers: the UV maps that were made, by target; those that are missing are made. masks: those that will be baked."""
    stage = Stage(bpy.data.scenes.new(_NAME), plan)
    stage.scene.render.fps, stage.scene.render.fps_base = scene.render.fps, scene.render.fps_base
    try:
        for target in plan.targets:
            _add_copy(stage, target, layers)
        shown = [(mask.attribute, _add_image(stage, mask)) for mask in masks]
        for number, sheet in enumerate(plan.sheets):
            _add_materials(stage, sheet, number, shown)
        _add_camera(stage)
        _light(stage, scene, light)
        yield stage
    finally:
        moved = stage.scene.frame_current_final != scene.frame_current_final
        _strike(stage)
        if moved and light != "STUDIO":  # what the stage shows of the artist's has gone along, as far as it is animated
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


def _strike(stage: Stage) -> None:
    """Take the stage away. Removing a scene leaves what its renders keep, which would go on pointing to what is
    removed, and that crashes; so does all else that a graph still holds while it goes: the scene goes first."""
    stage.scene.render.use_persistent_data = False
    if stage.surroundings:  # nothing of the artist's is in a scene that goes
        for item in list(stage.surroundings.objects):
            stage.surroundings.objects.unlink(item)
    stage.scene.world = stage.scene.camera = None
    bpy.data.scenes.remove(stage.scene)
    bpy.data.batch_remove(list(reversed(stage.added)))


def _add_copy(stage: Stage, target: Target, layers: dict[int, NDArray[np.float32]]) -> None:
    item = find_object(target.uid)
    copy, mesh = item.copy(), item.data.copy()
    copy.data = mesh
    stage.added += [mesh, copy]
    # it stands where its original does, whatever that hangs on
    copy.parent = None
    copy.constraints.clear()
    copy.animation_data_clear()
    copy.matrix_world = item.matrix_world
    copy.hide_render = copy.hide_viewport = False
    stage.scene.collection.objects.link(copy)
    stage.copies.append(copy)
    if target.uid in layers:
        write_layer(mesh, target.layer, layers[target.uid])
    elif target.unwrap:
        unwrap(stage.scene, copy)
        layers[target.uid] = read_layer(mesh, target.layer)
    if not mesh.materials:
        mesh.materials.append(None)
    for slot in copy.material_slots:
        slot.link = "OBJECT"


def _add_image(stage: Stage, mask: Mask) -> bpy.types.Image | None:
    image = load_mask(mask)
    stage.added += [image] if image else []
    return image


def _add_materials(stage: Stage, sheet: Sheet, number: int, masks: Sequence[ShownMask]) -> None:
    material, passing = find_material(sheet.material), None
    if material is None:
        material = passing = new_material(sheet.name)
        stage.added.append(passing)
    probe = make_probe(material, masks)
    stage.probes.append(probe)
    facts = bpy.data.materials.new(_NAME)
    facts.pass_index = number + 1
    stage.facts.append(facts)
    stage.added += [*probe.datablocks, facts]


def new_material(name: str) -> bpy.types.Material:
    """For an object that has none: light grey."""
    material = bpy.data.materials.new(name)
    if not compat.NEW_COMPOSITOR:
        material.use_nodes = True
    return material


def _add_camera(stage: Stage) -> None:
    data = bpy.data.cameras.new(_NAME)
    camera = bpy.data.objects.new(_NAME, data)
    data.sensor_width, data.lens = SENSOR, LENS
    stage.added += [data, camera]
    stage.scene.collection.objects.link(camera)
    stage.scene.camera, stage.camera, stage.lens = camera, camera, data


def _light(stage: Stage, scene: bpy.types.Scene, light: str) -> None:
    if light == "STUDIO":
        _light_studio(stage)
        return
    stage.scene.world = scene.world
    if light == WHOLE:
        stage.surroundings = add_surroundings(stage.scene, other_objects(scene, stage.plan))
        stage.added.append(stage.surroundings)
        return
    for item in scene.objects:
        if item.type == "LIGHT" and not item.hide_render:
            stage.scene.collection.objects.link(item)


def _light_studio(stage: Stage) -> None:
    world = compat.new_world(_NAME)
    stage.scene.world = world
    shade = next(node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground")
    shade.inputs["Color"].default_value = (_AMBIENT, _AMBIENT, _AMBIENT, 1)
    data = bpy.data.lights.new(_NAME, "SUN")
    sun = bpy.data.objects.new(_NAME, data)
    data.energy, data.angle = _SUN, 0.5
    # it hangs on the camera: up and to the left of whoever looks
    sun.parent, sun.rotation_euler = stage.camera, (-0.6, -0.5, 0)
    stage.added += [world, data, sun]
    stage.scene.collection.objects.link(sun)


def set_render(scene: bpy.types.Scene, side: int, samples: int) -> None:
    """Cycles, square, nothing behind the objects, nothing in the file that differs from run to run."""
    render, cycles = scene.render, scene.cycles
    render.engine, render.film_transparent = "CYCLES", True
    render.resolution_x = render.resolution_y = side
    render.resolution_percentage = 100
    render.use_compositing = render.use_sequencer = False
    render.use_persistent_data = True
    render.dither_intensity = 0
    cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = samples, False, False
    cycles.seed = 0
    for name in stamps(render):
        setattr(render, name, False)
