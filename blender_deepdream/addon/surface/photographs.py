# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures that a dream of surfaces sees, on their way to the cache.

Files of the cache are good while their records agree with what they show, so a run that was killed goes on with what
it has, and another dream of the same objects renders nothing.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.surface import Sheet, View
from .. import cache as files
from ..cache import Cache
from .choices import OWN_CAMERA, WHOLE
from .close_ups import close_ups
from .identity import light_facts, stage_hash
from .regions import Mask
from .shots import Cameras, Moment, Shot, around, directions, moments
from .stage import Stage, staged
from .targets import Plan
from .views import KINDS, bake_colors, bake_masks, prepare, render_view

REGION_SIDE = 2048
"""Largest side of a region's mask: it says where, and has no detail of its own."""


@dataclass
class Album:
    """All that one run photographs, and what it has found out meanwhile.

    size: of the sheets. again: whether what earlier runs have rendered is rendered again. mask: says how strongly to
    dream; None: fully. regions: their masks. rendered: by this run. layers: UV maps that it has made, by target.
    good: files that it has found to be, with their keys' reprs. moments: set by `arrange`. shots: set once a stage
    stands.
    """

    plan: Plan
    cache: Cache
    cameras: Cameras
    size: int
    again: bool = False
    mask: Mask | None = None
    regions: tuple[Mask, ...] = ()
    rendered: set[Path] = field(default_factory=set)
    good: dict[Path, str] = field(default_factory=dict)
    layers: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)

    def arrange(self, scene: bpy.types.Scene) -> None:
        """Look where everything stands at the frames that views are taken at. Raises SceneError."""
        self.moments = moments(scene, self.plan, self.cameras)

    @property
    def masks(self) -> list[tuple[Mask, int]]:
        """All masks, and the side that each is baked at: the first is the dream's own if it has one."""
        own = [(self.mask, self.size)] if self.mask else []
        return [*own, *((mask, min(self.size, REGION_SIDE)) for mask in self.regions)]

    def staged(self, scene: bpy.types.Scene) -> AbstractContextManager[Stage]:
        """Copies of the objects in a passing scene. Raises SceneError."""
        return staged(scene, self.plan, self.cameras.light, self.layers, [mask for mask, _ in self.masks])


@dataclass
class Rendered:
    """What is known of the views. regions: blobs of the masks of each, by sheet. files: of the blobs, by hash."""

    views: list[View] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    regions: list[list[str]] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def take(self, path: Path, blob: str) -> str:
        """Note where a blob lies, if there is one."""
        if blob:
            self.files[blob] = path
        return blob


class _Baked(NamedTuple):
    """A mask of all sheets. key: what it depends on."""

    side: int
    paths: list[Path]
    key: dict[str, object]


class _Picture(NamedTuple):
    """One file, or one of each sheet. key: what it depends on. make: renders it into the cache."""

    paths: list[Path]
    key: dict[str, object]
    make: Callable[[], None]


class Photographs:
    """The pictures of a stage."""

    def __init__(self, album: Album, stage: Stage, scene: bpy.types.Scene) -> None:
        self._album, self._stage, self._prepared = album, stage, ""
        cameras = album.cameras
        lights = light_facts(scene) if cameras.light != "STUDIO" else []
        name = stage_hash(stage, album.moments, cameras.light, lights)
        self._key: dict[str, object] = {"stage": name, "side": cameras.side}
        self._folder = files.make_folder(album.cache.root / "surface" / name[:16])
        stage.at(album.moments[0])
        album.shots = album.shots or _shots(stage, album.moments, cameras)

    @property
    def total(self) -> int:
        """How many pictures there will be."""
        return 1 + len(self._album.masks) + len(self._kinds) * len(self._album.shots)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return KINDS if self._album.cameras.light == WHOLE else KINDS[:-1]

    def make(self, may_begin: Callable[[], bool]) -> Iterator[int]:
        """Render what is not there yet; yields how many pictures there are after each. Ends where none may begin, but
        not before one is made: to look at those that are there takes time, too."""
        made = False
        for done, picture in enumerate(self._pictures(), 1):
            if not self._is_good(picture):
                if made and not may_begin():
                    return
                picture.make()
                made = True
            self._album.good.update(dict.fromkeys(picture.paths, repr(picture.key)))
            yield done

    def _pictures(self) -> Iterator[_Picture]:
        """All of them, those of one kind together."""
        colors = functools.partial(bake_colors, self._stage, self._album.size)
        yield self._baked(self._sheets, self._sheet_key, colors)
        for number, mask in enumerate(self._masks):
            bake = functools.partial(bake_masks, self._stage, mask.side, number=number)
            yield self._baked(mask.paths, mask.key, bake)
        for kind in self._kinds:
            for number, shot in enumerate(self._album.shots):
                paths, key = [self._path(number, kind)], self._view_key(shot, kind)
                yield _Picture(paths, key, functools.partial(self._render, number, kind))

    def _baked(self, paths: list[Path], key: dict[str, object], bake: Callable[[Sequence[Path]], None]) -> _Picture:
        return _Picture(paths, key, functools.partial(self._bake, paths, key, bake))

    def _is_good(self, picture: _Picture) -> bool:
        """What was found good once in this run is not read again, as long as it is there."""
        known = all(self._album.good.get(path) == repr(picture.key) and path.is_file() for path in picture.paths)
        return known or all(self._hash(path, picture.key) for path in picture.paths)

    def gathered(self) -> Rendered:
        """All pictures, which are good."""
        found = Rendered()
        masks = [[found.take(path, self._hash(path, mask.key)) for path in mask.paths] for mask in self._masks]
        own = masks.pop(0) if self._album.mask else [None] * len(self._sheets)
        for path, mask in zip(self._sheets, own, strict=True):
            found.sheets.append(Sheet(found.take(path, self._hash(path, self._sheet_key)), self._album.size, mask))
        found.regions = masks
        for number, shot in enumerate(self._album.shots):
            paths = [(kind, self._path(number, kind), self._view_key(shot, kind)) for kind in self._kinds]
            blobs = {kind: found.take(path, self._hash(path, key)) for kind, path, key in paths}
            x, y, z = (float(place) for place in shot.eye)
            found.views.append(View(**blobs, eye=(x, y, z)))
        return found

    def _bake(self, paths: Sequence[Path], key: Mapping[str, object], bake: Callable[[Sequence[Path]], None]) -> None:
        """Textures of all sheets. bake: writes them where it is told."""
        folder = self._album.cache.scratch("bake")
        bake([folder / path.name for path in paths])
        for path in paths:
            self._keep(folder / path.name, path, key)

    def _render(self, number: int, kind: str) -> None:
        if kind != self._prepared:
            prepare(self._stage, kind, self._album.cameras.side, self._album.cameras.samples)
            self._prepared = kind
        shot = self._album.shots[number]
        self._stage.at(next(moment for moment in self._album.moments if moment.frame == shot.frame))
        self._stage.look(shot)
        path = self._path(number, kind)
        temporary = self._album.cache.scratch("view") / path.name
        render_view(self._stage, temporary)
        self._keep(temporary, path, self._view_key(shot, kind))

    @property
    def _sheets(self) -> list[Path]:
        size = self._album.size
        return [self._folder / f"sheet{number:02d}-{size}.exr" for number in range(len(self._stage.plan.sheets))]

    @property
    def _masks(self) -> list[_Baked]:
        return [self._mask(mask, side) for mask, side in self._album.masks]

    def _mask(self, mask: Mask, side: int) -> _Baked:
        word = hashlib.sha256(f"{mask.facts} {side}".encode()).hexdigest()[:8]
        paths = [path.with_name(f"mask-{word}-{path.name}") for path in self._sheets]
        return _Baked(side, paths, self._sheet_key | {"mask": mask.facts, "side": side})

    @property
    def _sheet_key(self) -> dict[str, object]:
        return {"stage": self._key["stage"], "size": self._album.size}

    def _path(self, number: int, kind: str) -> Path:
        cameras = self._album.cameras
        return self._folder / f"{cameras.spread.lower()}{cameras.count}-{cameras.side}-{number:03d}-{kind}.exr"

    def _view_key(self, shot: Shot, kind: str) -> dict[str, object]:
        samples = 1 if kind == "facts" else self._album.cameras.samples
        return self._key | {"shot": shot.facts, "kind": kind, "samples": samples}

    def _hash(self, path: Path, key: Mapping[str, object]) -> str:
        """Of a good picture; empty if it is to be rendered."""
        stale = self._album.again and path not in self._album.rendered
        return "" if stale else files.good_hash(path, dict(key))

    def _keep(self, temporary: Path, path: Path, key: Mapping[str, object]) -> None:
        files.keep(temporary, path, key)
        self._album.rendered.add(path)


def _shots(stage: Stage, when: Sequence[Moment], cameras: Cameras) -> list[Shot]:
    """All cameras, close-ups last. Leaves the stage as it is at the first moment."""
    if cameras.spread == OWN_CAMERA:
        return [moment.shot for moment in when if moment.shot]
    whole = []
    for moment in reversed(when):
        stage.at(moment)
        whole.insert(0, (moment, stage.points))

    def lattice(count: int) -> list[Shot]:
        return around(directions(count, cameras.spread, cameras.turn), whole)

    most = int(cameras.count * cameras.close_ups)
    near = close_ups(stage, lattice(cameras.count - most), most)
    return lattice(cameras.count - len(near)) + near
