# SPDX-License-Identifier: GPL-3.0-or-later
"""Try settings without waiting for a whole frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import bpy

from ...protocol.errors import SceneError
from .. import live_preview
from ..cache import scene_cache
from ..preferences import server_address
from ..target import aimed_group
from .dream import DreamOperator
from .running import Steps, WorkOperator, connector

if TYPE_CHECKING:
    from ..quick_test import QuickTest
    from ..run import Job


class DEEPDREAM_OT_quick_test(DreamOperator, bpy.types.Operator):
    """Dream this frame small, or only in the render border where one is set, and show it in the Image Editor. Shapes
    are larger in a small frame than they will be; a border shows their true size. The node and its dreams stay as they
    are"""

    bl_idname = "deepdream.quick_test"
    bl_label = "Quick Test"

    percentage: bpy.props.IntProperty(
        name="Size",
        description="Of the frame's width and height, where no render border is set",
        default=25,
        min=1,
        max=100,
        subtype="PERCENTAGE",
    )

    kept: ClassVar[str] = "The node's dreams are as they were."

    def finish(self, context: bpy.types.Context) -> None:
        WorkOperator.finish(self, context)
        live_preview.end_preview()

    def make_job(self, context: bpy.types.Context) -> Job:
        from ..run import Job

        scene = context.scene
        return Job(scene, [scene.frame_current], scene_cache(scene), connector(), where=server_address())

    def make_steps(self, context: bpy.types.Context, patience: float) -> Steps:
        from ..quick_test import QuickTest

        group = aimed_group(context)
        if group is None:
            raise SceneError("The compositor has no DeepDream node.", "Add one: Add > DeepDream in the compositor.")
        job = self.make_job(context)
        job.patience = patience
        return self._tested(QuickTest(job, group.deepdream.id, self.percentage, live_preview.test_path()))

    def _tested(self, test: QuickTest) -> Steps:
        from ..quick_test import quick_test

        yield from quick_test(test)
        live_preview.show_test()


classes = (DEEPDREAM_OT_quick_test,)
