# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream tokens`: who may use a server, and what for. Imports no torch."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .tokens import Role, add_token, read_tokens, remove_token

DESCRIPTION = (
    "Tokens for a server: `deepdream serve --tokens FILE`, which sees changes at once. Roles: dream may send images "
    "and dream; train may also train, import and pull brains; admin may also remove them. The file holds no token, "
    "only what tells one from others: a token is shown once, when it is made."
)


def add_token_actions(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=type(shared))
    add = actions.add_parser("add", help="make one and print it", parents=[shared])
    add.add_argument("name", metavar="NAME", help="whose it is")
    add.add_argument("--role", choices=[str(role) for role in Role], default=str(Role.DREAM), help="default: dream")
    add.set_defaults(run=_add)
    show = actions.add_parser("list", help="names and roles", parents=[shared])
    show.set_defaults(run=_list)
    remove = actions.add_parser("remove", help="take one away", parents=[shared])
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove)
    for action in (add, show, remove):
        action.add_argument("--file", type=Path, required=True, metavar="FILE", help="made if missing")


def _add(options: argparse.Namespace) -> None:
    token = add_token(options.file, options.name, Role(options.role))
    print(json.dumps({"name": options.name, "role": options.role, "token": token}) if options.json else token)


def _list(options: argparse.Namespace) -> None:
    for holder in read_tokens(options.file).values():
        print(json.dumps(holder._asdict()) if options.json else f"{holder.name:<24}{holder.role}")


def _remove(options: argparse.Namespace) -> None:
    remove_token(options.file, options.name)
    if options.json:
        print(json.dumps({"removed": options.name}))
