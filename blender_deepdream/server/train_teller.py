# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deepdream train` says: as JSON, one object a line, or to people, on a terminal or in a log."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from ..protocol.messages import Progress
from ..protocol.training import Phase, TrainProgress
from ..training.census import Census
from ..training.history import EpochReport
from .reporter import reporter


class Teller:
    """as_json: for machines. All that goes to people but the last word goes to standard error."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def following(self) -> AbstractContextManager[Callable[[TrainProgress], None]]:
        """What shows where a training is."""
        return reporter(self._as_json, _where)

    def dreaming(self, what: str) -> AbstractContextManager[Callable[[Progress], None]]:
        """What shows where a dream is."""
        return reporter(self._as_json, lambda progress: what)

    def census(self, counted: Census) -> None:
        self._say({"census": counted.to_json()}, "\n".join(counted.lines()))

    def epoch(self, report: EpochReport) -> None:
        robust = "" if report.robust_accuracy is None else f", {report.robust_accuracy:.0%} of them perturbed"
        right = f"{report.validation_accuracy:.0%} of new pictures right{robust}"
        said = f"  {report.said}" if report.said else ""
        best = ", the best so far" if report.best else ""
        self._say({"epoch": report.to_json()}, f"epoch {report.epoch}: {right}{best}{said}")

    def trained(self, done: Mapping[str, Any], text: str) -> None:
        """The last word on a brain. Its accuracy stands for itself, too: scripts ask for nothing else."""
        accuracy = {"validation_accuracy": done["validation_accuracy"]}
        print(json.dumps({"done": dict(done)} | accuracy) if self._as_json else text, flush=True)

    def done(self, done: Mapping[str, Any], text: str) -> None:
        print(json.dumps({"done": dict(done)}) if self._as_json else text, flush=True)

    def _say(self, facts: Mapping[str, Any], text: str) -> None:
        if self._as_json:
            print(json.dumps(facts), flush=True)
        else:
            tqdm.write(text, file=sys.stderr)


def _where(progress: TrainProgress) -> str:
    place = f"{progress.step}/{progress.steps}"
    if progress.phase in (Phase.GATHERING, Phase.SORTING):
        return f"{progress.phase} pictures, {place}"
    epoch = f"epoch {progress.epoch}/{progress.epochs}"
    if progress.phase is Phase.DREAMING:
        return f"{epoch}, dreaming"
    loss = "" if progress.loss is None else f", loss {progress.loss:.2f}"
    return f"{epoch}, step {place}{loss}{f'  {progress.said}' if progress.said else ''}"
