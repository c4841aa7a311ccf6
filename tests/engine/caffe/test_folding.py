# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from blender_deepdream.engine.caffe.folding import fold
from blender_deepdream.engine.networks.graph import Graph, GraphNetwork, Node
from blender_deepdream.engine.networks.operations import Affine, Convolution, Deconvolution, ReLU

OPERATIONS = (
    Convolution((3, 3), channels=8, bias=False),
    Convolution((3, 3), channels=9, groups=3),
    Deconvolution((4, 4), (2, 2), (1, 1), channels=6, groups=3),
)


def weights(graph: Graph) -> dict[str, torch.Tensor]:
    numbers, shapes = torch.Generator().manual_seed(0), graph.shapes()
    return {
        f"{node.name}.{name}": torch.randn(shape, generator=numbers)
        for node in graph.nodes
        for name, shape in node.operation.tensors(*(shapes[one] for one in node.inputs)).items()
    }


def chain(operation) -> Graph:
    return Graph(
        "data",
        (
            Node("conv", operation, ("data",)),
            Node("norm", Affine(), ("conv",)),
            Node("scale", Affine(), ("norm",)),
            Node("relu", ReLU(), ("scale",)),
        ),
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=["plain", "groups", "deconvolution"])
def test_one_convolution_does_it_all(operation):
    graph = chain(operation)
    tensors = weights(graph)
    folded, fewer = fold(graph, tensors, {"relu"})
    assert [node.name for node in folded.nodes] == ["scale", "relu"]
    assert set(fewer) == {"scale.weight", "scale.bias"}
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    expected, found = (GraphNetwork(*one)(x, ["relu"])["relu"] for one in ((graph, tensors), (folded, fewer)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("keep", "names"), [("conv", ["conv", "scale", "relu"]), ("norm", ["norm", "scale", "relu"])])
def test_what_is_kept_stays_what_it_is(keep, names):
    graph = chain(OPERATIONS[0])
    tensors = weights(graph)
    folded, fewer = fold(graph, tensors, {keep, "relu"})
    assert [node.name for node in folded.nodes] == names
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    expected, found = (GraphNetwork(*one)(x, [keep, "relu"]) for one in ((graph, tensors), (folded, fewer)))
    for name in (keep, "relu"):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-4)


def test_what_others_read_too_is_not_folded():
    graph = Graph("data", (*chain(OPERATIONS[0]).nodes, Node("beside", ReLU(), ("conv",))))
    folded, _ = fold(graph, weights(graph), {"relu", "beside"})
    assert "conv" in [node.name for node in folded.nodes]
