# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training asks of its data: `training_data.TrainingData` is what has it for a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .training_data import WHOLE, Batch, Share


class Lessons(Protocol):
    """classes: their names; labels are places among them. fingerprint: of all that decides the batches. steps: batches
    in an epoch. train_count, validation_count: pictures to learn from, and to test with."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def train_count(self) -> int: ...
    @property
    def validation_count(self) -> int: ...

    def batches(self, epoch: int, first: int = 0, share: Share = WHOLE) -> Iterator[Batch]:
        """An epoch's batches from the `first` on, of each a process's part: the same whatever went before."""

    def validation(self, relit: bool = False) -> Iterator[Batch]:
        """Each picture to test with, once. relit: in another light, always in the same one."""
