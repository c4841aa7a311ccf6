# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deepdream brains` understands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_brain_actions(actions: Any, shared: argparse.ArgumentParser) -> None:
    """Add the sub-commands of `brains`; each leaves its name in `options.action`. shared: flags that all have."""

    def add(name: str, text: str, *, named: bool = True) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text, parents=[shared])
        parser.set_defaults(action=name)
        if named:
            parser.add_argument("name", metavar="NAME")
        return parser

    add("list", "all brains, and those that can be pulled", named=False)
    add("show", "one brain and its layers")
    _add_import(add("import", _IMPORT, named=False))
    pull = add("pull", "fetch a brain that others keep; says its size and licence first")
    pull.add_argument("--yes", action="store_true", help="do not ask")
    _add_replace(pull)
    add("remove", "delete a brain that was pulled or imported")
    export = add("export", "copy a brain into a file, for another machine")
    export.add_argument("file", metavar="FILE", type=Path, help="like places.safetensors")


_IMPORT = "take a Caffe network (deploy.prototxt and net.caffemodel), or a brain's .safetensors file"


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="PROTOTXT CAFFEMODEL, or a .safetensors")
    parser.add_argument("--name", help="the brain's name (default: the file's)")
    parser.add_argument("--mean", type=Path, metavar="FILE", help="a .binaryproto (default: ImageNet's mean)")
    parser.add_argument("--classes", type=Path, metavar="FILE", help="a synset.txt, one class a line")
    parser.add_argument("--licence", default="", metavar="TEXT", help="the weights' licence, kept with the brain")
    parser.add_argument("--every-branch", action="store_true", help="list the layers inside each Caffe module too")
    _add_replace(parser)


def _add_replace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replace", action="store_true", help="in place of the brain of that name, if there is one")
