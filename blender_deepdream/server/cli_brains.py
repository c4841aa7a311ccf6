# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream brains`: which there are, the layers of one, and how more of them come and go."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from ..engine import brain_file, zoo
from ..engine.brain import BrainCard
from ..engine.library import Damaged
from ..protocol.errors import CancelledError, InputError

_TAKEN = "Choose another name with --name, or --replace it."


def _list(options: argparse.Namespace) -> None:
    entries = tuple(zoo.library().everything())
    cards = [entry for entry in entries if isinstance(entry, BrainCard)]
    damaged = [entry for entry in entries if isinstance(entry, Damaged)]
    if options.json:
        for card in cards:
            print(json.dumps(card.info().to_json()))
        for file in damaged:
            print(json.dumps({"damaged": str(file.path), "reason": file.reason}))
        return
    _print_table(cards)
    for file in damaged:
        print(f"damaged: {file.path.name}: {file.reason}")
    _print_offers({card.name for card in cards})


def _print_table(cards: list[BrainCard]) -> None:
    rows = [("NAME", "LAYERS", "SIZE", "TITLE", "LICENCE")]
    rows += [(card.name, str(len(card.layers)), megabytes(card.size), card.title, card.licence) for card in cards]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, layers, size, title, licence in rows:
        left, right = f"{name:{widths[0]}}  {layers:>{widths[1]}}  {size:>{widths[2]}}", f"{title:{widths[3]}}"
        print(f"{left}  {right}  {licence}".rstrip())


def _print_offers(here: set[str]) -> None:
    from ..engine.pull import offers

    there = [name for name in offers() if name not in here]
    if there:
        print(f"\nTo be had with `deepdream brains pull NAME`: {', '.join(there)}")


def _show(options: argparse.Namespace) -> None:
    card = zoo.library().find(options.name)
    if options.json:
        print(json.dumps(card.details().to_json()))
        return
    entry = card.preprocessing
    facts = {
        "licence": card.licence or "not known",
        "source": card.source or "not known",
        "file": f"{megabytes(card.size)}, sha256 {card.id}",
        "network": card.architecture,
        "takes": f"{entry.order} from 0 to {entry.range:g}, minus {_three(entry.mean)}, by {_three(entry.std)}",
        "classes": f"{len(card.classes):,}: {', '.join(card.classes[:4])}, ..." if card.classes else "none",
        "recipe": json.dumps(dict(card.recipe)) if card.recipe else "",
    }
    print(f"{card.name}: {card.title}")
    for what, text in facts.items():
        if text:
            print(f"{what + ':':9} {text}")
    _print_layers(card)


def _print_layers(card: BrainCard) -> None:
    defaults = dict(card.default_layers)
    longest = max(len(layer.name) for layer in card.layers)
    print("layers, early to late, * by default:")
    for layer in card.layers:
        mark, place = "*" if layer.name in defaults else " ", f"{layer.channels:>5} channels  {layer.stride:>3} px"
        print(f"{mark} {layer.name:{longest}}  {place}  {layer.dreams}".rstrip())


def _import(options: argparse.Namespace) -> None:
    library = zoo.library()
    if len(options.files) == 1 and options.files[0].suffix == brain_file.SUFFIX:
        _refuse_words_on_caffe(options)
        card = library.add_file(options.files[0], options.name, replace_old=options.replace, taken=_TAKEN)
    elif len(options.files) == 2:
        card = _import_caffe(options)
    else:
        raise InputError(
            "This is neither a Caffe network nor a brain's file.",
            "Give deploy.prototxt and net.caffemodel, in this order, or one .safetensors file.",
        )
    _tell("imported", card, options.json)


def _refuse_words_on_caffe(options: argparse.Namespace) -> None:
    """Raises InputError for what only a Caffe network can be told: a brain's file says it of itself."""
    for flag in ("mean", "classes", "licence", "every_branch"):
        if getattr(options, flag):
            raise InputError(
                f"--{flag.replace('_', '-')} is for Caffe networks: {options.files[0]} is a brain already.",
                "Leave it out.",
            )


def _import_caffe(options: argparse.Namespace) -> BrainCard:
    from ..engine.caffe import import_caffe

    prototxt, caffemodel = options.files
    name = options.name or name_from(caffemodel, "caffe")
    library = zoo.library()
    library.check_free(name, replace_old=options.replace, taken=_TAKEN)
    card, description, tensors = import_caffe(
        prototxt,
        caffemodel,
        name=name,
        mean=options.mean,
        classes=options.classes,
        licence=options.licence,
        every_branch=options.every_branch,
    )
    return library.add(card, tensors, description, replace_old=options.replace)


def name_from(path: Path, otherwise: str) -> str:
    """A brain's name made of a file's: bvlc_googlenet; otherwise: where nothing of it can be in a name."""
    return re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:64] or otherwise


def _pull(options: argparse.Namespace) -> None:
    from ..engine.pull import offer, pull

    library = zoo.library()
    wanted = offer(options.name)
    library.check_free(wanted.name, replace_old=options.replace, taken="Fetch it again with --replace, or keep it.")
    if options.json:
        said = {"name": wanted.name, "title": wanted.title, "licence": wanted.licence, "size": wanted.size}
        print(json.dumps({"offer": said | {"host": wanted.host}}), flush=True)
    else:
        print(f"{wanted.title}: {megabytes(wanted.size)} from {wanted.host}; licence: {wanted.licence}.", flush=True)
    if not options.yes:
        _ask()
    with tqdm(total=wanted.size, unit="B", unit_scale=True, disable=options.json or not sys.stderr.isatty()) as bar:
        card = pull(wanted, library, lambda done, _: bar.update(done - bar.n), replace_old=options.replace)
    _tell("pulled", card, options.json)


def _ask() -> None:
    """Raises CancelledError if the answer is no, InputError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InputError("Nothing is fetched without being asked for.", "Say --yes if you agree.")
    print("Fetch it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CancelledError("Nothing was fetched.")


def _remove(options: argparse.Namespace) -> None:
    zoo.library().remove(options.name)
    print(json.dumps({"removed": options.name}) if options.json else f"{options.name}: removed")


def _export(options: argparse.Namespace) -> None:
    zoo.library().export(options.name, options.file)
    print(json.dumps({"exported": str(options.file)}) if options.json else f"{options.file}: {options.name}")


def _tell(what: str, card: BrainCard, as_json: bool) -> None:
    if as_json:
        print(json.dumps({what: card.info().to_json()}))
    else:
        print(f"{card.name}: {what}, {len(card.layers)} layers, {megabytes(card.size)}, sha256 {card.id}")


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _three(numbers: tuple[float, ...]) -> str:
    return "/".join(f"{number:g}" for number in numbers)


ACTIONS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "list": _list,
    "show": _show,
    "import": _import,
    "pull": _pull,
    "remove": _remove,
    "export": _export,
}
"""By `options.action`. They raise what the engine raises, and print one line of JSON an entry if `options.json`."""
