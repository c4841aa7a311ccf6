# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `deepdream`: what it understands, and how it ends.

Exit codes: 0 done, 2 bad usage or input, 1 failed. Torch and the web framework are imported only by the commands
that need them, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..protocol.atlas import CELL_SIDES, MAX_CELLS
from ..protocol.errors import CancelledError, DeepDreamError, InputError
from ..protocol.knob_arguments import whole
from ..protocol.wire import PROTOCOL_VERSION
from .brain_arguments import add_brain_actions
from .cli_tokens import DESCRIPTION as TOKENS_DESCRIPTION
from .cli_tokens import add_token_actions
from .dream_arguments import DESCRIPTION, add_dream_arguments, request_of
from .serve_arguments import DESCRIPTION as SERVE_DESCRIPTION
from .serve_arguments import add_serve_arguments, read_options_line
from .threads import share_the_cores
from .train_arguments import DESCRIPTION as TRAIN_DESCRIPTION
from .train_arguments import add_train_arguments


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    share_the_cores()
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
        sys.stdout.flush()
    except DeepDreamError as error:
        return _report(error, as_json)
    except KeyboardInterrupt:
        return _report(CancelledError("Cancelled."), as_json)
    except BrokenPipeError:  # `deepdream brains | head -1`: whoever read has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _report(error: DeepDreamError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.to_wire()}), flush=True)
    else:
        print(f"deepdream: {error.message}", *filter(None, [error.hint]), sep="\n  ", file=sys.stderr)
    return error.exit_code


class _Parser(argparse.ArgumentParser):
    """argparse, with its complaints going the way of all errors."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")

    def convert_arg_line_to_args(self, arg_line: str) -> list[str]:
        return read_options_line(arg_line)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="deepdream", description="DeepDream: what a neural network sees in an image, drawn into it.")
    parser.add_argument("--version", action="version", version=f"deepdream {_version()}, protocol {PROTOCOL_VERSION}")
    shared = _Parser(add_help=False)
    # no default here: it would undo the flag given before the sub-command
    shared.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON, one object a line, instead of text"
    )
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_dream(commands, shared)
    _add_atlas(commands, shared)
    _add_kitsch(commands, shared)
    _add_brains(commands, shared)
    _add_train(commands, shared)
    _add_serve(commands)
    _add_tokens(commands, shared)
    return parser


def _add_dream(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    parser = commands.add_parser("dream", help="dream an image", description=DESCRIPTION, parents=[shared])
    add_dream_arguments(parser)
    _add_machine(parser)
    parser.set_defaults(run=_dream)


def _add_atlas(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    text = (
        "What each layer of a brain dreams, on one sheet; or, with --channels, the strongest channels of one layer: "
        "those that its dream raises most above the source, in units of their own deviation. Cells are kept in the "
        "user's cache folder: a second time, or after Ctrl-C, only those that are missing are dreamed."
    )
    parser = commands.add_parser("atlas", help="show what a brain's layers dream", description=text, parents=[shared])
    parser.add_argument("brain", metavar="BRAIN", help="its name")
    parser.add_argument("target", metavar="OUT", type=Path, help="where the sheet goes: .png or .jpg")
    parser.add_argument(
        "--layers", action="append", default=[], metavar="NAME,...", help="which (default: all, early to late)"
    )
    parser.add_argument(
        "--channels", type=whole(1, MAX_CELLS), metavar="N", help="the N strongest channels of one layer"
    )
    parser.add_argument(
        "--source",
        default="dusk",
        metavar="dusk|clouds|...|IMG",
        help="what all dream from: an image, or clouds, noise, gradient, hue or dusk (default), clouds of all colours",
    )
    parser.add_argument("--size", type=whole(*CELL_SIDES), default=192, metavar="PX", help="of a cell (default: 192)")
    parser.add_argument("--cells", type=Path, metavar="DIR", help="folder for the cells too, each as a JPEG")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where finished cells are kept")
    _add_machine(parser)
    parser.set_defaults(run=_atlas)


def _add_kitsch(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    text = (
        "What ImageNet's classifier sees in images: its classes, and the shares of dogs, birds and other families. "
        "Of several images also how far they lie apart, beside how far lite0's own dreams do. With "
        "--against, instead: how much of a folder of pictures is in them."
    )
    parser = commands.add_parser("kitsch", help="how much dog is in a dream", description=text, parents=[shared])
    parser.add_argument("images", metavar="IMG", nargs="+", type=Path)
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DATASET",
        help="tell the share of each image's patches that are more like one of these pictures than like one of others",
    )
    parser.add_argument(
        "--others", type=Path, metavar="DIR", help="those others: photographs, say (default: lite0's own dreams)"
    )
    parser.add_argument(
        "--brain",
        metavar="NAME",
        help="who looks, trained on ImageNet (default: lite0; with --against squeezenet, if it is in the library)",
    )
    parser.add_argument("--top", type=whole(1, 1000), default=5, metavar="N", help="classes to name (default: 5)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where lite0's own dreams are kept")
    _add_machine(parser)
    parser.set_defaults(run=_kitsch)


def _add_brains(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    text = "List the brains, show one with its layers, from early (lines) to late (things), and get more of them."
    parser = commands.add_parser("brains", help="list, show and get brains", description=text, parents=[shared])
    parser.set_defaults(run=_brains, action="list")
    add_brain_actions(parser.add_subparsers(metavar="ACTION", parser_class=_Parser), shared)


def _add_train(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    parser = commands.add_parser(
        "train", help="make a brain of your own pictures", description=TRAIN_DESCRIPTION, parents=[shared]
    )
    add_train_arguments(parser)
    _add_machine(parser)
    parser.set_defaults(run=_train)


def _add_serve(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "serve", help="run the dream server", description=SERVE_DESCRIPTION, fromfile_prefix_chars="@"
    )
    add_serve_arguments(parser)
    _add_machine(parser)
    parser.set_defaults(run=_serve)


def _add_tokens(commands: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    parser = commands.add_parser(
        "tokens", help="who may use a server, and what for", description=TOKENS_DESCRIPTION, parents=[shared]
    )
    add_token_actions(parser, shared)


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto, the fastest)")
    parser.add_argument("--threads", type=whole(1, 1024), metavar="N", help="CPU threads (default: torch's choice)")


def _dream(options: argparse.Namespace) -> None:
    from .cli_dream import dream_image

    dream_image(options, request_of(options))


def _atlas(options: argparse.Namespace) -> None:
    from .cli_atlas import make_atlas

    make_atlas(options)


def _kitsch(options: argparse.Namespace) -> None:
    if options.against:
        from .cli_against import compare_with_pictures

        compare_with_pictures(options)
        return
    if options.others:
        raise InputError("--others makes no sense alone.", "Name your own pictures, too: --against DATASET.")
    from .cli_kitsch import look_at_images

    look_at_images(options)


def _brains(options: argparse.Namespace) -> None:
    from .cli_brains import ACTIONS

    ACTIONS[options.action](options)


def _train(options: argparse.Namespace) -> None:
    if options.nnodes or options.nproc:
        from .cli_train_nodes import train_on_nodes

        train_on_nodes(options)
        return
    from .cli_train import train

    train(options)


def _serve(options: argparse.Namespace) -> None:
    from .serve import serve
    from .serve_options import options_of

    serve(options_of(options))


def _version() -> str:
    try:
        return importlib.metadata.version("blender-deepdream")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout or an unpacked extension
        return "(not installed)"
