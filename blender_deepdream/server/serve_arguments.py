# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deepdream serve` can be told, on the command line or in a file. Imports no torch."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from ..protocol.knob_arguments import whole
from .limits import add_limits

DESCRIPTION = (
    "Serve dreams over HTTP. Prints one line of JSON when ready: url, token_file, pid. @FILE stands for the options in "
    "a file, in which `#` begins a comment; what is typed behind it stands above it."
)


def read_options_line(line: str) -> list[str]:
    """The words of a line of such a file, for argparse."""
    return shlex.split(line, comments=True)


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    _add_address(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of images and results")
    _add_tokens(parser)
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="end when standard input ends: when who started it is gone"
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        default=1,
        metavar="auto|N",
        help="how many dream at once: N processes, or one for each GPU (default: 1)",
    )
    _add_cluster(parser)
    parser.add_argument("--log", choices=("text", "json"), default="text", help="of standard error (default: text)")
    add_limits(parser)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, this machine only); "
        "beyond this machine use --tls-cert: else the token and the images cross the network unencrypted",
    )
    parser.add_argument("--port", type=whole(0, 65535), default=0, help="default: 0, any free one")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate, in PEM: speak HTTPS")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, in PEM, without a password")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that this server may be asked for by, besides addresses, localhost and the machine's name",
    )


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("many machines, by Ray")
    group.add_argument(
        "--cluster",
        default="",
        metavar="auto|ADDRESS",
        help="dream on all machines of a Ray cluster: HOST:6379 on one of them, ray://HOST:10001 from elsewhere; "
        "auto: this machine alone. --workers is how many dreamers there may be (auto: what there is room for)",
    )
    group.add_argument(
        "--shared",
        metavar="DIR|ADDRESS",
        help="in place of --data: a folder that all of them see, by one path, or an object store: s3://BUCKET/NAME, "
        "of which each machine keeps copies in its own --data",
    )
    group.add_argument(
        "--copies-gib",
        type=whole(1, 10**6),
        default=20,
        metavar="GIB",
        help="of copies that each process keeps of an object store (default: 20)",
    )
    group.add_argument(
        "--linger",
        type=whole(1, 10**6),
        default=300,
        metavar="SECONDS",
        help="how long other dreamers stay when idle (default: 300)",
    )
    group.add_argument(
        "--least-workers", type=whole(0, 4096), default=1, metavar="N", help="dreamers that stay when idle (default: 1)"
    )


def _add_tokens(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="use the token in it; made if missing or empty")
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="more of them, by role: see `deepdream tokens`")


def _workers(text: str) -> int | None:
    """None for auto."""
    return None if text == "auto" else whole(1, 1024)(text)
