# SPDX-License-Identifier: GPL-3.0-or-later
"""The replay render engine: rendered passes, read back from their EXR file, enter the artist's compositor tree again.

3D is rendered once. Whatever is composited after that, to capture what a DeepDream node sees or for the final frame,
starts from the same pixels, in milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import bpy

from ..protocol.errors import DeepDreamError
from .exr import RenderPass, read_contents

_SOCKET_OF = {"RGBA": "COLOR", "RGB": "COLOR", "rgba": "COLOR"}
"""Small letters: Cryptomatte, whose numbers are no colours but travel as such."""


class ReplayEngine(bpy.types.RenderEngine):
    """`sources` maps a scene's name to the file that holds its passes for the frame about to be composited."""

    bl_idname = "DEEPDREAM_REPLAY"
    bl_label = "DeepDream Replay"
    bl_use_preview = False
    bl_use_postprocess = True

    sources: ClassVar[dict[str, Path]] = {}
    failures: ClassVar[list[str]] = []
    """What went wrong inside `render`: Blender prints an exception there and goes on with a black image."""

    def update_render_passes(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> None:
        """Give the Render Layers nodes the sockets of the engine that rendered, so that their links hold."""
        for item in self._passes(scene, layer.name):
            kind = "VALUE" if len(item.channels) == 1 else _SOCKET_OF.get(item.channels, "VECTOR")
            self.register_pass(scene, layer, item.name, len(item.channels), item.channels, kind)

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        scene, layer = depsgraph.scene, depsgraph.view_layer.name
        source = self.sources.get(scene.name)
        if source is None:
            self.error_set("The replay engine works for DeepDream only: choose Cycles or EEVEE to render.")
            return
        try:
            self._replay(scene, layer, source)
        except (RuntimeError, DeepDreamError) as error:
            self.failures.append(f"{source}: {error}")

    def _replay(self, scene: bpy.types.Scene, layer: str, source: Path) -> None:
        for item in self._passes(scene, layer):
            self.add_pass(item.name, len(item.channels), item.channels, layer=layer)
        result = self.begin_result(0, 0, self.resolution_x, self.resolution_y, layer=layer)
        result.load_from_file(str(source))
        self.end_result(result)

    def _passes(self, scene: bpy.types.Scene, layer: str) -> list[RenderPass]:
        source = self.sources.get(scene.name)
        return [item for item in read_contents(source).passes if item.layer == layer] if source else []


classes = (ReplayEngine,)
