# SPDX-License-Identifier: GPL-3.0-or-later
"""Three ways to make Blender render: 3D only, a capture of what DeepDream nodes see, and the finished frame.

Each leaves the scene exactly as it found it. Nothing here knows caches or servers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import bpy

from ..protocol.errors import CancelledError, RenderError, SceneError
from . import changes, compat
from .interruption import uninterrupted
from .node import DreamNode
from .regions import inner_socket
from .render_job import rendered_meanwhile, to_its_end
from .replay import ReplayEngine
from .restore import Restore
from .written import check_written

_PASSING_STAMPS = {"use_stamp_date", "use_stamp_render_time", "use_stamp_memory", "use_stamp_hostname"}
_FRAME = (
    *("resolution_x", "resolution_y", "resolution_percentage", "use_border", "use_crop_to_border"),
    *("border_min_x", "border_max_x", "border_min_y", "border_max_y"),
)
_Way = Callable[..., Iterator[None]]
"""How Blender is made to render a scene: at once, or as a job of its own, whose steps it yields. Gets the scene, what
is set otherwise for it, and what the operator is to do beside that."""
_FORMAT = ("exr_codec", "compression", "quality", "color_depth", "color_mode", "file_format")


def rendered_scenes(scene: bpy.types.Scene) -> list[bpy.types.Scene]:
    """The scene and those that Render Layers nodes of its compositor take from elsewhere."""
    tree = compat.compositor_tree(scene)
    used = [node.scene for node in _all_nodes(tree) if node.bl_idname == "CompositorNodeRLayers" and node.scene]
    return list(dict.fromkeys([scene, *used]))


def check_scene(scene: bpy.types.Scene) -> None:
    """Raises SceneError if the scene cannot be rendered or what it asks for is not supported."""
    for used in rendered_scenes(scene):
        if used.camera is None:
            raise SceneError(f"The scene {used.name!r} has no camera.", "Add one: Add > Camera, then Ctrl-Numpad 0.")
        if used.render.engine == ReplayEngine.bl_idname:
            raise SceneError(f"The scene {used.name!r} renders with the replay engine.", "Choose Cycles or EEVEE.")
        if used.render.use_multiview:
            raise SceneError("Stereoscopic scenes cannot dream yet.", "Switch off Output > Stereoscopy.")
    if not any(layer.use for layer in scene.view_layers):
        raise SceneError(f"No view layer of {scene.name!r} is rendered.", "Switch on Use for Rendering on one.")


def render_3d(scene: bpy.types.Scene, path: Path, main: bpy.types.Scene | None = None) -> None:
    """Render all view layers into one float multilayer EXR, with Depth and, without motion blur, Vector.

    main: the scene whose compositor will use them, if it is another one: it sets size and border, as in Blender.
    Raises RenderError, StorageError or CancelledError.
    """
    with _three_d(scene, main):
        render_still(scene, path)


def render_3d_meanwhile(scene: bpy.types.Scene, path: Path, main: bpy.types.Scene | None = None) -> Iterator[None]:
    """The same in a window that stays alive: yields while Blender renders."""
    with _three_d(scene, main) as restore:
        yield from _render_still(scene, path, restore, rendered_meanwhile)


@contextmanager
def _three_d(scene: bpy.types.Scene, main: bpy.types.Scene | None) -> Iterator[Restore]:
    """A scene that is set to render its 3D alone, with all that is needed of it."""
    with _session(scene) as restore:
        for name in _FRAME if main else ():
            restore.set(scene.render, name, getattr(main.render, name))
        restore.set(scene.render, "use_single_layer", False)
        for layer in scene.view_layers:
            restore.set(layer, "use_pass_z", True)
            restore.set(layer, "use_pass_vector", not scene.render.use_motion_blur)
        restore.set(scene.render, "use_compositing", False)
        # the file holds the border's pixels alone: that is what a replay with the same border reads back
        restore.set(scene.render, "use_crop_to_border", True)
        compat.set_float_exr(scene.render.image_settings, multilayer=True)
        yield restore


def capture(scene: bpy.types.Scene, sources: Mapping[str, Path], dreams: Sequence[DreamNode], folder: Path) -> None:
    """Write what the nodes' inputs get to `folder`: <id>-image.exr, and <id>-mask.exr where a mask is used, and
    <id>-region-<input>.exr for each region's mask that is linked.

    sources: the rendered passes of each scene. Raises SceneError where nothing reaches a node.
    """
    for _ in _capturing(scene, sources, dreams, folder, _at_once):
        pass


def capture_meanwhile(
    scene: bpy.types.Scene, sources: Mapping[str, Path], dreams: Sequence[DreamNode], folder: Path
) -> Iterator[None]:
    """The same in a window that stays alive: yields while Blender composites, which is not to be left half done."""
    with to_its_end():
        yield from _capturing(scene, sources, dreams, folder, rendered_meanwhile)


def _capturing(
    scene: bpy.types.Scene, sources: Mapping[str, Path], dreams: Sequence[DreamNode], folder: Path, render: _Way
) -> Iterator[None]:
    with _session(scene) as restore, _replaying(scene, sources, restore), _capture_nodes(dreams, folder):
        compat.set_float_exr(scene.render.image_settings, multilayer=False)
        yield from render(scene, restore)
    for dream in dreams:
        for kind in ("image", *_mask_inputs(dream)):
            _settle(dream, folder, kind)


def composite(scene: bpy.types.Scene, sources: Mapping[str, Path], path: Path | None, file_format: str = "") -> None:
    """Composite the frame as the artist's tree says, into `path`, or with None into the Render Result only.

    file_format: Blender's name for it; empty: the scene's own. Raises RenderError, StorageError or CancelledError.
    """
    for _ in _compositing(scene, sources, path, file_format, _at_once):
        pass


def composite_meanwhile(
    scene: bpy.types.Scene, sources: Mapping[str, Path], path: Path | None, file_format: str = ""
) -> Iterator[None]:
    """The same in a window that stays alive: yields while Blender composites, which is not to be left half done."""
    with to_its_end():
        yield from _compositing(scene, sources, path, file_format, rendered_meanwhile)


def _compositing(
    scene: bpy.types.Scene, sources: Mapping[str, Path], path: Path | None, file_format: str, render: _Way
) -> Iterator[None]:
    session = _session(scene, mute=path is None, sequencer=scene.render.use_sequencer)
    with session as restore, _replaying(scene, sources, restore):
        if path is None:
            yield from render(scene, restore)
            return
        if file_format:
            compat.set_format(scene.render.image_settings, file_format)
        _restore_stamps(scene, restore)
        if compat.NEW_COMPOSITOR:
            yield from _render_as_animation(scene, path, restore, render)
        else:
            yield from _render_still(scene, path, restore, render)


def render_still(scene: bpy.types.Scene, path: Path) -> None:
    """Render a scene, as it is set, into a file. Raises RenderError, StorageError or CancelledError."""
    for _ in _render_still(scene, path, None, _at_once):
        pass


def _render_still(scene: bpy.types.Scene, path: Path, restore: Restore | None, render: _Way) -> Iterator[None]:
    path.unlink(missing_ok=True)
    scene.render.filepath = compat.literal_path(path)
    yield from render(scene, restore, write_still=True)
    check_written(path)


@contextmanager
def _session(scene: bpy.types.Scene, *, mute: bool = True, sequencer: bool = False) -> Iterator[Restore]:
    """A scene whose output settings may be changed: all are set back at the end.

    mute: whether the artist's File Output nodes write nothing meanwhile.
    """
    render = scene.render
    with changes.not_counted(), Restore() as restore:
        restore.keep(render.image_settings, *_FORMAT)
        if compat.NEW_COMPOSITOR:
            restore.keep(render.image_settings, "media_type")
        restore.keep(render, "filepath")
        restore.set(render, "use_file_extension", True)
        restore.set(render, "use_sequencer", sequencer)
        for name in stamps(render):
            # a date or a render time in the header would give the same pixels another hash every time
            restore.set(render, name, False)
        if mute:
            for node in _file_outputs(scene):
                restore.set(node, "mute", True)
        yield restore


def stamps(render: bpy.types.RenderSettings) -> list[str]:
    """The names of the settings that put something about a render into its file."""
    return [name for name in dir(render) if name.startswith("use_stamp") and name != "use_stamp_labels"]


@contextmanager
def _replaying(scene: bpy.types.Scene, sources: Mapping[str, Path], restore: Restore) -> Iterator[None]:
    """Scenes whose 3D is read from `sources` instead of being rendered."""
    ReplayEngine.sources, ReplayEngine.failures = dict(sources), []
    try:
        for used in rendered_scenes(scene):
            restore.set(used.render, "engine", ReplayEngine.bl_idname)
            restore.set(used.render, "use_freestyle", False)  # its lines are in the passes already
        restore.set(scene.render, "use_compositing", True)
        yield
        if ReplayEngine.failures:
            raise RenderError(f"Rendered passes cannot be read back: {ReplayEngine.failures[0]}", "Render 3D again.")
    finally:
        ReplayEngine.sources = {}


@contextmanager
def _capture_nodes(dreams: Sequence[DreamNode], folder: Path) -> Iterator[None]:
    """File Output nodes inside the DeepDream groups, linked to what comes in."""
    before = {dream.id: set(dream.group.nodes) for dream in dreams}
    try:
        for dream in dreams:
            group = dream.group
            inputs = next(node for node in group.nodes if node.bl_idname == "NodeGroupInput").outputs
            captured = {"image": _on_canvas(inputs[0]) if dream.moved else inputs[0]}
            for kind, identifier in _mask_inputs(dream).items():
                mask = inputs[1] if kind == "mask" else inner_socket(group, identifier)
                captured[kind] = _with_size_of(inputs[0], mask)
            for kind, socket in captured.items():
                output = group.nodes.new("CompositorNodeOutputFile")
                compat.point_file_output(output, folder, f"{dream.id}-{kind}-")
                group.links.new(socket, output.inputs[0])
        yield
    finally:
        for dream in dreams:
            for node in set(dream.group.nodes) - before[dream.id]:
                dream.group.nodes.remove(node)


def _mask_inputs(dream: DreamNode) -> dict[str, str]:
    """The masks that are captured, by the words in their files' names, with the identifiers of regions' inputs."""
    return ({"mask": ""} if dream.masked else {}) | {f"region-{name}": name for name in dream.regions}


def _with_size_of(image: bpy.types.NodeSocket, mask: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The mask as an image, even where it is one value: File Output writes no file for that."""
    whole = compat.math_node(image.id_data, "ADD")
    image.id_data.links.new(_zero(image), whole.inputs[0])
    image.id_data.links.new(mask, whole.inputs[1])
    return whole.outputs[0]


def _on_canvas(image: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The image where it lies on a transparent canvas of the render's size: a file keeps pixels, not their place."""
    tree = image.id_data
    canvas, clear, over = (
        tree.nodes.new("CompositorNodeBoxMask"),
        compat.replace_alpha_node(tree),
        tree.nodes.new("CompositorNodeAlphaOver"),
    )
    clear.inputs["Alpha"].default_value = 0
    tree.links.new(_zero(canvas.outputs[0]), clear.inputs["Image"])
    below, above = (socket for socket in over.inputs if socket.type == "RGBA")
    tree.links.new(clear.outputs[0], below)
    tree.links.new(image, above)
    return over.outputs[0]


def _zero(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """An image of that size which is 0 everywhere, whatever is in it: less than -infinity is nothing, NaN included."""
    never = compat.math_node(socket.id_data, "LESS_THAN")
    never.inputs[1].default_value = -math.inf
    socket.id_data.links.new(socket, never.inputs[0])
    return never.outputs[0]


def _settle(dream: DreamNode, folder: Path, kind: str) -> None:
    """Give a captured file its plain name: Blender adds frame and item to it, in a way that changes with versions."""
    written = sorted(folder.glob(f"{dream.id}-{kind}-*.exr"))
    if len(written) != 1:
        raise SceneError(
            f"Nothing reaches the {kind.capitalize()} input of the DeepDream node {dream.name!r}.",
            "Link it to an image (one colour has no size to dream at), or mute the node.",
        )
    check_written(written[0])
    written[0].replace(folder / f"{dream.id}-{kind}.exr")


def _render_as_animation(scene: bpy.types.Scene, path: Path, restore: Restore, render: _Way) -> Iterator[None]:
    """Render an animation of one frame: from 5.0 on File Output nodes number their files in animations alone."""
    restore.keep(scene, "frame_start", "frame_end")  # before either is set: each pushes the other along
    scene.frame_start = scene.frame_end = scene.frame_current
    for name, value in (("frame_step", 1), ("use_overwrite", True), ("use_placeholder", False)):
        restore.set(scene if name == "frame_step" else scene.render, name, value)
    scene.render.filepath = compat.literal_path(path.with_suffix("")) + "-####"
    written = Path(scene.render.frame_path(frame=scene.frame_current))
    yield from render(scene, restore, animation=True)
    check_written(written)
    written.replace(path)


def _at_once(scene: bpy.types.Scene, _restore: Restore | None, **how: bool) -> Iterator[None]:
    """Blender renders, and does nothing else meanwhile."""
    try:
        with uninterrupted():
            outcome = bpy.ops.render.render(scene=scene.name, **how)
    except RuntimeError as error:
        raise RenderError(f"Blender could not render {scene.name!r}: {str(error).strip()}") from error
    if "CANCELLED" in outcome:
        raise CancelledError("The render was cancelled.")
    yield  # once it is over


def _restore_stamps(scene: bpy.types.Scene, restore: Restore) -> None:
    """The finished frame carries the metadata that the artist asked for.

    All but what differs from run to run, unless it is to be seen in the picture: the same frame has the same bytes.
    """
    burned_in = restore.found(scene.render, "use_stamp")
    for name in stamps(scene.render):
        if burned_in or name not in _PASSING_STAMPS:
            setattr(scene.render, name, restore.found(scene.render, name))


def _file_outputs(scene: bpy.types.Scene) -> list[bpy.types.Node]:
    return [node for node in _all_nodes(compat.compositor_tree(scene)) if node.bl_idname == "CompositorNodeOutputFile"]


def _all_nodes(tree: bpy.types.NodeTree | None) -> Iterator[bpy.types.Node]:
    """The tree's nodes and those of the groups inside, each group once."""
    trees = [tree] if tree else []
    for current in trees:
        for node in current.nodes:
            inner = getattr(node, "node_tree", None)
            if inner is not None and inner not in trees:
                trees.append(inner)
            yield node
