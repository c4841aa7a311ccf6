# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server bears before it says no."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields

from ..protocol.knob_arguments import whole
from ..protocol.nothing import MAX_PIXELS
from ..protocol.wire import MAX_BLOB_BYTES, MAX_REQUEST_BYTES

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """0 is no limit, where that makes sense.

    blob_bytes, request_bytes: of one upload, of one JSON body. pixels: of one image that a job decodes. queue: jobs
    that wait and run, of everybody; jobs_per_token: of one token. connections: open at once. store_gib: disk for blobs
    and results. worker_gib: memory of a worker. silence: seconds in which a job at work tells nothing of its way.
    """

    blob_bytes: int = MAX_BLOB_BYTES
    request_bytes: int = MAX_REQUEST_BYTES
    pixels: int = MAX_PIXELS
    queue: int = 1000
    jobs_per_token: int = 500
    connections: int = 1000
    store_gib: int = 0
    worker_gib: int = 0
    silence: int = 900


_FLAGS = {
    "blob_bytes": (1, 2**50, "BYTES", "largest image or brain that is taken"),
    "request_bytes": (1, 2**30, "BYTES", "largest JSON body that is taken"),
    "pixels": (1, MAX_PIXELS, "N", "largest image that is decoded"),
    "queue": (1, 10**6, "N", "jobs that wait or run, of all clients; more are told to come again later"),
    "jobs_per_token": (1, 10**6, "N", "the same of one token"),
    "connections": (10, 60_000, "N", "open at once; more are closed"),
    "store_gib": (0, 10**6, "GIB", "disk for images and results, the least recently used go first; 0: no limit"),
    "worker_gib": (0, 10**5, "GIB", "memory of a worker, on Linux; 0: the machine's on a CPU, no limit with a GPU"),
    "silence": (1, 10**6, "SECONDS", "a job that tells nothing for so long is ended, with its worker"),
}


def add_limits(parser: argparse.ArgumentParser) -> None:
    """A flag for each: --max-blob-bytes and so on."""
    group = parser.add_argument_group("limits")
    for field in fields(Limits):
        low, high, unit, text = _FLAGS[field.name]
        group.add_argument(
            f"--max-{field.name.replace('_', '-')}",
            type=whole(low, high),
            default=field.default,
            metavar=unit,
            help=f"{text} (default: %(default)s)",
        )


def limits_of(options: argparse.Namespace) -> Limits:
    return Limits(**{field.name: getattr(options, f"max_{field.name}") for field in fields(Limits)})
