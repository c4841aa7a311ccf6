# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a DeepDream node as Blender properties, made from the knobs of `protocol.settings`."""

from __future__ import annotations

import bpy

from ..protocol.nothing import KINDS
from ..protocol.settings import KNOBS
from . import after_render, compat
from .activity import ACTIVITY, DeepDreamActivity
from .dataset_properties import DeepDreamDatasetSettings
from .dream_properties import Dreamable, dream_properties
from .image_properties import DeepDreamImageSettings
from .knob_properties import choice_items
from .region_properties import DeepDreamRegion, DeepDreamSurfaceRegion
from .surface_properties import DeepDreamSurfaceSettings
from .training_properties import DeepDreamTrainingSettings


class DeepDreamNodeSettings(Dreamable, bpy.types.PropertyGroup):
    """Stored on the node's own node group, so that settings travel, animate and append with it.

    id: 32 hexadecimal digits that name the node's results in the cache; empty on a group that is no DeepDream node.
    guide: for the objectives that need one. source: "image" for what reaches the node, or an image of nothing.
    fade: of weights in layers, the regions' too. endless: whether each frame dreams from the dream of the frame before.
    region: the one shown, by its place.
    """

    knobs = tuple(KNOBS)

    __annotations__ = {
        "id": bpy.props.StringProperty(options={"HIDDEN"}),
        "source": bpy.props.EnumProperty(
            name="Source",
            description="What dreams: the image that reaches the node, or an image of nothing of the same size",
            items=choice_items(("image", *KINDS)),
        ),
        "endless": bpy.props.BoolProperty(
            name="Feed on Frame Before",
            description="Dream each frame from the dream of the frame before, moved by Zoom, Rotate and Shift: an "
            "endless zoom. The first frame dreams from the image, as it lies. Choose Color: Source, else colors drift",
        ),
        "fade": bpy.props.FloatProperty(
            name="Fade",
            description="How far weights like 1..0 have gone from the first number to the second. Keyframe it to cross-"
            "fade layers and brains: _blocks.4=1..0, squeezenet::fire9=0..1",
            min=0,
            max=1,
            subtype="FACTOR",
        ),
        "regions": bpy.props.CollectionProperty(type=DeepDreamRegion),
        "region": bpy.props.IntProperty(options={"HIDDEN"}),
        **dream_properties(KNOBS.values()),
    }

    @property
    def fades(self) -> bool:
        """Whether any layer has a weight that fades."""
        return any(".." in text for text in (self.layers, *(region.layers for region in self.regions)))

    @property
    def faded(self) -> float:
        return self.fade


class DeepDreamSceneSettings(bpy.types.PropertyGroup):
    """What concerns a scene's dreams as a whole."""

    __annotations__ = {
        "cache": bpy.props.StringProperty(
            name="Cache",
            description="Folder for rendered passes and dreams; empty: beside the .blend file",
            subtype="DIR_PATH",
            options=compat.BESIDE_BLEND,
        ),
        "rerender": bpy.props.BoolProperty(
            name="Render 3D Again", description="Render the scene again even where rendered passes are still good"
        ),
        "after_render": bpy.props.BoolProperty(
            name="Dream After Render",
            description="When a render of yours has ended, dream what it rendered: after an image its frame, after an "
            "animation all frames, which are written again. 3D is rendered once more where its passes are not kept yet",
            update=lambda _settings, _context: after_render.begin(),
        ),
        "dataset": bpy.props.PointerProperty(type=DeepDreamDatasetSettings),
        "training": bpy.props.PointerProperty(type=DeepDreamTrainingSettings),
        "surface": bpy.props.PointerProperty(type=DeepDreamSurfaceSettings),
        "image": bpy.props.PointerProperty(type=DeepDreamImageSettings),
    }


class DeepDreamState(bpy.types.PropertyGroup):
    """The same of dreaming, and of what may run beside it; lives on the window manager and is never saved."""

    __annotations__ = {
        **ACTIVITY,
        "dataset": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "training": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "surface": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "image": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "server": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "connection": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
        "brains": bpy.props.PointerProperty(type=DeepDreamActivity, options={"HIDDEN", "SKIP_SAVE"}),
    }


classes = (
    DeepDreamRegion,
    DeepDreamNodeSettings,
    DeepDreamDatasetSettings,
    DeepDreamTrainingSettings,
    DeepDreamSurfaceRegion,
    DeepDreamSurfaceSettings,
    DeepDreamImageSettings,
    DeepDreamSceneSettings,
    DeepDreamActivity,
    DeepDreamState,
)

_POINTERS = (
    (bpy.types.NodeTree, DeepDreamNodeSettings),
    (bpy.types.Scene, DeepDreamSceneSettings),
    (bpy.types.WindowManager, DeepDreamState),
)


def register() -> None:
    for owner, settings in _POINTERS:
        owner.deepdream = bpy.props.PointerProperty(type=settings)


def unregister() -> None:
    for owner, _ in _POINTERS:
        del owner.deepdream
