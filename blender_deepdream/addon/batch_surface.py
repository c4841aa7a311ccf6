# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line around dreaming surfaces, for farms and scripts.

blender -b statue.blend -P scripts/surface.py -- --objects Statue,Plinth --size 2048 --output dreamed/
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import bpy

from ..protocol.errors import InputError, StorageError
from ..protocol.region_words import add_region_argument, parse_regions
from ..protocol.settings import DreamSettings
from .cache import Cache, make_folder, scene_cache
from .command_line import (
    Parser,
    add_server_arguments,
    connector_as_told,
    existing,
    open_blend,
    run_command,
    tell,
)
from .paths import chosen_folder
from .surface.job import SurfaceJob, dream_surface


def main(arguments: Sequence[str]) -> int:
    """Dream as the arguments say; returns the exit code."""
    return run_command(arguments, _parser(), _run, "Rendered views are kept: the same command goes on.")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="surface.py",
        description="Dream the textures of objects through views from all sides. Run it again to go on.",
    )
    parser.add_argument("blend", nargs="?", type=Path, help="scene to open; with blender -b it is open already")
    parser.add_argument("--objects", metavar="A,B", help="by name; default: those that are selected in the file")
    parser.add_argument("--output", metavar="DIR", required=True, help="gets the textures and a .blend")
    parser.add_argument("--size", metavar="N", type=int, help="side of the textures")
    parser.add_argument("--views", metavar="N", type=int, help="cameras around the objects")
    parser.add_argument("--view-size", metavar="N", type=int, help="side of each camera's picture")
    parser.add_argument(
        "--from", dest="spread", choices=("SPHERE", "HEMISPHERE", "CAMERA"), help="where views are taken"
    )
    parser.add_argument(
        "--light", choices=("STUDIO", "SCENE", "WHOLE"), help="a neutral studio, the scene's light, or all of the scene"
    )
    parser.add_argument("--moments", metavar="N", type=int, help="frames of the scene's range that views are taken at")
    parser.add_argument("--relief", metavar="DEPTH", type=float, help="how deep a relief is dreamed, too; 0: none")
    parser.add_argument("--mask", metavar="NAME", help="colour attribute that says where to dream")
    parser.add_argument("--uvs", choices=("AUTO", "ARTIST", "OWN"), help="which UV maps the textures lie on")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a setting of the dream")
    parser.add_argument("--guide", metavar="IMG", type=Path, help="guide image, for objectives that need one")
    add_region_argument(parser, "in the place of those in the file; a mask is a colour attribute, or an image on UVs")
    parser.add_argument("--cache", metavar="DIR", help="rendered views; default: beside the .blend")
    parser.add_argument("--again", action="store_true", help="render views again even where they are still good")
    add_server_arguments(parser)
    return parser


def _run(options: argparse.Namespace, stdout: TextIO, interrupted: threading.Event) -> None:
    if options.blend:
        open_blend(options.blend)
    job = _job(options)
    last: object = None
    with closing(dream_surface(job)) as events:
        for event in events:
            if interrupted.is_set():
                raise KeyboardInterrupt
            news = event if options.json else (event.doing, event.note)
            if news != last:
                data = {"fraction": round(event.fraction, 4), "text": event.text, "note": event.note}
                tell(data, event.note or event.doing, stdout, as_json=options.json)
            last = news
    _save(job.output, Path(bpy.data.filepath).stem or "surface")
    end = {"output": str(options.output), "textures": len(job.album.plan.sheets)}
    tell(end, f"-> {options.output}", stdout, as_json=options.json)


def _job(options: argparse.Namespace) -> SurfaceJob:
    scene = bpy.context.scene
    settings = scene.deepdream.surface
    numbers = {"size": options.size, "views": options.views, "side": options.view_size, "moments": options.moments}
    numbers["relief"] = options.relief
    for name, value in numbers.items():
        if value is not None:
            _set(settings, name, value)
    settings.mask = settings.mask if options.mask is None else options.mask
    for name in ("uvs", "spread", "light"):
        setattr(settings, name, getattr(options, name) or getattr(settings, name))
    regions = parse_regions(options.region)
    for guide in (region.guide for region in regions if region.guide):
        existing(Path(guide))
    job = settings.to_job(
        scene,
        _objects(options.objects),
        Cache(chosen_folder(options.cache)) if options.cache else scene_cache(scene),
        connector_as_told(options),
        changes=dict(DreamSettings.parse_assignment(text) for text in options.set),
        guide=existing(options.guide),
        typed=regions,
    )
    job.album.again = options.again
    return replace(job, output=make_folder(chosen_folder(options.output)))


def _set(settings: bpy.types.PropertyGroup, name: str, value: float) -> None:
    """Raises InputError for a value out of range, which Blender would clip without a word."""
    rule = settings.bl_rna.properties[name]
    if not rule.hard_min <= value <= rule.hard_max:
        raise InputError(f"{rule.name} must be from {rule.hard_min} to {rule.hard_max}.")
    setattr(settings, name, value)


def _objects(names: str | None) -> list[bpy.types.Object]:
    """Raises InputError for a name that no object of the scene has."""
    scene = bpy.context.scene
    if names is None:
        return [item for item in scene.objects if item.select_get()]
    return list(_named(scene, names.split(",")))


def _named(scene: bpy.types.Scene, names: Sequence[str]) -> Iterator[bpy.types.Object]:
    for name in names:
        if name not in scene.objects:
            known = ", ".join(item.name for item in scene.objects if item.type == "MESH")
            raise InputError(f"There is no object {name!r} in this scene.", f"Its meshes: {known or 'none'}.")
        yield scene.objects[name]


def _save(folder: Path, stem: str) -> None:
    """A copy of the .blend beside the textures. Raises StorageError."""
    path = folder / f"{stem}.blend"
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, relative_remap=True, check_existing=False)
    except RuntimeError as error:
        raise StorageError(f"{path} cannot be written: {str(error).strip()}") from error
