# SPDX-License-Identifier: GPL-3.0-or-later
import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_deepdream.engine.networks.graph import Graph, GraphNetwork, Node, build
from blender_deepdream.engine.networks.operations.cells import LRN, Affine, ReLU, Softmax
from blender_deepdream.engine.networks.operations.joints import Concat, Sum
from blender_deepdream.engine.networks.operations.windows import (
    AveragePooling,
    Convolution,
    Deconvolution,
    GlobalAverage,
    MaxPooling,
)
from blender_deepdream.protocol.errors import BrainFileError

GRAPH = Graph(
    "data",
    (
        Node("conv1", Convolution((5, 5), (2, 2), (2, 2), channels=8), ("data",)),
        Node("conv1/relu", ReLU(), ("conv1",)),
        Node("pool1", MaxPooling((3, 3), (2, 2)), ("conv1/relu",)),
        Node("norm1", LRN(), ("pool1",)),
        Node("a", Convolution((3, 3), padding=(1, 1), channels=8, groups=4), ("norm1",)),
        Node("a/affine", Affine(), ("a",)),
        Node("a/relu", ReLU(), ("a/affine",)),
        Node("b", Sum((1.0, 0.5)), ("a/relu", "norm1")),
        Node("mixed", Concat(), ("a/relu", "b")),
        Node("up", Deconvolution((4, 4), (2, 2), (1, 1), channels=4), ("mixed",)),
        Node("pool2", AveragePooling((7, 7)), ("mixed",)),
        Node("fc", Convolution((1, 1), channels=10), ("pool2",)),
        Node("mean", GlobalAverage(), ("fc",)),
        Node("prob", Softmax(), ("mean",)),
    ),
)
NAMES = [node.name for node in GRAPH.nodes]


def tensors() -> dict[str, torch.Tensor]:
    numbers = torch.Generator().manual_seed(0)
    shapes = GRAPH.shapes()
    return {
        f"{node.name}.{name}": torch.randn(shape, generator=numbers)
        for node in GRAPH.nodes
        for name, shape in node.operation.tensors(*(shapes[one] for one in node.inputs)).items()
    }


@pytest.fixture(scope="module")
def network() -> GraphNetwork:
    return build(json.loads(json.dumps(GRAPH.to_json())), tensors())


def image(height: int, width: int):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_a_description_survives_json():
    assert Graph.from_json(json.loads(json.dumps(GRAPH.to_json()))) == GRAPH


@pytest.mark.parametrize("side", [224, 256, 97])
def test_shapes_are_foretold(network, side):
    found = network(image(side, side), NAMES)
    shapes = GRAPH.shapes(side)
    assert {name: tuple(found[name].shape[1:]) for name in NAMES} == {
        name: (shapes[name].channels, *shapes[name].size) for name in NAMES
    }
    assert {name: shapes[name].stride for name in ("conv1", "pool1", "up", "fc")} == {
        "conv1": 2,
        "pool1": 4,
        "up": 2,
        "fc": 4,
    }


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 64), (205, 301)])
def test_any_size_runs(network, size):
    assert all(activation.isfinite().all() for activation in network(image(*size), NAMES).values())


def test_layers_asked_for_alone_are_the_same_as_together(network):
    x = image(64, 48)
    together = network(x, NAMES)
    for name in NAMES:
        torch.testing.assert_close(network(x, [name])[name], together[name])


def test_overwriting_spoils_no_layer_that_is_returned_and_no_gradient(network):
    x = image(48, 48).requires_grad_()
    alone, (before, after) = (
        network(x, ["a/relu"])["a/relu"],
        network(x, ["a/affine", "a/relu"]).values(),
    )
    assert (before < 0).any()
    torch.testing.assert_close(after, before.relu())
    torch.testing.assert_close(alone, after)
    gradients = [torch.autograd.grad(one.square().sum(), x)[0] for one in (alone, after)]
    torch.testing.assert_close(*gradients)
    assert gradients[0].abs().sum() > 0


def test_only_what_the_layers_need_is_run(network):
    ran = []
    hooks = [
        module.register_forward_hook(lambda module, *_: ran.append(module.node.name)) for module in network.operations
    ]
    network(image(32, 32), ["b"])
    for hook in hooks:
        hook.remove()
    # ReLUs that overwrite their input do not go through their module
    assert ran == ["conv1", "pool1", "norm1", "a", "a/affine", "b"]


def test_weights_are_frozen_and_channels_last(network):
    assert all(not weight.requires_grad for weight in network.parameters())
    assert network.operations[0].weight.is_contiguous(memory_format=torch.channels_last)


def changed(path: Sequence[object], value: object) -> dict[str, Any]:
    description = copy.deepcopy(GRAPH.to_json())
    spot: Any = description
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    return description


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["nodes"], [], "0 nodes"),
        (["nodes"], [GRAPH.to_json()["nodes"][0]] * 10_001, "10001 nodes"),
        (["nodes", 0, "name"], "", "name is not text"),
        (["nodes", 0, "name"], "x" * 257, "name is not text"),
        (["nodes", 1, "name"], "conv1", "two layers 'conv1'"),
        (["nodes", 0, "op"], "exec", "operation 'exec'"),
        (["nodes", 0, "op"], ["convolution"], "is not known"),
        (["nodes", 0, "inputs"], ["conv1/relu"], "not before it"),
        (["nodes", 0, "inputs"], ["conv1"], "not before it"),
        (["nodes", 0, "inputs"], [], "0 inputs"),
        (["nodes", 7, "inputs"], ["a", "norm1", "conv1"], "3 inputs and 2 coefficients"),
        (["nodes", 7, "inputs"], ["a", "data"], "8, 3 channels"),
        (["nodes", 0, "parameters", "channels"], 2**31, "channels must be"),
        (["nodes", 0, "parameters", "channels"], 8.5, "channels must be"),
        (["nodes", 0, "parameters", "kernel"], [10**6, 5], "kernel must be"),
        (["nodes", 0, "parameters", "kernel"], 5, "kernel must be"),
        (["nodes", 0, "parameters", "bias"], 1, "bias must be"),
        (["nodes", 0, "parameters", "surprise"], 1, "surprise"),
        (["nodes", 3, "parameters", "alpha"], float("nan"), "alpha must be"),
        (["nodes", 3, "parameters", "size"], 4, "must be odd"),
        (["nodes", 4, "parameters", "groups"], 3, "groups"),
        (["nodes", 2, "parameters", "padding"], [2, 2], "half of its kernel"),
        (["nodes", 1, "parameters", "slope"], -1, "slope must not be negative"),
    ],
)
def test_a_description_that_lies_is_refused(path, value, message):
    with pytest.raises(BrainFileError, match=message):
        build(changed(path, value), tensors())


def test_a_network_that_grows_without_end_is_refused():
    nodes = [Node("0", Convolution((1, 1), channels=64), ("data",))]
    nodes += [Node(str(n), Concat(), (str(n - 1), str(n - 1))) for n in range(1, 30)]
    with pytest.raises(BrainFileError, match="too large"):
        Graph("data", tuple(nodes)).shapes()
    deeper = [Node(str(n), MaxPooling((2, 2), (2, 2)), (str(n - 1) if n else "data",)) for n in range(30)]
    with pytest.raises(BrainFileError, match="pixels wide"):
        Graph("data", tuple(deeper)).shapes()


@pytest.mark.parametrize(
    "weight", [torch.ones(8, 3, 5, 4), torch.ones(8), torch.ones(8, 3, 5, 5, dtype=torch.int32), None]
)
def test_weights_that_do_not_fit_are_refused(weight):
    spoiled = tensors()
    if weight is None:
        del spoiled["conv1.weight"]
    else:
        spoiled["conv1.weight"] = weight
    with pytest.raises(BrainFileError, match=r"conv1\.weight"):
        GraphNetwork(GRAPH, spoiled)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 13), st.sampled_from(["name", "op", "inputs", "parameters", "channels", "kernel"]), JSON)
def test_any_change_of_a_description_is_taken_or_refused_clearly(index, key, value):
    path = (
        ["nodes", index, key] if key in ("name", "op", "inputs", "parameters") else ["nodes", index, "parameters", key]
    )
    try:
        build(changed(path, value), {})
    except BrainFileError as error:
        assert error.hint
