# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a data set, said before anything is learned from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..protocol.recipe import Recipe
from .training_data import TrainingData

EXAMPLES = 3
"""Files that are named for each reason."""
FEW = 10
"""A class with fewer pictures is hardly learned."""
UNEVEN = 3.0


@dataclass(frozen=True, slots=True)
class Census:
    """counts: pictures of each class. train, validation: pictures to learn from and to test with. left_out: for each
    reason how many files and the first few of them, below the folder, each with what there is to say. balanced: whether
    all classes are shown equally often. seconds: that the training takes, None where nobody knows yet."""

    counts: dict[str, int]
    train: int
    validation: int
    left_out: dict[str, tuple[int, tuple[str, ...]]]
    balanced: bool
    seconds: float | None

    @property
    def unevenness(self) -> float:
        """How many times the pictures of the smallest class the largest has."""
        return max(self.counts.values()) / min(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"unevenness": self.unevenness}

    def lines(self) -> Iterator[str]:
        """For people to read."""
        yield f"{sum(self.counts.values()):,} pictures in {len(self.counts)} classes:"
        longest = max(map(len, self.counts))
        for name, count in self.counts.items():
            yield f"  {name:{longest}}  {count:6,}{'   few: hard to learn' if count < FEW else ''}"
        yield f"{self.train:,} to learn from, {self.validation:,} to test with."
        if self.unevenness >= UNEVEN:
            how = "each class is shown equally often" if self.balanced else "large classes are shown more often"
            yield f"Uneven: the largest class has {self.unevenness:.1f} times the pictures of the smallest; {how}."
        for reason, (count, examples) in self.left_out.items():
            more = ", ..." if count > len(examples) else ""
            yield f"Left out, {reason}: {count:,} ({', '.join(examples)}{more})"
        if self.seconds is not None:
            yield f"This takes about {_duration(self.seconds)}."


def census(data: TrainingData, recipe: Recipe, seconds_per_step: float | None = None) -> Census:
    """seconds_per_step: of the training, as its first steps tell."""
    dataset = data.dataset
    examples: dict[str, list[str]] = {}
    for path, reason, detail in dataset.left_out:
        name = path.relative_to(dataset.folder).as_posix()
        examples.setdefault(str(reason), []).append(f"{name}: {detail}" if detail else name)
    seconds = None if seconds_per_step is None else seconds_per_step * data.steps * recipe.epochs
    left_out = {reason: (len(names), tuple(names[:EXAMPLES])) for reason, names in sorted(examples.items())}
    return Census(dataset.counts(), data.train_count, data.validation_count, left_out, recipe.balance, seconds)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
