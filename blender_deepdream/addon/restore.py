# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving things as they were found: every change the pipeline makes to a scene goes through `Restore`."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, Self

log = logging.getLogger(__name__)


class Restore:
    """A context in which properties are set for a while.

        with Restore() as restore:
            restore.set(scene.render, "engine", "CYCLES")

    On the way out, whatever happened, all are set back in the opposite order, so that a property that makes another
    one valid (a file format, its colour depth) comes back first.
    """

    def __init__(self) -> None:
        self._saved: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def keep(self, owner: Any, *names: str) -> None:
        """Remember properties that are about to change."""
        for name in names:
            self._saved.append((owner, name, getattr(owner, name)))

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Change a property until the context ends."""
        self.keep(owner, name)
        setattr(owner, name, value)

    def swap(self) -> None:
        """Set all back for a moment; the next swap sets them again."""
        swapped = [(owner, name, getattr(owner, name)) for owner, name, _ in self._saved]
        for owner, name, value in reversed(self._saved):
            setattr(owner, name, value)
        self._saved = swapped

    def found(self, owner: Any, name: str) -> Any:
        """The value that a property had when it was first remembered."""
        return next(value for known, known_name, value in self._saved if known == owner and known_name == name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._saved:
            owner, name, value = self._saved.pop()
            try:
                setattr(owner, name, value)
            except (ReferenceError, TypeError, AttributeError) as problem:
                # what it belonged to is gone, or takes the value no longer: the rest must still be set back
                log.warning("Could not set %s back: %s", name, problem)
