# SPDX-License-Identifier: GPL-3.0-or-later
"""What our command lines inside Blender share: output, Ctrl-C, errors and exit codes, the server they reach."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import bpy

from ..protocol.errors import CancelledError, DeepDreamError, InputError
from . import runtime
from .interruption import interruptible
from .preferences import server_choice
from .runtime import ServerChoice

if TYPE_CHECKING:
    from ..protocol.client import DreamClient


def run_command(
    arguments: Sequence[str],
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace, TextIO, threading.Event], None],
    kept: str,
) -> int:
    """Returns the exit code: 0 done, 2 bad usage or input, 1 failed.

    run: gets what was parsed, where our own lines go, and what says that Ctrl-C came. kept: what is left when it did.
    """
    as_json = "--json" in arguments
    with _own_stdout() as stdout, interruptible() as interrupted:
        try:
            with redirect_stdout(stdout):  # for --help
                options = parser.parse_args(arguments)
            run(options, stdout, interrupted)
        except KeyboardInterrupt:
            error: DeepDreamError = CancelledError("Cancelled.", kept)
        except DeepDreamError as caught:
            error = caught
        else:
            return 0
        finally:
            runtime.stop()
        if as_json:
            print_json({"error": error.to_wire()}, stdout)
        else:
            print(f"Error: {error}", file=sys.stderr, flush=True)
        return error.exit_code


@contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Our lines alone on standard output: what Blender prints of its own goes to standard error meanwhile."""
    sys.stdout.flush()
    number = os.dup(1)
    os.dup2(2, 1)
    try:
        # Blender prints by way of Python, too, whose buffer would outlast the exchange of the descriptors
        with redirect_stdout(sys.stderr), os.fdopen(os.dup(number), "w", encoding="utf-8") as stdout:
            yield stdout
    finally:
        os.dup2(number, 1)
        os.close(number)


class Parser(argparse.ArgumentParser):
    """Raises InputError for bad usage."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}.", f"See {self.prog} --help.")


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="a running dream server; default: one of our own")
    parser.add_argument("--token-file", metavar="FILE", help="the server's token")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def open_blend(blend: Path) -> None:
    """Raises InputError for what is no .blend file that this Blender reads."""
    existing(blend)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()), load_ui=False)
    except RuntimeError as error:
        raise InputError(f"{blend} is not a .blend file that this Blender reads: {str(error).strip()}") from error


def existing(path: Path | None) -> Path | None:
    """The path, if it is a file or None. Raises InputError."""
    if path is not None and not path.is_file():
        raise InputError(f"There is no file {path}.")
    return path


def connector_as_told(options: argparse.Namespace) -> Callable[..., DreamClient]:
    """Finds the server that `add_server_arguments` was told, else the preferences' of now; may be called in any thread,
    with a DreamClient's client_id."""
    told = ServerChoice(url=options.server or "", token_file=options.token_file or "")
    choice = told if options.server else server_choice()

    def connect(client_id: str | None = None) -> DreamClient:
        return runtime.connect(choice, client_id).as_batch()

    return connect


def print_json(data: dict[str, Any], stdout: TextIO) -> None:
    """One line."""
    print(json.dumps(data), file=stdout, flush=True)


def tell(data: dict[str, Any], line: str, stdout: TextIO, *, as_json: bool) -> None:
    """The same for machines, as JSON, or for people."""
    print(json.dumps(data) if as_json else line, file=stdout, flush=True)
