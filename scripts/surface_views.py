# SPDX-License-Identifier: GPL-3.0-or-later
"""Render what a dream of surfaces is measured by: the views that it uses, and some that it does not.

    .venv-blender/bin/python scripts/surface_views.py SCENE.blend OUT --objects A,B [--views 36] [--side 384] ...

Leaves OUT/views.json: sheets and views as in a `SurfaceRequest`, but with files in the place of blobs, and places
on the first sheet that can be seen at all.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import render

HELD_OUT = 12
"""Views that are not used, from between those that are."""
NEAR, TIMES = 2, 3
"""Views whose pixels are as small as the texels, and how many times as large as the others they are for that."""
AROUND, PLACES = 160, 3000
"""Cameras that tell what can be seen at all, and how many places on the surface they are asked about."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--objects", required=True)
    parser.add_argument("--views", type=int, default=36)
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--size", type=int, default=2048)
    options = parser.parse_args(arguments)
    bpy.ops.wm.open_mainfile(filepath=str(options.scene.resolve()))
    render.package().register()
    found = photographs(options)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "views.json").write_text(json.dumps(found))


def photographs(options: argparse.Namespace) -> dict[str, Any]:
    from blender_deepdream.addon.cache import Cache
    from blender_deepdream.addon.surface.photographs import Album
    from blender_deepdream.addon.surface.shots import Cameras
    from blender_deepdream.addon.surface.targets import make_plan

    plan = make_plan([bpy.data.objects[name] for name in options.objects.split(",")], "AUTO")
    album = Album(plan, Cache(options.out.resolve()), Cameras(options.views, side=options.side), options.size)
    others = replace(album, cameras=replace(album.cameras, count=HELD_OUT, turn=math.pi / 7, close_ups=0.0), shots=[])
    near = replace(others, cameras=replace(others.cameras, count=NEAR, side=TIMES * options.side, samples=1), shots=[])
    used, held_out, fine = (pictures(one) for one in (album, others, near))
    return {
        "sheets": [str(used.files[sheet.base]) for sheet in used.sheets],
        "size": options.size,
        "used": views_of(used),
        "held_out": views_of(held_out),
        "near": views_of(fine),
        "close_ups": sum(math.dist(view.eye, (0, 0, 0)) < 0.7 * far_of(used) for view in used.views),
        "visible": visible_places(album).tolist(),
    }


def pictures(album: Any) -> Any:
    from blender_deepdream.addon.surface.job import photograph

    steps = photograph(bpy.context.scene, album, math.inf)
    while True:
        try:
            print(next(steps).text, file=sys.stderr)
        except StopIteration as end:
            return end.value


def far_of(rendered: Any) -> float:
    return max(math.dist(view.eye, (0, 0, 0)) for view in rendered.views)


def views_of(rendered: Any) -> list[dict[str, Any]]:
    files = rendered.files
    names = ("dark", "light", "facts")
    return [
        {name: str(files[getattr(view, name)]) for name in names} | {"eye": list(view.eye)} for view in rendered.views
    ]


def visible_places(album: Any) -> Any:
    """Nx2: where on the sheet places lie that some camera all around can see, each texel as likely as any other."""
    from blender_deepdream.addon.surface.close_ups import seen_by, throw
    from blender_deepdream.addon.surface.shots import around, directions
    from blender_deepdream.addon.surface.stage import staged

    with staged(bpy.context.scene, album.plan, "STUDIO", album.layers) as stage:
        stage.at(album.moments[0])
        places = throw(stage, PLACES)
        shots = around(directions(AROUND, "SPHERE", 0.3), [(album.moments[0], stage.points)])
        seen = np.max([seen_by(stage, shot, places) for shot in shots], axis=0)
        return places.texels[seen > 0]


if __name__ == "__main__":
    main(render.arguments())
    render.end(0)
