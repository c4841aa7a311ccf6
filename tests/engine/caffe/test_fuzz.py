# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of damaged files: each is imported or refused with a clear error, in no time and in no memory."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_deepdream.engine import brain_card
from blender_deepdream.engine.caffe import import_caffe
from blender_deepdream.engine.networks.graph import build
from blender_deepdream.protocol.errors import BrainFileError
from tests.engine.peak_memory import at_most

MOST_SECONDS = 2.0
MOST_MIB = 100

PLACE = st.floats(0, 1, exclude_max=True)
FLIPS = st.lists(st.tuples(PLACE, st.integers(1, 255)), min_size=1, max_size=4)
LIES = [
    b"\xff\xff\xff\xff\x0f",
    b"\xff" * 9 + b"\x01",
    b"2147483648",
    b"1000000",
    b"-1",
    b"{",
    b"}" * 50,
    b"layer {" * 40,
]


@st.composite
def damage(draw):
    """What becomes of some bytes: flipped, cut off, padded, cut out, or with something put in that is not true."""
    kind = draw(st.sampled_from(["flip", "cut", "pad", "gap", "lie", "move"]))
    flips, first, second = draw(FLIPS), draw(PLACE), draw(PLACE)
    lie = draw(st.sampled_from(LIES))

    def apply(data: bytes) -> bytes:
        start, end = sorted((int(first * len(data)), int(second * len(data))))
        if kind == "flip":
            spoiled = bytearray(data)
            for place, bits in flips:
                spoiled[int(place * len(data))] ^= bits
            return bytes(spoiled)
        others: dict[str, bytes] = {
            "cut": data[:start],
            "pad": data + data[start:end] + b"\0" * 9,
            "gap": data[:start] + data[end:],
            "lie": data[:start] + lie + data[start:],
            "move": data[end:] + data[start:end] + data[:start],
        }
        return others[kind]

    return apply


def attempt(prototxt: Path, caffemodel: Path) -> None:
    start = time.process_time()
    try:
        card, description, tensors = import_caffe(prototxt, caffemodel, name="fuzzed")
        build(description, tensors)
        assert brain_card.to_json(card)
    except BrainFileError as error:
        assert error.message
        assert error.hint
    assert time.process_time() - start < MOST_SECONDS


@pytest.fixture(scope="module", autouse=True)
def _bounded_memory(tiny):
    attempt(tiny.prototxt, tiny.caffemodel)
    with at_most(MOST_MIB):
        yield


@settings(max_examples=1500, deadline=None)
@given(damage())
def test_a_damaged_caffemodel(tiny, tmp_path_factory, spoil):
    path = tmp_path_factory.getbasetemp() / "damaged.caffemodel"
    path.write_bytes(spoil(tiny.caffemodel.read_bytes()))
    attempt(tiny.prototxt, path)


@settings(max_examples=700, deadline=None)
@given(damage())
def test_a_damaged_prototxt(tiny, tmp_path_factory, spoil):
    path = tmp_path_factory.getbasetemp() / "damaged.prototxt"
    path.write_bytes(spoil(tiny.prototxt.read_bytes()))
    attempt(path, tiny.caffemodel)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes(tmp_path_factory, text, weights):
    prototxt = tmp_path_factory.getbasetemp() / "any.prototxt"
    caffemodel = tmp_path_factory.getbasetemp() / "any.caffemodel"
    prototxt.write_bytes(text)
    caffemodel.write_bytes(weights)
    attempt(prototxt, caffemodel)
