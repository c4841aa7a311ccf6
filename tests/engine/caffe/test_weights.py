# SPDX-License-Identifier: GPL-3.0-or-later
import io
import struct
import tracemalloc

import pytest
import torch

from blender_deepdream.engine.caffe.schema import message
from blender_deepdream.engine.caffe.weights import CaffeModel
from blender_deepdream.protocol.errors import BrainFileError


def written(blobs, name: str = "conv1", old: bool = False) -> bytes:
    net = message("NetParameter")()
    layer = (net.layers if old else net.layer).add(name=name)
    layer.blobs.extend(blobs)
    data: bytes = net.SerializeToString()
    return data


def blob(*shape: int, **fields):
    new = message("BlobProto")(**fields)
    new.shape.dim.extend(shape)
    return new


def model(data: bytes) -> CaffeModel:
    return CaffeModel(io.BytesIO(data))


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def length(tag: int, size: int) -> bytes:
    """The head of a field of bytes."""
    return varint(tag << 3 | 2) + varint(size)


@pytest.mark.parametrize("old", [False, True])
def test_weights_by_layer(old):
    found = model(written([blob(2, 1, data=[1, 2]), blob(1, data=[3])], old=old)).take("conv1")
    assert [one.tolist() for one in found] == [[[1.0], [2.0]], [3.0]]


def test_the_old_way_to_say_a_shape_and_doubles():
    old = message("BlobProto")(num=1, channels=1, height=2, width=2, double_data=[1, 2, 3, 4])
    (found,) = model(written([old])).take("conv1")
    assert found.dtype == torch.float32
    assert found.tolist() == [[[[1, 2], [3, 4]]]]


def test_a_scalar_has_a_shape_too():
    scalar = message("BlobProto")(data=[0.5])
    scalar.shape.SetInParent()
    (found,) = model(written([scalar])).take("conv1")
    assert found.shape == ()


def test_weights_are_given_once():
    caffemodel = model(written([blob(1, data=[1])]))
    assert len(caffemodel.take("conv1")) == 1
    assert caffemodel.take("conv1") == caffemodel.take("other") == []


def test_every_cut_is_noticed():
    whole = written([blob(2, 2, data=[1, 2, 3, 4]), blob(2, data=[5, 6])])
    for end in range(len(whole)):
        with pytest.raises(BrainFileError) as caught:
            model(whole[:end])
        assert caught.value.hint


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 100, b"\xff" * 20, b"<html>"])
def test_padding_is_noticed(padding):
    with pytest.raises(BrainFileError, match="damaged"):
        model(written([blob(1, data=[1])]) + padding)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no weights"),
        (b"\x80" * 20, "within a number"),
        (length(100, 2**62), "breaks off"),
        (length(100, 9) + length(7, 2**31) + b"1234", "breaks off"),
        (b"\x0b" + b"\0" * 10, "breaks off"),
        (b"\x08\x00" * 200_001, "more than 200,000 parts"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "damaged"),
        (written([blob(*[1] * 40, data=[1])]), "more than 32 axes"),
    ],
)
def test_what_is_no_caffemodel(data, message):
    with pytest.raises(BrainFileError, match=message):
        model(data)


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (blob(3, data=[1, 2]), "2 weights for a shape of"),
        (blob(2**40, 2**40, data=[1, 2]), "2 weights for a shape of"),
        (blob(-1, data=[1]), "1 weights for a shape of"),
        (blob(2, data=[1, float("nan")]), "are not numbers"),
        (blob(2, data=[1, float("inf")]), "are not numbers"),
    ],
)
def test_weights_that_cannot_be(spoiled, message):
    with pytest.raises(BrainFileError, match=message):
        model(written([spoiled])).take("conv1")


def test_odd_bytes_are_no_weights():
    inner = length(7, 2) + b"\x08\x01" + length(5, 3) + b"123"
    layer = length(1, 5) + b"conv1" + length(7, len(inner)) + inner
    with pytest.raises(BrainFileError, match="no whole number of weights"):
        model(length(100, len(layer)) + layer).take("conv1")


def test_a_file_of_nothing_but_messages_takes_no_memory():
    """Two bytes a layer: a parser would make an object of each."""
    data = written([blob(1, data=[1])]) + b"\xa2\x06\x00" * 20_000 + length(100, 30_000) + length(7, 0) * 15_000
    tracemalloc.start()
    model(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20


def test_a_blob_in_several_pieces():
    inner = length(7, 3) + b"\x0a\x01\x02" + b"".join(length(5, 4) + struct.pack("<f", value) for value in (1, 2))
    layer = length(1, 5) + b"conv1" + length(7, len(inner)) + inner
    assert model(length(100, len(layer)) + layer).take("conv1")[0].tolist() == [1, 2]
