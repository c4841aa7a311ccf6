# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is done in a thread of its own while what came of it before is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Made = TypeVar("Made")


def one_ahead(make: Callable[[Task], Made], tasks: Iterable[Task]) -> Iterator[Made]:
    """`map(make, tasks)`, each made while the one before is in use. Whoever stops iterating waits for the one under
    way. What `make` raises is raised where its answer would come."""
    upcoming: Future[Made] | None = None
    with ThreadPoolExecutor(1, "one-ahead") as pool:
        for task in tasks:
            following = pool.submit(make, task)
            if upcoming is not None:
                yield upcoming.result()
            upcoming = following
        if upcoming is not None:
            yield upcoming.result()
