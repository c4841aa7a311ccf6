# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints of a training: whole or not there, known to be of this training, and never the only one while the next is
written.

In a folder: `00000120.safetensors`, what the learner was made of after 120 steps, and `00000120.json`, what it is of
and its SHA-256. The JSON is written last, so where it is, there is a checkpoint. Two are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ..engine import whole_files
from ..engine.file_hashes import hash_of
from ..engine.tensor_file import read_header, tensors_in
from ..protocol.errors import BrainFileError, InputError
from ..protocol.wire import content_hash

KEPT = 2
_TENSORS, _FACTS = ".safetensors", ".json"
_DIGITS = 8
MAX_FACTS_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training after some steps. facts: what else it knew, as JSON."""

    step: int
    facts: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


class Checkpoints:
    """Those in a folder. training: what tells this training from others: names and values as JSON."""

    def __init__(self, folder: Path, training: Mapping[str, Any]) -> None:
        self._folder = folder
        self._training = dict(training)
        self.damaged: list[Path] = []
        """Those that `latest` had to pass over."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Those of later steps are given up. Raises StorageError, and then those before are still whole."""
        tensors, facts = self._paths(checkpoint.step)
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_files.replaced_whole(tensors) as part:
                safetensors.torch.save_file(whole, part)
                sha256 = hash_of(part)
        except (OSError, safetensors.SafetensorError) as error:
            raise whole_files.cannot_write(tensors, str(error)) from error
        told = {"training": self._training, "sha256": sha256, "facts": checkpoint.facts}
        whole_files.write_bytes(facts, json.dumps(told, ensure_ascii=False, allow_nan=False).encode())
        self._keep_few(checkpoint.step)

    def latest(self, back: int = 0) -> Checkpoint | None:
        """The last one that is whole, or so many before it, or else the first. Raises InputError if it is of another
        training, and says in what."""
        found = None
        for step in self._steps():
            one = self._read(step)
            if one is None:
                self.damaged.append(self._paths(step)[0])
                continue
            found, back = one, back - 1
            if back < 0:
                break
        return found

    def _read(self, step: int) -> Checkpoint | None:
        """None for one that is damaged."""
        tensors, facts = self._paths(step)
        try:
            if facts.stat().st_size > MAX_FACTS_BYTES:
                return None
            told = json.loads(facts.read_bytes())
            training, sha256, known = told["training"], told["sha256"], dict(told["facts"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        self._check(training)
        try:
            read_header(tensors)
            data = tensors.read_bytes()
            if content_hash(data) != sha256:
                return None
            return Checkpoint(step, known, tensors_in(data, tensors))
        except (OSError, BrainFileError):
            return None

    def _check(self, other: Any) -> None:
        """Raises InputError for another training."""
        if other == self._training:
            return
        differences = "; ".join(_differences(other, self._training))
        raise InputError(
            f"The checkpoint in {self._folder} is of another training: {differences}.",
            "Train as it was begun, or delete that folder to begin anew.",
        )

    def _paths(self, step: int) -> tuple[Path, Path]:
        stem = f"{step:0{_DIGITS}d}"
        return self._folder / f"{stem}{_TENSORS}", self._folder / f"{stem}{_FACTS}"

    def _steps(self) -> list[int]:
        """Of the checkpoints, the last one first."""
        stems = [path.stem for path in self._folder.glob(f"*{_FACTS}")]
        return sorted((int(stem) for stem in stems if stem.isascii() and stem.isdigit()), reverse=True)

    def _keep_few(self, last: int) -> None:
        """Delete older ones, those after the last, and tensors that never became one."""
        steps = [step for step in self._steps() if step <= last][:KEPT]
        kept = {path for step in steps for path in self._paths(step)}
        for path in self._folder.iterdir():
            if path.suffix in (_TENSORS, _FACTS) and path.stem.isdigit() and path not in kept:
                path.unlink(missing_ok=True)


def work_folder(brain: Path, parent: Path | None = None) -> Path:
    """A folder of its own for the checkpoints of a brain's training, which goes when the brain is done.

    brain: its file. parent: where the folder lies; None: beside the brain."""
    return (parent or brain.parent) / f".{brain.stem}.training"


def _differences(there: Any, here: Any, prefix: str = "") -> Iterator[str]:
    """Where two trees of JSON differ, in words."""
    if not isinstance(there, dict) or not isinstance(here, dict):
        yield f"{prefix} was {str(there)[:60]} and is {str(here)[:60]}"
        return
    for name in sorted({*there, *here}):
        if there.get(name) != here.get(name):
            yield from _differences(there.get(name), here.get(name), name if not prefix else f"{prefix}.{name}")
