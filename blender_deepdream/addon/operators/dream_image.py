# SPDX-License-Identifier: GPL-3.0-or-later
"""Dream an image: the one in the Image Editor, or the active object's base colour texture."""

from __future__ import annotations

from typing import ClassVar

import bpy

from .. import live_preview
from ..image_check import check_image
from ..languages import reported
from ..material_image import image_of, put_into
from .running import CancelOperator, Event, Steps, WorkOperator, connector, told_at_once


class DEEPDREAM_OT_dream_image(WorkOperator, bpy.types.Operator):
    """Dream this image; the result is a new one, packed into the file"""

    bl_idname = "deepdream.dream_image"
    bl_label = "Dream Image"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    image: bpy.props.StringProperty(name="Image", description="Its name; empty: the one that is shown")

    activity: ClassVar[str] = "image"
    busy: ClassVar[str] = "An image is dreaming: wait for it, or cancel it"
    kept: ClassVar[str] = "The image is as it was."

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..image_dream import ImageJob, dream_image

        settings = context.scene.deepdream.image
        image = check_image(bpy.data.images.get(self.image) if self.image else shown_image(context))
        self._shown = image.name
        job = ImageJob(
            image.session_uid,
            settings.to_settings(),
            settings.guide and settings.guide.session_uid,
            settings.replace,
            connector(),
            self._show_dream,
            patience,
        )
        return dream_image(job)

    def show(self, state: bpy.types.PropertyGroup, event: Event) -> None:
        super().show(state, event)
        if event.preview:
            live_preview.show(event.preview, self._shown)

    def finish(self, context: bpy.types.Context) -> None:
        super().finish(context)
        live_preview.end(bpy.data.images.get(self._shown))

    def _show_dream(self, dream: bpy.types.Image) -> None:
        """From now on the dream is what is shown where the image was."""
        live_preview.instead_of(self._shown, dream)
        self._shown = dream.name


class DEEPDREAM_OT_cancel_image(CancelOperator, bpy.types.Operator):
    """Stop dreaming; the image stays as it is"""

    bl_idname = "deepdream.cancel_image"
    bl_label = "Cancel"

    work = DEEPDREAM_OT_dream_image
    idle = "No image is dreaming"


class DEEPDREAM_OT_image_to_material(bpy.types.Operator):
    """Let the active object's material show this image as its base colour"""

    bl_idname = "deepdream.image_to_material"
    bl_label = "Use in Active Material"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    image: bpy.props.StringProperty(name="Image", description="Its name; empty: the one that is shown")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not (context.object and context.object.active_material):
            cls.poll_message_set(reported("Choose an object with a material first"))
            return False
        return True

    @told_at_once
    def execute(self, context: bpy.types.Context) -> None:
        image = check_image(bpy.data.images.get(self.image) if self.image else shown_image(context))
        put_into(context.object.active_material, image)


def shown_image(context: bpy.types.Context) -> bpy.types.Image | None:
    """The image of the Image Editor; elsewhere the active object's base colour texture."""
    if getattr(context.space_data, "type", "") == "IMAGE_EDITOR":
        return context.space_data.image
    material = context.object.active_material if context.object else None
    return material and image_of(material)


classes = (DEEPDREAM_OT_dream_image, DEEPDREAM_OT_cancel_image, DEEPDREAM_OT_image_to_material)
