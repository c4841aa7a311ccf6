# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from blender_deepdream.engine.brain import Brain, Preprocessing
from blender_deepdream.engine.brain_file import load, save
from blender_deepdream.engine.caffe import IMAGENET_MEAN, import_caffe
from blender_deepdream.engine.caffe.schema import message
from blender_deepdream.engine.dream import dream_to_end
from blender_deepdream.engine.networks.graph import build
from blender_deepdream.protocol.errors import BrainFileError

from .networks import Net, Written, caffenet, googlenet, odd_ones, resnet50, vgg16


def imported(written: Written, **more):
    return import_caffe(written.prototxt, written.caffemodel, name="test", **more)


def image(height: int, width: int | None = None):
    return torch.rand(1, 3, height, width or height, generator=torch.Generator().manual_seed(0)) * 200 - 100


@pytest.fixture(scope="module")
def google(tmp_path_factory):
    return imported(googlenet().write(tmp_path_factory.mktemp("googlenet")))


def test_googlenet_offers_what_all_of_the_image_passes(google):
    card = google.card
    assert [layer.name for layer in card.layers] == [
        *("conv1/7x7_s2", "pool1/3x3_s2", "pool1/norm1", "conv2/3x3_reduce", "conv2/3x3", "conv2/norm2"),
        *("pool2/3x3_s2", "inception_3a/output", "inception_3b/output", "pool3/3x3_s2"),
        *(f"inception_4{letter}/output" for letter in "abcde"),
        *("pool4/3x3_s2", "inception_5a/output", "inception_5b/output", "pool5/7x7_s1"),
    ]
    assert card.default_layers == (("inception_4c/output", 1.0),)
    assert (card.classifier.name, card.classifier.channels) == ("loss3/classifier", 125)
    assert card.classes == tuple(str(index) for index in range(125))
    assert card.preprocessing == Preprocessing("BGR", 255.0, IMAGENET_MEAN)
    strides = {layer.name: layer.stride for layer in card.layers}
    assert (strides["conv1/7x7_s2"], strides["inception_4c/output"], strides["pool5/7x7_s1"]) == (2, 16, 32)


def test_branches_are_offered_when_asked_for(tmp_path):
    card = imported(googlenet().write(tmp_path), every_branch=True).card
    names = [layer.name for layer in card.layers]
    assert "inception_4c/3x3" in names
    assert len(names) > 70
    assert card.default_layers == (("inception_4c/output", 1.0),)


@pytest.mark.parametrize(
    ("make", "default", "classifier"),
    [(caffenet, "conv3", "fc8"), (vgg16, "conv4_2", "fc8"), (resnet50, "res4d", "fc1000")],
)
def test_default_layers_and_logits(make, default, classifier, tmp_path):
    card = imported(make().write(tmp_path)).card
    assert card.default_layers[0][0] == default
    assert card.classifier.name == classifier
    assert card.layers[-1].stride == 32


@pytest.mark.parametrize("make", [googlenet, resnet50, caffenet])
def test_what_is_folded_and_left_out_changes_nothing(make, tmp_path):
    """Against the graph as Caffe has it, in which no batch norm is folded, on an image of another size."""
    written = make().write(tmp_path)
    folded = imported(written)
    whole = imported(written, every_branch=True)
    assert len(folded.description["nodes"]) <= len(whole.description["nodes"])
    names = [layer.name for layer in (*folded.card.layers, folded.card.classifier)]
    x = image(230, 250)
    with torch.no_grad():
        found, expected = (build(one.description, one.tensors)(x, names) for one in (folded, whole))
    for name in names:
        torch.testing.assert_close(
            found[name], expected[name], rtol=1e-4, atol=1e-4 * expected[name].abs().max().item()
        )


def test_batch_norm_is_gone(tmp_path):
    nodes = imported(resnet50().write(tmp_path)).description["nodes"]
    assert {node["op"] for node in nodes} == {"convolution", "relu", "max_pooling", "average_pooling", "sum"}


def test_a_fully_connected_layer_looks_everywhere(tmp_path):
    """CaffeNet was trained on 227 pixels; at 32 pixels more it says what it says of each 227 x 227 window."""
    result = imported(caffenet().write(tmp_path))
    network = build(result.description, result.tensors)
    x = image(227 + 32)
    with torch.no_grad():
        everywhere = network(x, ["fc8"])["fc8"]
        corner = network(x[..., :227, :227], ["fc8"])["fc8"]
    assert everywhere.shape[-2:] == (2, 2)
    # the padding of inner layers sees the rest of the image in one case and zeros in the other
    assert torch.corrcoef(torch.stack([everywhere[0, :, 0, 0], corner[0, :, 0, 0]]))[0, 1] > 0.9


@pytest.mark.parametrize("size", [(64, 64), (205, 301)])
def test_any_size_dreams(google, size, quick, scene):
    brain = Brain(google.card, build(google.description, google.tensors), torch.device("cpu"))
    with torch.no_grad():
        found = brain.activations(image(*size), [layer.name for layer in google.card.layers] + ["loss3/classifier"])
    assert all(one.isfinite().all() and one.shape[-1] >= 1 for one in found.values())
    for layer in ("conv2/3x3", "inception_4c/output"):
        dreamed = dream_to_end(scene, brain, quick.replace(layers=((layer, 1.0),)))
        assert np.abs(dreamed.pixels - scene.pixels).max() > 0.01


def test_faces_come_without_their_heads(faces):
    result = imported(faces)
    assert "12 Permute (conv4_3_norm_mbox_loc_perm, ...), 6 PriorBox" in result.card.source
    assert result.card.classifier is None
    assert result.card.classes == ()
    assert [layer.name for layer in result.card.layers][-1] == "conv9_2_h"
    assert result.card.default_layers[0][0] in ("layer_512_1_bn1", "fc7")
    network = build(result.description, result.tensors)
    with torch.no_grad():
        assert network(image(205, 301), ["fc7"])["fc7"].abs().max() > 0


def test_classes_are_named(tiny, tmp_path):
    synset = tmp_path / "synset.txt"
    synset.write_text("n01440764 tench, Tinca tinca\nn02012849 crane\n/a/abbey 3\nn03126707 crane\nhot+cold: a, b\n")
    assert imported(tiny, classes=synset).card.classes == ("tench", "crane", "abbey", "crane 3", "hot_cold_ a")


@pytest.mark.parametrize(
    ("text", "message"), [("a\nb\n", "2 classes; the network tells 5"), ("", "not a list"), ("x" * 2000, "not a list")]
)
def test_classes_that_do_not_fit(tiny, tmp_path, text, message):
    synset = tmp_path / "synset.txt"
    synset.write_text(text)
    with pytest.raises(BrainFileError, match=message):
        imported(tiny, classes=synset)


def test_a_mean_image_counts_channel_by_channel(tiny, tmp_path):
    mean = tmp_path / "mean.binaryproto"
    pixels = np.stack([np.full((4, 5), value, np.float32) for value in (10, 20, 30)])
    blob = message("BlobProto")(num=1, channels=3, height=4, width=5, data=pixels.ravel().tolist())
    mean.write_bytes(blob.SerializeToString())
    assert imported(tiny, mean=mean).card.preprocessing.mean == (10, 20, 30)
    mean.write_bytes(blob.SerializeToString()[:-9])
    with pytest.raises(BrainFileError, match=r"mean\.binaryproto"):
        imported(tiny, mean=mean)


def test_a_training_file_is_read_as_its_test_phase(tmp_path):
    net = googlenet(divide=16)
    written = net.write(tmp_path)
    text = written.prototxt.read_text("utf-8")
    head = 'layer { name: "data" type: "Data" top: "data" top: "label" include { phase: %s } transform_param { %s } }\n'
    body = text[text.index('layer {\n  name: "conv1/7x7_s2"') :]
    body = body.replace('type: "Softmax"', 'type: "SoftmaxWithLoss" bottom: "label"')
    train = head % ("TRAIN", "crop_size: 99 mirror: true")
    test = head % ("TEST", "crop_size: 224 mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5")
    accuracy = 'layer { name: "top-1" type: "Accuracy" bottom: "loss3/classifier" bottom: "label" top: "top-1" }'
    written.prototxt.write_text(train + test + body + accuracy, "utf-8")
    card = imported(written).card
    assert card.classifier.name == "loss3/classifier"
    assert "left out" not in card.source
    assert card.preprocessing == Preprocessing("BGR", 255.0, (1, 2, 3), (2, 2, 2))


def test_names_that_the_grammar_cannot_say_are_replaced_and_stay_apart(tmp_path):
    net = Net("names", 16)
    for name in ("a:b", "a@b", "a,b", "a b", "class", "a_b"):
        net.conv(name, 4, 3, pad=1, relu="")
    names = [layer.name for layer in imported(net.write(tmp_path)).card.layers]
    assert names == ["a_b", "a_b_2", "a_b_3", "a_b_4", "class_2", "a_b_5"]


def test_an_unsupported_layer_in_the_way_is_named(tmp_path):
    net = Net("lstm", 16)
    net.conv("conv1", 4, 3)
    written = net.write(tmp_path)
    odd = 'layer { name: "odd" type: "MVN" bottom: "conv1" top: "odd" } '
    more = odd + 'layer { name: "%s" type: "%s" bottom: "odd" top: "x" }'
    text = written.prototxt.read_text("utf-8")
    written.prototxt.write_text(text + more % ("conv2", "Convolution"), "utf-8")
    with pytest.raises(
        BrainFileError, match="layer 'odd' is MVN, a type that is not supported, and layer 'conv2' needs"
    ):
        imported(written)
    written.prototxt.write_text(text + more % ("end", "Softmax"), "utf-8")
    assert "1 MVN (odd)" in imported(written).card.source


CONV = 'layer {{ name: "conv1" type: "Convolution" bottom: "{}" top: "conv1" convolution_param {{ {} }} }}'
DATA = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 16 dim: 16 } } }\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no input"),
        (DATA, "no layer that could dream"),
        (CONV.format("data", "num_output: 4 kernel_size: 3"), "needs|no input"),
        (DATA + CONV.format("conv1", "num_output: 4 kernel_size: 3"), "'conv1' needs 'conv1', which no layer before"),
        (DATA + CONV.format("data", "num_output: 2147483648 kernel_size: 3"), "channels must be .* not 2147483648"),
        (DATA + CONV.format("data", "num_output: 4 kernel_size: 1000000"), "kernel must be"),
        (DATA + CONV.format("data", "num_output: 4 kernel_size: 3 stride: 0"), "stride must be"),
        (DATA + CONV.format("data", "num_output: 4 kernel_size: 3 group: 2"), "groups"),
        (DATA + CONV.format("data", "num_output: 4"), "0 values of kernel_size"),
        (DATA + CONV.format("data", "num_output: 4 kernel_size: 5"), r"weights are \(4, 3, 3, 3\)"),
        (
            DATA + CONV.format("data", "num_output: 4 kernel_size: 3 bias_term: false"),
            "2 blobs of weights, and needs 1",
        ),
        (DATA + CONV.format("data", "num_output: 4 kernel_size: 3").replace("conv1", "conv2"), "no weights for layer"),
        (DATA.replace("dim: 3", "dim: 1"), "images of 1 channels"),
        ("layer { " * 40, "nested deeper"),
        ("layers { layer { name: 'x' } }", "first days"),
        ("layers { type: NO_SUCH_TYPE }", "cannot be read"),
        ("input: 'data' " + "#" * 2**20, "longer than"),
        ("input: 'data' " + "x: 1 " * 4_000, "line of more than"),
        ("input: 'data'\n" + "x: 1\n" * 60_000, "more than 60,000 fields"),
        ("\ufffd\x00{", "cannot be read"),
        ('layer { name: "x" }\n' * 10_001, "more than 10000 layers"),
        (DATA + f'layer {{ name: "{"x" * 300}" type: "ReLU" bottom: "data" top: "x" }}', "too long"),
    ],
)
def test_a_prototxt_that_is_refused(tmp_path, text, message):
    net = Net("net", 16)
    net.conv("conv1", 4, 3)
    written = net.write(tmp_path)
    written.prototxt.write_text(text, "utf-8")
    with pytest.raises(BrainFileError, match=message) as caught:
        imported(written)
    assert caught.value.hint


def test_files_that_are_not_there(tiny, tmp_path):
    for prototxt, caffemodel in ((tmp_path / "no", tiny.caffemodel), (tiny.prototxt, tmp_path / "no")):
        with pytest.raises(BrainFileError, match="cannot be read: No such file"):
            import_caffe(prototxt, caffemodel, name="x")


@pytest.mark.parametrize("make", [googlenet, odd_ones])
def test_a_brain_file_keeps_it_to_the_bit(make, tmp_path):
    result = imported(make().write(tmp_path))
    path = tmp_path / "test.safetensors"
    card = save(path, result.card, result.tensors, result.description)
    brain = load(path, torch.device("cpu"))
    assert card == brain.card
    assert card.layers == result.card.layers
    network = build(result.description, result.tensors)
    names = [layer.name for layer in card.layers]
    x = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, expected = brain.activations(x, names), network(card.preprocessing(x), names)
    assert all(torch.equal(found[name], expected[name]) for name in names)
