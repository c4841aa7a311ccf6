# SPDX-License-Identifier: GPL-3.0-or-later
"""A data set rendered from the scene: pictures of each of its classes from many sides, FOLDER/class/0001.png.

`render_dataset` is a generator, as the pipeline is: each picture yields an event, so a batch drains it and a window
advances it from a timer. Each picture says in its own note what it was made from: one that is still good is kept, and
one that is not ours is never written over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import bpy

from ..protocol.errors import InputError, SceneError, StorageError
from . import changes
from .cache import PROCESS, make_folder, place
from .dataset_scene import Look, photographed, subject_outline
from .outline import Points
from .png_note import read_note, write_note
from .rendering import render_still
from .studio import Cameras, take_picture
from .subjects import Subject, find_objects

_OURS = "DeepDream data set "


@dataclass(frozen=True)
class DatasetJob:
    """What is rendered. folder: where the classes' folders lie. count: pictures of each class.

    again: whether pictures are rendered again that are still good, as far as can be seen.
    """

    scene: bpy.types.Scene
    subjects: Sequence[Subject]
    folder: Path
    count: int
    cameras: Cameras
    look: Look
    seed: int = 0
    again: bool = False


@dataclass(frozen=True)
class PictureDone:
    """Where the work is. done: pictures finished, of `total`. rendered: whether the last one was not there already."""

    subject: str
    done: int
    total: int
    rendered: bool
    note: str = ""

    @property
    def fraction(self) -> float:
        return self.done / self.total

    @property
    def text(self) -> str:
        """One line for people: `Suzanne: picture 12 of 180`."""
        return f"{self.subject}: picture {self.done} of {self.total}"


def render_dataset(job: DatasetJob) -> Iterator[PictureDone]:
    """Render all pictures, class by class. Raises SceneError, StorageError, RenderError; finished pictures stay."""
    scene_id = job.scene.session_uid
    classes = [_class(job, subject) for subject in job.subjects]
    _refuse_others(job)
    done, total = 0, len(classes) * job.count
    for taken in classes:
        make_folder(job.folder / taken.subject.name)
        for number in range(job.count):
            fresh = job.again or read_note(_path(job, taken.subject, number)) != taken.key
            if fresh:
                _render(job, _scene(scene_id), taken, number)
            done += 1
            yield PictureDone(taken.subject.name, done, total, fresh)


class _Class(NamedTuple):
    """A subject, its outline, and what stands in the notes of its pictures."""

    subject: Subject
    points: Points
    key: str


def _class(job: DatasetJob, subject: Subject) -> _Class:
    with changes.not_counted():
        points = subject_outline(job.scene, find_objects(subject))
    if not len(points):
        raise SceneError(
            f"{subject.name!r} has no faces that a camera could see.",
            "Choose objects with a surface that are neither empty nor disabled in viewports and renders.",
        )
    return _Class(subject, points, _key(job, subject, points))


def _key(job: DatasetJob, subject: Subject, points: Points) -> str:
    """What the pictures of a class depend on, as far as it can be seen: not an edited material, or a dent."""
    told = [asdict(job.look), asdict(job.cameras), job.seed, subject.name, bpy.app.version_string]
    if not job.cameras.even:
        told[1] = asdict(Cameras(job.cameras.lowest, job.cameras.highest, even=False, steps=0))
    digest = hashlib.sha256(repr(told).encode("utf-8", "surrogateescape"))
    digest.update(points.round(5).tobytes())
    return f"{_OURS}{digest.hexdigest()}"


def _refuse_others(job: DatasetJob) -> None:
    """Raises InputError before anything is rendered if a picture would be written over one that is not ours."""
    for path in (_path(job, subject, number) for subject in job.subjects for number in range(job.count)):
        if path.exists() and not (read_note(path) or "").startswith(_OURS):
            raise InputError(f"{path} was not rendered here.", "Choose an empty folder for the data set.")


def _path(job: DatasetJob, subject: Subject, number: int) -> Path:
    return job.folder / subject.name / f"{number + 1:04d}.png"


def _render(job: DatasetJob, scene: bpy.types.Scene, taken: _Class, number: int) -> None:
    path = _path(job, taken.subject, number)
    temporary = path.with_name(f".{path.stem}.{PROCESS}.png")
    picture = take_picture(job.seed, taken.subject.name, number, job.cameras)
    with (
        changes.not_counted(),
        photographed(scene, find_objects(taken.subject), taken.points, picture, job.look) as passing,
    ):
        try:
            render_still(passing, temporary)
            write_note(temporary, taken.key)
            place(temporary, path)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}.", "Make room on the disk.") from error
        finally:
            temporary.unlink(missing_ok=True)


def _scene(scene_id: int) -> bpy.types.Scene:
    for scene in bpy.data.scenes:
        if scene.session_uid == scene_id:
            return scene
    raise SceneError("The scene was deleted while its data set was rendered.", "Undo, or start again.")
