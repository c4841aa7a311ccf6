# SPDX-License-Identifier: GPL-3.0-or-later
"""From a prototxt and a caffemodel to what a brain's file holds, without Caffe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ...protocol.errors import BrainFileError
from ..brain import BrainCard, Layer, Preprocessing
from ..networks.graph import ARCHITECTURE
from ..networks.operations.operation import Shape
from .assembly import Assembly, assemble
from .choosing import Chooser
from .classes import read_classes
from .folding import fold
from .names import plain_name
from .prototxt import Prototxt, read_prototxt
from .weights import CaffeModel, read_mean

IMAGENET_MEAN = (104.0, 117.0, 123.0)
"""Blue, green, red: what nearly all of Caffe's networks were trained with."""
MAX_SOURCE = 1000
MAX_TITLE = 100


class Imported(NamedTuple):
    """card: without an id, which is the hash of the file that is yet to be. description: of `networks.graph`."""

    card: BrainCard
    description: dict[str, Any]
    tensors: dict[str, Tensor]


def import_caffe(
    prototxt: Path,
    caffemodel: Path,
    *,
    name: str,
    mean: Path | None = None,
    classes: Path | None = None,
    licence: str = "",
    every_branch: bool = False,
) -> Imported:
    """A network of Caffe's as a brain.

    mean: a .binaryproto; without it the prototxt's own mean counts, else ImageNet's. classes: a synset.txt, one class a
    line. every_branch: offer the layers inside each module too. Layers that are not supported and that nothing learned
    depends on are left out; the card's source names them.
    Raises BrainFileError for files that cannot be read, are damaged, do not belong together, or need more than is
    supported: the message names the layer.
    """
    net = read_prototxt(prototxt)
    assembly = _assembled(net, caffemodel)
    chooser = Chooser(assembly)
    choice = chooser.choose(every_branch)
    if not choice.layers:
        raise BrainFileError("The network has no layer that could dream.", "It must have convolutions.")
    graph, tensors = fold(assembly.graph, assembly.tensors, {*choice.layers, *filter(None, [choice.classifier])})
    shapes = graph.shapes()
    classifier = _layer(choice.classifier, shapes, "its classes") if choice.classifier else None
    card = BrainCard(
        name=name,
        id="",
        title=plain_name(net.name)[:MAX_TITLE] or name,
        licence=licence,
        layers=tuple(_layer(one, shapes, chooser.word(one)) for one in choice.layers),
        default_layers=((choice.default, 1.0),),
        architecture=ARCHITECTURE,
        preprocessing=_preprocessing(net, mean),
        classifier=classifier,
        classes=_classes(classifier, classes),
        source=_source(prototxt, caffemodel, assembly),
    )
    return Imported(card, graph.to_json(), tensors)


def _assembled(net: Prototxt, caffemodel: Path) -> Assembly:
    try:
        with caffemodel.open("rb") as file:
            return assemble(net, CaffeModel(file))
    except OSError as error:
        problem = f"The caffemodel {caffemodel} cannot be read: {error.strerror}."
        raise BrainFileError(problem, "Check its name, and that you may read it.") from error


def _layer(name: str, shapes: Mapping[str, Shape], word: str) -> Layer:
    return Layer(name, shapes[name].channels, shapes[name].stride, word)


def _preprocessing(net: Prototxt, mean: Path | None) -> Preprocessing:
    """Caffe's images are BGR, 0 to 255; its data layers subtract the mean first, then scale."""
    declared = net.mean * 3 if len(net.mean) == 1 else net.mean
    if mean:
        blue, green, red = read_mean(mean)
    elif len(declared) == 3 and all(abs(one) <= 255 for one in declared):
        blue, green, red = declared
    else:
        blue, green, red = IMAGENET_MEAN
    std = 1 / net.scale if 1e-6 < net.scale < 1e6 else 1.0
    return Preprocessing("BGR", 255.0, (blue, green, red), (std, std, std))


def _classes(classifier: Layer | None, path: Path | None) -> tuple[str, ...]:
    """Their names; numbers where no file names them. Raises BrainFileError if a file names too many or too few."""
    if classifier is None:
        if path:
            raise BrainFileError(
                "The network does not classify: nothing takes its logits.", "Import it without classes."
            )
        return ()
    if path is None:
        return tuple(str(index) for index in range(classifier.channels))
    names = read_classes(path)
    if len(names) != classifier.channels:
        problem = f"{path.name} names {len(names):,} classes; the network tells {classifier.channels:,} apart."
        raise BrainFileError(problem, "Give the synset.txt that it was trained with, one class a line.")
    return names


def _source(prototxt: Path, caffemodel: Path, assembly: Assembly) -> str:
    """The files, and what of them could not come along."""
    kinds = [
        f"{len(names)} {kind} ({names[0]}{', ...' * (len(names) > 1)})" for kind, names in assembly.left_out.items()
    ]
    note = f"; left out, as they are not supported: {', '.join(kinds)}" if kinds else ""
    text = f"Caffe: {prototxt.name}, {caffemodel.name}{note}"[:MAX_SOURCE]
    return "".join(letter if letter.isprintable() else "_" for letter in text)
