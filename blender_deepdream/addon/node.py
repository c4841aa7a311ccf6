# SPDX-License-Identifier: GPL-3.0-or-later
"""The DeepDream node: a node group that passes its image through until there is a dream to show.

Inside the group: Group Input -> Switch <- Image (the dreamed frames as a sequence) -> Group Output. The switch is set
for each frame by whether its dream lies on disk, so frames that have not dreamed yet show what came in, and a file
opened without the add-on still shows its last result.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..protocol.errors import SceneError
from . import compat
from .links import is_filmed, is_moved, rendered_scene, upstream_first
from .regions import READER

_IMAGE, _SWITCH = "Dream", "Show Dream"
_LAST_FRAME = 1_048_574
"""Blender's own limit."""


@dataclass(frozen=True)
class DreamNode:
    """One DeepDream node of a scene, held by its id: Blender's own references do not outlive an undo.

    level: 0 for nodes that see no other dream; a node's level is one above the highest it depends on.
    linked, masked: whether something is linked to its Image and Mask. moved: whether its image does not lie where a
    file's pixels would, because a node before it moved it. regions: identifiers of the linked inputs of its regions.
    rendered: the scene whose render the image is, pixel over pixel; empty where it is none, or bent. filmed: whether it
    comes from image files or a movie.
    """

    id: str
    name: str
    level: int
    linked: bool
    masked: bool
    moved: bool
    regions: tuple[str, ...] = ()
    rendered: str = ""
    filmed: bool = False

    @property
    def group(self) -> bpy.types.NodeTree:
        """The node's group. Raises SceneError if it has been deleted meanwhile."""
        for group in bpy.data.node_groups:
            if group.deepdream.id == self.id:
                return group
        raise SceneError(f"The DeepDream node {self.name!r} was deleted.", "Undo, or start again.")

    @property
    def folder_name(self) -> str:
        """A readable name that stays the node's own: `DeepDream-1f0c23ab`."""
        readable = re.sub(r"[^0-9A-Za-z]+", "-", self.name).strip("-")[:40] or "node"
        return f"{readable}-{self.id[:8]}"


def is_dream_group(tree: bpy.types.NodeTree | None) -> bool:
    return tree is not None and bool(tree.deepdream.id)


def dream_group_of(node: bpy.types.Node | None) -> bpy.types.NodeTree | None:
    """The group of a DeepDream node; None for every other node."""
    group = getattr(node, "node_tree", None)
    return group if is_dream_group(group) else None


def shown_group(context: bpy.types.Context) -> bpy.types.NodeTree | None:
    """The group that a compositor's sidebar shows: that of the active DeepDream node, or of the first one."""
    tree = getattr(context.space_data, "edit_tree", None)
    nodes = [tree.nodes.active, *tree.nodes] if tree else []
    return next(filter(None, map(dream_group_of, nodes)), None)


def new_group() -> bpy.types.NodeTree:
    """A DeepDream group with default settings and an id of its own."""
    group = bpy.data.node_groups.new("DeepDream", "CompositorNodeTree")
    group.deepdream.id = uuid.uuid4().hex
    group.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    mask = group.interface.new_socket("Mask", in_out="INPUT", socket_type="NodeSocketFloat")
    mask.default_value, mask.min_value, mask.max_value = 1.0, 0.0, 1.0
    mask.description = "Where and how strongly to dream: 0 nothing, 1 fully"
    group.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    source, output = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    dream, switch = group.nodes.new("CompositorNodeImage"), group.nodes.new("CompositorNodeSwitch")
    dream.name = dream.label = _IMAGE
    switch.name = switch.label = _SWITCH
    source.location, dream.location, switch.location, output.location = (-400, 100), (-400, -100), (0, 0), (440, 0)
    off, on = compat.switch_inputs(switch)
    group.links.new(source.outputs[0], off)
    group.links.new(dream.outputs["Image"], on)
    group.links.new(_touched_by_mask(group, switch.outputs[0], source.outputs[1]), output.inputs[0])
    compat.set_switch(switch, False)
    return group


def _touched_by_mask(
    group: bpy.types.NodeTree, image: bpy.types.NodeSocket, mask: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """The image, bit for bit, by way of nodes that read the mask: Blender greys out inputs that nothing reads."""
    never, (mix, factor, shown, _) = compat.math_node(group, "LESS_THAN"), compat.mix_node(group)
    never.label = mix.label = READER
    never.location, mix.location = (0, -180), (220, 0)
    never.inputs[1].default_value = -math.inf
    group.links.new(mask, never.inputs[0])
    group.links.new(never.outputs[0], factor)
    group.links.new(image, shown)
    return compat.mix_result(mix)


def add_node(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """A DeepDream node in a compositor tree, not linked to anything yet."""
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = new_group()
    node.name = node.label = "DeepDream"
    node.width = 180
    return node


def insert_before_output(scene: bpy.types.Scene) -> bpy.types.Node:
    """A DeepDream node between the scene's output and what was linked to it. Raises SceneError.

    Its id follows from the scene's name: a batch that adds it anew in every run finds its dreams again.
    """
    tree = compat.make_compositor_tree(scene)
    target = compat.output_socket(tree)
    if target is None or not target.is_linked:
        raise SceneError("Nothing is linked to the compositor's output.", "Link an image to it first.")
    source, output = target.links[0].from_socket, target.node
    node = add_node(tree)
    node.node_tree.deepdream.id = hashlib.sha256(scene.name.encode()).hexdigest()[:32]
    node.location = output.location
    output.location.x += node.width + 60
    tree.links.new(source, node.inputs["Image"])
    tree.links.new(node.outputs["Image"], target)
    return node


def reaches_output(scene: bpy.types.Scene) -> bool:
    """Whether anything is linked to the compositor's output: else its frames are black."""
    tree = compat.compositor_tree(scene)
    target = compat.output_socket(tree) if tree else None
    return target is not None and target.is_linked


def find_nodes(scene: bpy.types.Scene) -> list[DreamNode]:
    """The scene's DeepDream nodes, those that others depend on first; muted ones are left out.

    Raises SceneError where one cannot dream: inside a group that is used twice, or in a linked library.
    """
    tree = compat.compositor_tree(scene)
    if tree is None:
        return []
    found: list[DreamNode] = []
    _collect(tree, 0, found)
    ids = [dream.id for dream in found]
    if twice := next((dream for dream in found if ids.count(dream.id) > 1), None):
        raise SceneError(
            f"The DeepDream node {twice.name!r} lies in a node group that is used twice, so it has two inputs.",
            "Make that group a single user: click the number beside its name.",
        )
    if locked := next((dream for dream in found if dream.group.library), None):
        raise SceneError(
            f"The DeepDream node {locked.name!r} is linked from another file.",
            "Dream there, or make it local: click the chain beside its group's name.",
        )
    return sorted(found, key=lambda dream: dream.level)


def _collect(tree: bpy.types.NodeTree, base: int, found: list[DreamNode]) -> int:
    """Add the tree's DeepDream nodes to `found`; `base`: how many dreams lie before the tree. Returns the depth."""
    depth: dict[str, int] = {}
    for node in upstream_first(tree):
        before = max((depth[link.from_node.name] for socket in node.inputs for link in socket.links), default=base)
        depth[node.name] = before
        inner = getattr(node, "node_tree", None)
        if node.mute or inner is None:
            continue
        if is_dream_group(inner):
            image, mask = node.inputs[0], node.inputs[1]
            name = node.label or node.name
            moved, regions = is_moved(image), _linked_regions(node)
            state = (image.is_linked, _used(mask), moved, regions, rendered_scene(image), is_filmed(image))
            found.append(DreamNode(inner.deepdream.id, name, before, *state))
            depth[node.name] = before + 1
        else:
            depth[node.name] = _collect(inner, before, found)
    return max(depth.values(), default=base)


def _used(mask: bpy.types.NodeSocket) -> bool:
    return mask.is_linked or mask.default_value < 1


def _linked_regions(node: bpy.types.Node) -> tuple[str, ...]:
    sockets = {entry.socket for entry in node.node_tree.deepdream.regions}
    return tuple(socket.identifier for socket in node.inputs if socket.identifier in sockets and socket.is_linked)


def separate_copies() -> None:
    """Give every copied DeepDream node settings and results of its own (Shift-D, append and new scenes share them)."""
    seen: set[str] = set()
    for group in sorted(filter(is_dream_group, bpy.data.node_groups), key=lambda group: group.session_uid):
        if group.deepdream.id in seen and not group.library:
            forget_results(group)
        seen.add(group.deepdream.id)
    used: set[bpy.types.NodeTree] = set()
    for node in list(dream_nodes()):
        if node.node_tree not in used:
            used.add(node.node_tree)
            continue
        copy = node.node_tree.copy()
        if copy.animation_data and copy.animation_data.action:
            copy.animation_data.action = copy.animation_data.action.copy()
        forget_results(copy)
        node.node_tree = copy


def dream_nodes() -> Iterator[bpy.types.Node]:
    """All of this file, in all trees, but those in linked ones."""
    trees = [*bpy.data.node_groups, *filter(None, map(compat.compositor_tree, bpy.data.scenes))]
    for tree in (tree for tree in dict.fromkeys(trees) if tree.bl_idname == "CompositorNodeTree"):
        yield from (node for node in tree.nodes if dream_group_of(node) and not tree.library)


def forget_results(group: bpy.types.NodeTree, *, keep_id: bool = False) -> None:
    """Let the node pass its input through; without `keep_id` it is another node from now on."""
    if not keep_id:
        group.deepdream.id = uuid.uuid4().hex
    group.nodes[_IMAGE].image = None
    compat.set_switch(group.nodes[_SWITCH], False)


def show_dreams(dream: DreamNode, path: Path, scene: bpy.types.Scene) -> None:
    """Let the node show the folder of dreams ####.exr in which `path`, newly written, lies."""
    group = dream.group
    node = group.nodes[_IMAGE]
    if is_new := node.image is None:
        node.image = bpy.data.images.load(str(path))
        node.image.name = f"Dream of {dream.name}"
    image = node.image
    # always by the name of frame 1, there or not: Blender counts a sequence's digits in it
    image.filepath = _relative(frame_path(path.parent, 1))
    image.source = "SEQUENCE"
    # the file holds numbers of the working space and premultiplied alpha, as the compositor does: take them as they are
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
    node.frame_start, node.frame_offset, node.frame_duration = 0, -1, _LAST_FRAME
    image.reload()
    show_frame(group, scene.frame_current)
    if is_new and not bpy.app.background:
        # an undo takes away images that it knows nothing of, from under nodes that it leaves alone: Blender would crash
        bpy.ops.ed.undo_push(message="Show Dream")


def _relative(path: Path) -> str:
    """A path inside the .blend's folder, seen from there: the project may move, with its dreams."""
    home = Path(bpy.data.filepath).parent if bpy.data.filepath else None
    return f"//{path.relative_to(home).as_posix()}" if home and path.is_relative_to(home) else str(path)


def show_frame(group: bpy.types.NodeTree, frame: int) -> None:
    """Show the dream of this frame if it has one, else what comes in."""
    image, switch = group.nodes.get(_IMAGE), group.nodes.get(_SWITCH)
    if image is None or switch is None:
        return  # the artist has rebuilt the inside: it is theirs
    folder = Path(bpy.path.abspath(image.image.filepath)).parent if image.image else None
    compat.set_switch(switch, folder is not None and frame_path(folder, frame).exists())


def show_all(frame: int) -> None:
    """The same of all nodes of this file."""
    for group in filter(is_dream_group, bpy.data.node_groups):
        if not group.library:
            show_frame(group, frame)


def frame_path(folder: Path, frame: int) -> Path:
    return folder / f"{frame:04d}.exr"
