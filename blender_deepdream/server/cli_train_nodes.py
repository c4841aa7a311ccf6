# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream train --nnodes`: one training on several machines or GPUs, which find each other by torch's rendezvous."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import torch

from ..protocol.errors import DeepDreamError, InputError
from ..protocol.knob_arguments import typed_knobs
from ..protocol.recipe import Recipe
from .cli_brains import name_from
from .train_arguments import recipe_of, target_of

PACKAGE = __name__.rpartition(".server.")[0]
RESTARTS = 3
"""How often the processes begin anew where one has died: each time they go on from the last checkpoint."""


def train_on_nodes(options: argparse.Namespace) -> None:
    """This machine's part of a training, to its end.

    Raises InputError for what several machines cannot do, SettingsError, DeepDreamError if it fails.
    """
    recipe_of(options)
    target = target_of(options)
    for wish in ("install", "census", "show_augmentation"):
        if getattr(options, wish):
            raise InputError(
                f"--{wish.replace('_', '-')} does not go with several machines.",
                "Train first; `deepdream brains import` puts the brain into the library.",
            )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_root()), os.environ.get("PYTHONPATH", "")])}
    environment.setdefault("OMP_NUM_THREADS", str(options.threads or 1))
    code = subprocess.run(
        [*_launch(options, target), *_training(options, target)], env=environment, check=False
    ).returncode
    if code:
        raise DeepDreamError(
            f"The training on several machines ended with exit code {code}.",
            f"The lines above say why. All machines must reach {options.rendezvous or 'each other'}, and see pictures "
            "and brain under the same paths; the same command goes on from the last checkpoint.",
        )


def _launch(options: argparse.Namespace, target: Path) -> list[str]:
    """torchrun, so that all machines of this training, and no others, meet."""
    each = str(options.nproc or torch.cuda.device_count() or 1)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", each]
    command += ["--max-restarts", str(RESTARTS)]
    if options.nnodes in (None, 1):
        return [*command, "--standalone"]
    host, port = _endpoint(options.rendezvous)
    name = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:16]
    command += ["--nnodes", str(options.nnodes), "--rdzv-backend", "c10d"]
    command += ["--rdzv-endpoint", f"{host}:{port}", "--rdzv-id", name]
    return [*command, "--local-addr", host] if host in ("127.0.0.1", "localhost") else command


def _endpoint(rendezvous: str | None) -> tuple[str, int]:
    """Raises InputError."""
    host, _, port = (rendezvous or "").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(
            "Several machines need a place to meet.",
            "Give all of them the same --rendezvous HOST:PORT, the address of one of them and a free port there.",
        )
    return host, int(port)


def _training(options: argparse.Namespace, target: Path) -> list[str]:
    """The program of each process: see `training.__main__`."""
    words = ["-m", f"{PACKAGE}.training", str(options.pictures), str(target)]
    words += ["--name", options.name or name_from(target, "mine")]
    words += ["--work", str(options.checkpoints)] if options.checkpoints else []
    words += ["--device", options.device] if options.device != "auto" else []
    for name, value in typed_knobs(options, Recipe.knobs()).items():
        flag = name.replace("_", "-")
        is_flag = Recipe.knobs()[name].kind == "flag"
        words += [f"--{'' if value == 'yes' else 'no-'}{flag}"] if is_flag else [f"--{flag}", value]
    return words


def _root() -> Path:
    """The folder that our package is imported from."""
    return Path(__file__).resolve().parents[len(PACKAGE.split(".")) + 1]
