# SPDX-License-Identifier: GPL-3.0-or-later
"""Each type of Caffe's layers as operations of a `graph`, with Caffe's defaults and Caffe's rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..networks.operations import (
    ELU,
    LRN,
    Absolute,
    Affine,
    AveragePooling,
    Concat,
    Convolution,
    Deconvolution,
    GlobalAverage,
    GlobalMax,
    Maximum,
    MaxPooling,
    Normalize,
    Power,
    PReLU,
    Product,
    ReLU,
    Sigmoid,
    Softmax,
    Sum,
    TanH,
)
from ..networks.operations.operation import MisfitError, Operation, Pair, Shape
from .prototxt import Layer

CHANNELS_AXIS = 1


class UnsupportedError(Exception):
    """A layer that no operation stands for. Its text says why."""


class Piece(NamedTuple):
    """A part of what a layer does."""

    operation: Operation
    tensors: dict[str, Tensor]


Weights = Sequence[Tensor]
Converter = Callable[[Any, Sequence[Shape], Weights], list[Piece]]


def convert(layer: Layer, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    """What a layer does, one operation after the other.

    shapes: of its bottoms. weights: its blobs. Raises UnsupportedError, and MisfitError for numbers or weights that do
    not fit.
    """
    if layer.type not in _CONVERTERS:
        raise UnsupportedError("a type that is not supported")
    pieces = _CONVERTERS[layer.type](layer.parameters, shapes, weights)
    _check_count(sum(len(piece.tensors) for piece in pieces), layer, weights)
    return pieces


def is_learned(layer: Layer) -> bool:
    """Whether layers of this type do nothing without weights."""
    return layer.type in _LEARNED or (layer.type == "Scale" and len(layer.bottoms) == 1)


def _check_count(used: int, layer: Layer, weights: Weights) -> None:
    if layer.type in ("Convolution", "Deconvolution", "InnerProduct") and used != len(weights):
        raise MisfitError(f"it has {len(weights)} blobs of weights, and needs {used}")


def _convolution(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    return [_convolved(Convolution, layer.convolution_param, shapes[0], weights)]


def _deconvolution(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    return [_convolved(Deconvolution, layer.convolution_param, shapes[0], weights)]


def _convolved(kind: type[Convolution], parameters: Any, shape: Shape, weights: Weights) -> Piece:
    _check_axis(parameters.axis)
    operation = kind(
        kernel=_sides(parameters, "kernel_size", "kernel"),
        stride=_sides(parameters, "stride", "stride", 1),
        padding=_sides(parameters, "pad", "pad", 0),
        channels=parameters.num_output,
        dilation=_sides(parameters, "dilation", "", 1),
        groups=parameters.group,
        bias=parameters.bias_term,
    )
    operation.shape(shape)
    wanted = operation.tensors(shape)
    return Piece(operation, {name: _fitted(weights, index, one) for index, (name, one) in enumerate(wanted.items())})


def _inner_product(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    """As a convolution whose kernel is as large as the map that the network was trained on: so any size runs."""
    parameters, shape = layer.inner_product_param, shapes[0]
    _check_axis(parameters.axis)
    outputs = parameters.num_output
    operation = Convolution(_lumped(shape, weights[0].numel(), outputs), channels=outputs, bias=parameters.bias_term)
    height, width = operation.kernel
    count = shape.channels * height * width
    matrix = _fitted(weights, 0, (count, outputs)).T if parameters.transpose else _fitted(weights, 0, (outputs, count))
    tensors = {"weight": matrix.reshape(outputs, shape.channels, height, width)}
    return [Piece(operation, tensors | ({"bias": _fitted(weights, 1, (outputs,))} if operation.bias else {}))]


def _lumped(shape: Shape, weights: int, outputs: int) -> Pair:
    """The size of map that so many weights are for: the one foretold; where the prototxt names no size, a square."""
    if weights == outputs * shape.channels * shape.height * shape.width:
        return shape.size
    side = math.isqrt(weights // max(1, outputs * shape.channels))
    if weights != outputs * shape.channels * side * side:
        here = f"{shape.channels} x {shape.height} x {shape.width}"
        raise MisfitError(f"it has {weights:,} weights for {outputs:,} outputs of {here} inputs")
    return side, side


def _pooling(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    parameters = layer.pooling_param
    kinds = [(MaxPooling, GlobalMax), (AveragePooling, GlobalAverage)]
    if parameters.pool >= len(kinds):
        raise UnsupportedError("stochastic pooling, which is not supported")
    pooling, whole = kinds[parameters.pool]
    if parameters.global_pooling:
        return [Piece(whole(), {})]
    operation = pooling(
        kernel=_sides(parameters, "kernel_size", "kernel"),
        stride=_sides(parameters, "stride", "stride", 1),
        padding=_sides(parameters, "pad", "pad", 0),
        ceil=parameters.round_mode == 0,
    )
    return [Piece(operation, {})]


def _batch_norm(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    """The statistics of training, which Caffe keeps as sums beside the factor that they are to be divided by."""
    if len(weights) != 3:
        raise MisfitError(f"it has {len(weights)} blobs of weights, and needs mean, variance and their factor")
    channels = shapes[0].channels
    mean, variance = (_fitted(weights, index, (channels,)).double() for index in (0, 1))
    factor = _fitted(weights, 2, (1,)).item()
    mean, variance = (one / factor if factor else torch.zeros_like(one) for one in (mean, variance))
    variance = variance + layer.batch_norm_param.eps
    if not bool((variance > 0).all()):
        raise MisfitError("its variance is not above 0")
    scale = variance.rsqrt()
    return [Piece(Affine(), {"weight": scale.float(), "bias": (-mean * scale).float()})]


def _scale(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    """Of one bottom by weights, or of one bottom by another: squeeze and excitation."""
    parameters = layer.scale_param
    if len(shapes) == 2:
        return [Piece(Product(), {}), *([_shift(shapes[0].channels, weights)] if parameters.bias_term else [])]
    count = 1 + parameters.bias_term
    if len(weights) != count:
        raise MisfitError(f"it has {len(weights)} blobs of weights, and needs {count}")
    if parameters.num_axes == 0:
        scale, shift = (_fitted(weights, index, ()).item() if index < count else 0.0 for index in (0, 1))
        return [Piece(Power(1.0, scale, shift), {})]
    _check_axis(parameters.axis)
    if parameters.num_axes != 1:
        raise UnsupportedError("a scale of its own for each position, which is not supported")
    channels = (shapes[0].channels,)
    bias = _fitted(weights, 1, channels) if parameters.bias_term else torch.zeros(channels)
    return [Piece(Affine(), {"weight": _fitted(weights, 0, channels), "bias": bias})]


def _shift(channels: int, weights: Weights) -> Piece:
    return Piece(Affine(), {"weight": torch.ones(channels), "bias": _fitted(weights, 0, (channels,))})


def _prelu(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    if not layer.prelu_param.channel_shared:
        return [Piece(PReLU(), {"weight": _fitted(weights, 0, (shapes[0].channels,))})]
    slope = _fitted(weights, 0, ())
    if slope < 0:
        return [Piece(PReLU(), {"weight": slope.expand(shapes[0].channels)})]
    return [Piece(ReLU(slope.item()), {})]


def _lrn(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    parameters = layer.lrn_param
    within = parameters.norm_region == 1
    # Caffe computes the norm within a channel with a Power layer, whose shift is 1
    k = 1.0 if within else parameters.k
    return [Piece(LRN(parameters.local_size, parameters.alpha, parameters.beta, k, within), {})]


def _eltwise(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    parameters = layer.eltwise_param
    return [Piece((Product(), Sum(tuple(parameters.coeff)), Maximum())[parameters.operation], {})]


def _concat(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    parameters = layer.concat_param
    _check_axis(parameters.concat_dim if parameters.HasField("concat_dim") else parameters.axis)
    return [Piece(Concat(), {})]


def _softmax(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    _check_axis(layer.softmax_param.axis)
    return [Piece(Softmax(), {})]


def _normalize(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    """SSD's: each vector over its length, times what was learned. Liu et al. 2015, https://arxiv.org/abs/1512.02325."""
    parameters, channels = layer.norm_param, shapes[0].channels
    first = Piece(Normalize(parameters.across_spatial, parameters.eps), {})
    if parameters.channel_shared:
        return [first, Piece(Power(1.0, _fitted(weights, 0, ()).item()), {})]
    tensors = {"weight": _fitted(weights, 0, (channels,)), "bias": torch.zeros(channels)}
    return [first, Piece(Affine(), tensors)]


def _power(layer: Any, shapes: Sequence[Shape], weights: Weights) -> list[Piece]:
    parameters = layer.power_param
    return [Piece(Power(parameters.power, parameters.scale, parameters.shift), {})]


def _plain(make: Callable[[Any], Operation]) -> Converter:
    return lambda layer, shapes, weights: [Piece(make(layer), {})]


_LEARNED = frozenset(("Convolution", "Deconvolution", "InnerProduct", "BatchNorm", "PReLU", "Normalize"))

_CONVERTERS: dict[str, Converter] = {
    "AbsVal": _plain(lambda layer: Absolute()),
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "ELU": _plain(lambda layer: ELU(layer.elu_param.alpha)),
    "Eltwise": _eltwise,
    "InnerProduct": _inner_product,
    "LRN": _lrn,
    "Normalize": _normalize,
    "PReLU": _prelu,
    "Pooling": _pooling,
    "Power": _power,
    "ReLU": _plain(lambda layer: ReLU(layer.relu_param.negative_slope)),
    "Scale": _scale,
    "Sigmoid": _plain(lambda layer: Sigmoid()),
    "Softmax": _softmax,
    "TanH": _plain(lambda layer: TanH()),
}


def _check_axis(axis: int) -> None:
    if axis not in (CHANNELS_AXIS, CHANNELS_AXIS - 4):
        raise UnsupportedError(f"along axis {axis}, which is not supported")


def _sides(parameters: Any, both: str, each: str, default: int | None = None) -> Pair:
    """Height and width, which Caffe lets one give together, in turn, or by name."""
    if each and (parameters.HasField(f"{each}_h") or parameters.HasField(f"{each}_w")):
        return getattr(parameters, f"{each}_h"), getattr(parameters, f"{each}_w")
    values = list(getattr(parameters, both)) or ([] if default is None else [default])
    if not 1 <= len(values) <= 2:
        raise MisfitError(f"it has {len(values)} values of {both}, and needs one or two")
    return values[0], values[-1]


def _fitted(weights: Weights, index: int, shape: tuple[int, ...]) -> Tensor:
    """A blob in the shape that is needed, from which it may differ by leading ones: old files have four axes always."""
    if index >= len(weights):
        raise MisfitError(f"it has {len(weights)} blobs of weights, and needs more")
    blob = weights[index]
    if _significant(tuple(blob.shape)) != _significant(shape):
        raise MisfitError(f"its weights are {tuple(blob.shape)}, and it needs {shape}")
    return blob.reshape(shape)


def _significant(shape: tuple[int, ...]) -> tuple[int, ...]:
    first = next((index for index, side in enumerate(shape) if side != 1), len(shape))
    return shape[first:]
