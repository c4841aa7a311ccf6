# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of Caffe's with random weights, as Caffe writes them: GoogLeNet, CaffeNet, VGG, ResNet, and odd ones.

They have the layers of the published ones and an eighth of their channels, so that they run in a moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format

from blender_deepdream.engine.caffe.schema import ENUMS, message

PARAMETERS = {
    **{"Convolution": "convolution_param", "Deconvolution": "convolution_param", "InnerProduct": "inner_product_param"},
    **{"Pooling": "pooling_param", "LRN": "lrn_param", "Scale": "scale_param", "Eltwise": "eltwise_param"},
    **{"PReLU": "prelu_param", "Power": "power_param", "ReLU": "relu_param", "Concat": "concat_param"},
    **{"ELU": "elu_param", "Normalize": "norm_param", "Softmax": "softmax_param"},
}
OLD_TYPES = {"InnerProduct": "INNER_PRODUCT", "SoftmaxWithLoss": "SOFTMAX_LOSS"}


@dataclass
class Written:
    """A network's two files."""

    prototxt: Path
    caffemodel: Path


class Net:
    """A network in the making. shapes: channels, height and width of each blob."""

    def __init__(self, name: str, side: int, seed: int = 0, old: bool = False) -> None:
        self.message = message("NetParameter")(name=name)
        self.old = old
        self.numbers = np.random.default_rng(seed)
        self.shapes = {"data": (3, side, side)}
        self.last = "data"
        if old:
            self.message.input.append("data")
            self.message.input_dim.extend([1, 3, side, side])
        else:
            layer = self.message.layer.add(name="data", type="Input", top=["data"])
            layer.input_param.shape.add(dim=[1, 3, side, side])

    def add(self, kind: str, name: str, *bottoms: str, top: str = "", blobs: Any = (), **parameters: Any) -> str:
        """A layer on these blobs, by default on the last one. Gives its top, by default its name."""
        bottoms, top = bottoms or (self.last,), top or name
        layer = (self.message.layers if self.old else self.message.layer).add(name=name, bottom=bottoms, top=[top])
        layer.type = self._old_type(kind) if self.old else kind
        for field, value in parameters.items():
            inner = getattr(layer, PARAMETERS[kind])
            if isinstance(value, list):
                getattr(inner, field).extend(value)
            else:
                setattr(inner, field, value)
        for blob in blobs:
            self._add_blob(layer, blob)
        self.last = top
        self.shapes[top] = self.shapes[bottoms[0]]
        return top

    def _old_type(self, kind: str) -> int:
        words = ENUMS["V1Type"].split()
        return int(words[words.index(OLD_TYPES.get(kind, kind.upper())) + 1])

    def _add_blob(self, layer: Any, values: Any) -> None:
        blob = layer.blobs.add()
        blob.data.extend(np.ravel(values).astype(np.float32))
        shape: tuple[int, ...] = np.shape(values)
        if self.old:
            blob.num, blob.channels, blob.height, blob.width = ([1] * 4 + list(shape))[-4:]
        else:
            blob.shape.dim.extend(shape)

    def random(self, *shape: int) -> Any:
        """Scaled so that activations keep their size."""
        return self.numbers.standard_normal(shape) * (2 / math.prod(shape[1:])) ** 0.5

    def conv(self, name: str, channels: int, kernel: int, *bottoms: str, relu: str = "relu_{}", **more: Any) -> str:
        """With its ReLU in place, unless `relu` is empty."""
        bottom = (*bottoms, self.last)[0]
        deeper, height, width = self.shapes[bottom]
        group, bias = more.get("group", 1), more.get("bias_term", True)
        weight = self.random(channels, deeper // group, kernel, kernel)
        blobs = [weight, self.random(channels)] if bias else [weight]
        stride, pad, dilation = more.pop("stride", 1), more.pop("pad", 0), more.pop("dilation", 1)
        sizes: dict[str, Any] = {"kernel_size": [kernel], "stride": [stride], "pad": [pad], "dilation": [dilation]}
        self.add("Convolution", name, bottom, blobs=blobs, num_output=channels, **sizes, **more)
        reach = dilation * (kernel - 1) + 1
        height, width = ((side + 2 * pad - reach) // stride + 1 for side in (height, width))
        self.shapes[name] = (channels, height, width)
        return self.add("ReLU", relu.format(name), top=name) if relu else name

    def pool(self, name: str, kernel: int, stride: int, *bottoms: str, pad: int = 0, pool: int = 0) -> str:
        bottom = (*bottoms, self.last)[0]
        channels, height, width = self.shapes[bottom]
        self.add("Pooling", name, bottom, kernel_size=[kernel], stride=[stride], pad=[pad], pool=pool)
        self.shapes[name] = (channels, _pooled(height, kernel, stride, pad), _pooled(width, kernel, stride, pad))
        return name

    def fc(self, name: str, outputs: int, *bottoms: str) -> str:
        bottom = (*bottoms, self.last)[0]
        blobs = [self.random(outputs, math.prod(self.shapes[bottom])), self.random(outputs)]
        self.add("InnerProduct", name, bottom, blobs=blobs, num_output=outputs)
        self.shapes[name] = (outputs, 1, 1)
        return name

    def norm(self, name: str) -> str:
        """Batch norm and scale, in place on the last blob, as in He's ResNets."""
        top, channels = self.last, self.shapes[self.last][0]
        positive = self.numbers.random(channels) + 0.5
        blobs = [self.random(channels) * 2, positive * 2, np.array([2.0])]
        self.add("BatchNorm", f"bn{name}", top, top=top, blobs=blobs)
        blobs = [self.numbers.random(channels) + 0.5, self.random(channels)]
        return self.add("Scale", f"scale{name}", top, top=top, blobs=blobs, bias_term=True)

    def concat(self, name: str, *bottoms: str) -> str:
        self.add("Concat", name, *bottoms)
        self.shapes[name] = (sum(self.shapes[one][0] for one in bottoms), *self.shapes[bottoms[0]][1:])
        return name

    def write(self, folder: Path) -> Written:
        """Both files, the prototxt without weights."""
        written = Written(folder / f"{self.message.name}.prototxt", folder / f"{self.message.name}.caffemodel")
        written.caffemodel.write_bytes(self.message.SerializeToString())
        bare = message("NetParameter")()
        bare.CopyFrom(self.message)
        for layer in (*bare.layer, *bare.layers):
            del layer.blobs[:]
        written.prototxt.write_text(text_format.MessageToString(bare), "utf-8")
        return written


def _pooled(side: int, kernel: int, stride: int, pad: int) -> int:
    """Caffe's rule for the size of a pooled map."""
    count = -(-(side + 2 * pad - kernel) // stride) + 1
    return count - 1 if pad and (count - 1) * stride >= side + pad else count


INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(divide: int = 8, old: bool = False) -> Net:
    """BVLC's. Szegedy et al. 2014, https://arxiv.org/abs/1409.4842."""
    net = Net("GoogleNet", 224, old=old)
    net.conv("conv1/7x7_s2", 64 // divide, 7, stride=2, pad=3)
    net.pool("pool1/3x3_s2", 3, 2)
    net.add("LRN", "pool1/norm1", local_size=5, alpha=1e-4, beta=0.75)
    net.conv("conv2/3x3_reduce", 64 // divide, 1)
    net.conv("conv2/3x3", 192 // divide, 3, pad=1)
    net.add("LRN", "conv2/norm2", local_size=5, alpha=1e-4, beta=0.75)
    net.pool("pool2/3x3_s2", 3, 2)
    for name, channels in INCEPTION.items():
        _inception(net, f"inception_{name}", [count // divide for count in channels])
        if name in ("3b", "4e"):
            net.pool(f"pool{int(name[0])}/3x3_s2", 3, 2)
    net.pool("pool5/7x7_s1", 7, 1, pool=1)
    net.add("Dropout", "pool5/drop_7x7_s1", top="pool5/7x7_s1")
    net.fc("loss3/classifier", 1000 // divide)
    net.add("Softmax", "prob")
    return net


def _inception(net: Net, name: str, channels: list[int]) -> None:
    start = net.last
    branches = [net.conv(f"{name}/1x1", channels[0], 1, start)]
    for kernel, (reduced, count) in ((3, channels[1:3]), (5, channels[3:5])):
        net.conv(f"{name}/{kernel}x{kernel}_reduce", reduced, 1, start)
        branches.append(net.conv(f"{name}/{kernel}x{kernel}", count, kernel, pad=kernel // 2))
    net.pool(f"{name}/pool", 3, 1, start, pad=1)
    branches.append(net.conv(f"{name}/pool_proj", channels[5], 1))
    net.concat(f"{name}/output", *branches)


def caffenet(divide: int = 8) -> Net:
    """Krizhevsky's network with the norm after the pooling. Groups, and a fully connected layer on a 6x6 map."""
    net = Net("CaffeNet", 227)
    net.conv("conv1", 96 // divide, 11, stride=4, relu="relu1")
    net.pool("pool1", 3, 2)
    net.add("LRN", "norm1", local_size=5, alpha=1e-4, beta=0.75)
    net.conv("conv2", 256 // divide, 5, pad=2, group=2, relu="relu2")
    net.pool("pool2", 3, 2)
    net.add("LRN", "norm2", local_size=5, alpha=1e-4, beta=0.75)
    net.conv("conv3", 384 // divide, 3, pad=1, relu="relu3")
    net.conv("conv4", 384 // divide, 3, pad=1, group=2, relu="relu4")
    net.conv("conv5", 256 // divide, 3, pad=1, group=2, relu="relu5")
    net.pool("pool5", 3, 2)
    return _classifying(net, divide)


def vgg16(divide: int = 8, side: int = 96) -> Net:
    """Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556; in the V1 form, as it was published."""
    net = Net("VGG_ILSVRC_16_layers", side, old=True)
    for stage, (layers, channels) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for number in range(1, layers + 1):
            net.conv(f"conv{stage}_{number}", channels // divide, 3, pad=1, relu=f"relu{stage}_{number}")
        net.pool(f"pool{stage}", 2, 2)
    return _classifying(net, divide)


def _classifying(net: Net, divide: int) -> Net:
    """With the three fully connected layers of its time."""
    for name in ("6", "7"):
        net.fc(f"fc{name}", 4096 // divide)
        net.add("ReLU", f"relu{name}", top=f"fc{name}")
        net.add("Dropout", f"drop{name}", top=f"fc{name}")
    net.fc("fc8", 1000 // divide)
    net.add("Softmax", "prob")
    return net


def resnet50(divide: int = 8) -> Net:
    """He et al. 2015, https://arxiv.org/abs/1512.03385."""
    net = Net("ResNet-50", 224)
    net.conv("conv1", 64 // divide, 7, stride=2, pad=3, relu="")
    net.norm("_conv1")
    net.add("ReLU", "conv1_relu", top="conv1")
    net.pool("pool1", 3, 2)
    for stage, blocks in ((2, "abc"), (3, "abcd"), (4, "abcdef"), (5, "abc")):
        for letter in blocks:
            _bottleneck(net, f"{stage}{letter}", 2 ** (stage + 4) // divide, 2 if letter == "a" and stage > 2 else 1)
    net.pool("pool5", 7, 1, pool=1)
    net.fc("fc1000", 1000 // divide)
    net.add("Softmax", "prob")
    return net


def _bottleneck(net: Net, name: str, channels: int, stride: int) -> None:
    start = shortcut = net.last
    if name[-1] == "a":
        shortcut = net.conv(f"res{name}_branch1", 4 * channels, 1, start, stride=stride, bias_term=False, relu="")
        net.norm(f"{name}_branch1")
    shapes = (("2a", channels, 1, stride, 0), ("2b", channels, 3, 1, 1), ("2c", 4 * channels, 1, 1, 0))
    net.last = start
    for branch, count, kernel, step, pad in shapes:
        net.conv(f"res{name}_branch{branch}", count, kernel, stride=step, pad=pad, bias_term=False, relu="")
        last = net.norm(f"{name}_branch{branch}")
        if branch != "2c":
            net.add("ReLU", f"res{name}_branch{branch}_relu", top=last)
    net.add("Eltwise", f"res{name}", shortcut, last)
    net.add("ReLU", f"res{name}_relu", top=f"res{name}")


def odd_ones() -> Net:
    """Every other layer there is."""
    net = Net("OddOnes", 61)
    net.add("Power", "power", power=1.0, scale=0.02, shift=0.1)
    net.conv("conv1", 8, 3, relu="", pad=2, dilation=2)
    net.add("PReLU", "prelu", blobs=[net.numbers.random(8)])
    net.add("PReLU", "prelu_shared", "conv1", blobs=[np.array([0.3])], channel_shared=True)
    net.add("ReLU", "leaky", "conv1", negative_slope=0.1)
    net.add("ELU", "elu", "conv1", alpha=0.7)
    net.add("Sigmoid", "sigmoid", "conv1")
    net.add("TanH", "tanh", "conv1")
    net.add("AbsVal", "absval", "conv1")
    net.add("Eltwise", "sum", "leaky", "elu", "prelu", operation=1, coeff=[0.5, -1.0, 2.0])
    net.add("Eltwise", "product", "sigmoid", "tanh", operation=0)
    net.add("Eltwise", "max", "product", "absval", operation=2)
    net.add("LRN", "within", "sum", local_size=3, alpha=0.5, beta=0.75, norm_region=1)
    net.add("LRN", "across", "sum", local_size=3, alpha=0.5, beta=0.6)
    net.add("Normalize", "length", "sum", blobs=[net.numbers.random(8)], across_spatial=False, channel_shared=False)
    net.pool("average", 3, 2, "max", pad=1, pool=1)
    net.pool("overhanging", 2, 2, "max", pool=1)
    net.add("Pooling", "oblong", "max", kernel_h=3, kernel_w=2, stride_h=1, stride_w=2, pad_h=1, pad_w=0, pool=0)
    net.concat("joined", "average", "overhanging")
    deconvolution: dict[str, Any] = {"kernel_size": [4], "stride": [2], "pad": [1], "group": 4, "num_output": 8}
    net.add("Deconvolution", "up", blobs=[net.random(16, 2, 4, 4), net.random(8)], **deconvolution)
    net.shapes["up"] = (8, 62, 62)
    net.add("Pooling", "mean", "up", global_pooling=True, pool=1)
    net.add("Pooling", "peak", "up", global_pooling=True, pool=0)
    net.shapes["mean"] = (8, 1, 1)
    net.fc("squeeze", 8, "mean")
    net.add("Sigmoid", "gate", "squeeze")
    net.add("Flatten", "flat", "up")
    net.fc("logits", 10, "flat")
    net.add("Softmax", "prob")
    return net
