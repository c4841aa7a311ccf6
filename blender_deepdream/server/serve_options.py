# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server is to be run."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.folders import data_folder
from ..protocol.errors import InputError
from .limits import GIB, Limits, limits_of
from .objects import check_address, is_address
from .supervisor import WorkerOptions
from .tls import Identity


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve.

    port 0: any free one. identity: for HTTPS. names: those it may be asked for by, besides its own. data: None for the
    user's data folder. tokens: a file of more tokens. threads: of each worker, None for torch's choice. workers: how
    many, None for one for each GPU. cluster: the Ray cluster whose machines dream, as `cluster.joining` reads it; then
    `shared` is a folder that all of them see, or an object store's address, of which each process keeps `copies_gib` of
    copies in `data`, and `least_workers` stay when there is nothing to do for `linger` seconds.
    """

    host: str = "127.0.0.1"
    port: int = 0
    identity: Identity | None = None
    names: tuple[str, ...] = ()
    data: Path | None = None
    token_file: Path | None = None
    tokens: Path | None = None
    exit_with_parent: bool = False
    device: str = "auto"
    threads: int | None = None
    workers: int | None = 1
    cluster: str = ""
    least_workers: int = 1
    log_json: bool = False
    shared: str = ""
    copies_gib: int = 20
    linger: int = 300
    limits: Limits = field(default_factory=Limits)

    def worker(self, data: Path) -> WorkerOptions:
        """How its workers are started, on this store."""
        return WorkerOptions(
            data=data,
            device=self.device,
            threads=self.threads or _threads_each(self.workers),
            pixels=self.limits.pixels,
            memory=self.limits.worker_gib * GIB,
            silence=self.limits.silence,
            log_json=self.log_json,
        )


def options_of(options: argparse.Namespace) -> ServeOptions:
    """From the command line's. Raises InputError."""
    if (options.tls_cert is None) != (options.tls_key is None):
        raise InputError("A certificate and its key go together.", "Give both --tls-cert and --tls-key.")
    return ServeOptions(
        host=options.host,
        port=options.port,
        identity=Identity(options.tls_cert, options.tls_key) if options.tls_cert else None,
        names=tuple(options.allow_host),
        data=_data_of(options),
        token_file=options.token_file,
        tokens=options.tokens,
        exit_with_parent=options.exit_with_parent,
        device=options.device,
        threads=options.threads,
        workers=options.workers,
        cluster=options.cluster,
        least_workers=options.least_workers,
        shared=_shared_of(options),
        copies_gib=options.copies_gib,
        linger=options.linger,
        log_json=options.log == "json",
        limits=limits_of(options),
    )


def _data_of(options: argparse.Namespace) -> Path | None:
    """Raises InputError."""
    if options.data and options.cluster and not is_address(options.shared or ""):
        raise InputError("A cluster's folder must be seen by all its machines.", "Name it with --shared, not --data.")
    return Path(options.data).absolute() if options.data else None


def _shared_of(options: argparse.Namespace) -> str:
    """Raises InputError."""
    shared = options.shared or ""
    if shared and not options.cluster:
        raise InputError("--shared is for --cluster.", "Without a cluster name the folder with --data.")
    if not options.cluster:
        return ""
    if is_address(shared) and not shared.startswith("file://"):
        return check_address(shared)
    if not shared and options.cluster != "auto":
        raise InputError(
            "The machines of a cluster share a folder.",
            "Say which: --shared DIR, the same on all, or an object store: --shared s3://BUCKET/NAME.",
        )
    return str(Path(shared.removeprefix("file://") or data_folder()).resolve())


def _threads_each(workers: int | None) -> int | None:
    """CPU threads of each of several workers, which share what there are; None for torch's choice."""
    return None if workers in (None, 1) else max(1, (os.cpu_count() or 1) // workers)
