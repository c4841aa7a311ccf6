# SPDX-License-Identifier: GPL-3.0-or-later
"""What we read of Caffe's files: a protobuf schema of our own, of the needed fields with Caffe's numbers.

It is made at run time, so that nothing has to be generated. Fields that are not here are passed over.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from ...protocol.errors import BrainFileError

MAX_TEXT = 2**20
MAX_DEPTH = 32
MAX_FIELDS = 60_000
"""In one prototxt: five times what the deepest networks have."""
MAX_LINE = 2**14
"""Letters: the time that protobuf takes for a line grows with its square."""

FIELDS = {
    "BlobShape": "repeated int64 dim 1",
    "BlobProto": """optional BlobShape shape 7; repeated float data 5; repeated double double_data 8
        optional int32 num 1; optional int32 channels 2; optional int32 height 3; optional int32 width 4""",
    "NetParameter": """optional string name 1; repeated string input 3; repeated int32 input_dim 4
        repeated BlobShape input_shape 8; repeated V1LayerParameter layers 2; repeated LayerParameter layer 100""",
    "NetStateRule": """optional Phase phase 1; optional int32 min_level 2; optional int32 max_level 3
        repeated string stage 4; repeated string not_stage 5""",
    "LayerParameter": """optional string name 1; optional string type 2; repeated string bottom 3
        repeated string top 4; repeated BlobProto blobs 7; repeated NetStateRule include 8
        repeated NetStateRule exclude 9; optional TransformationParameter transform_param 100
        optional ConcatParameter concat_param 104; optional ConvolutionParameter convolution_param 106
        optional EltwiseParameter eltwise_param 110; optional InnerProductParameter inner_product_param 117
        optional LRNParameter lrn_param 118; optional PoolingParameter pooling_param 121
        optional PowerParameter power_param 122; optional ReLUParameter relu_param 123
        optional SoftmaxParameter softmax_param 125; optional PReLUParameter prelu_param 131
        optional FlattenParameter flatten_param 135; optional BatchNormParameter batch_norm_param 139
        optional ELUParameter elu_param 140; optional ScaleParameter scale_param 142
        optional InputParameter input_param 143; optional NormalizeParameter norm_param 206""",
    "V1LayerParameter": """optional V0LayerParameter layer 1; repeated string bottom 2; repeated string top 3
        optional string name 4; optional V1Type type 5; repeated BlobProto blobs 6
        repeated NetStateRule include 32; repeated NetStateRule exclude 33
        optional TransformationParameter transform_param 36; optional ConcatParameter concat_param 9
        optional ConvolutionParameter convolution_param 10; optional InnerProductParameter inner_product_param 17
        optional LRNParameter lrn_param 18; optional PoolingParameter pooling_param 19
        optional PowerParameter power_param 21; optional EltwiseParameter eltwise_param 24
        optional ReLUParameter relu_param 30; optional SoftmaxParameter softmax_param 39""",
    "V0LayerParameter": "optional string name 1",
    "TransformationParameter": """optional float scale 1 = 1; optional uint32 crop_size 3
        repeated float mean_value 5""",
    "ConcatParameter": "optional uint32 concat_dim 1 = 1; optional int32 axis 2 = 1",
    "ConvolutionParameter": """optional uint32 num_output 1; optional bool bias_term 2 = true
        repeated uint32 pad 3; repeated uint32 kernel_size 4; optional uint32 group 5 = 1; repeated uint32 stride 6
        optional uint32 pad_h 9; optional uint32 pad_w 10; optional uint32 kernel_h 11; optional uint32 kernel_w 12
        optional uint32 stride_h 13; optional uint32 stride_w 14; optional int32 axis 16 = 1
        repeated uint32 dilation 18""",
    "EltwiseParameter": "optional EltwiseOp operation 1 = SUM; repeated float coeff 2",
    "InnerProductParameter": """optional uint32 num_output 1; optional bool bias_term 2 = true
        optional int32 axis 5 = 1; optional bool transpose 6 = false""",
    "LRNParameter": """optional uint32 local_size 1 = 5; optional float alpha 2 = 1; optional float beta 3 = 0.75
        optional NormRegion norm_region 4 = ACROSS_CHANNELS; optional float k 5 = 1""",
    "PoolingParameter": """optional PoolMethod pool 1 = MAX; repeated uint32 kernel_size 2; repeated uint32 stride 3
        repeated uint32 pad 4; optional uint32 kernel_h 5; optional uint32 kernel_w 6; optional uint32 stride_h 7
        optional uint32 stride_w 8; optional uint32 pad_h 9; optional uint32 pad_w 10
        optional bool global_pooling 12 = false; optional RoundMode round_mode 13 = CEIL""",
    "PowerParameter": "optional float power 1 = 1; optional float scale 2 = 1; optional float shift 3 = 0",
    "ReLUParameter": "optional float negative_slope 1 = 0",
    "SoftmaxParameter": "optional int32 axis 2 = 1",
    "PReLUParameter": "optional bool channel_shared 2 = false",
    "FlattenParameter": "optional int32 axis 1 = 1",
    "BatchNormParameter": "optional float eps 3 = 1e-5",
    "ELUParameter": "optional float alpha 1 = 1",
    "ScaleParameter": "optional int32 axis 1 = 1; optional int32 num_axes 2 = 1; optional bool bias_term 4 = false",
    "InputParameter": "repeated BlobShape shape 1",
    "NormalizeParameter": """optional bool across_spatial 1 = true; optional bool channel_shared 3 = true
        optional float eps 4 = 1e-10""",
}

ENUMS = {
    "Phase": "TRAIN 0 TEST 1",
    "PoolMethod": "MAX 0 AVE 1 STOCHASTIC 2",
    "RoundMode": "CEIL 0 FLOOR 1",
    "EltwiseOp": "PROD 0 SUM 1 MAX 2",
    "NormRegion": "ACROSS_CHANNELS 0 WITHIN_CHANNEL 1",
    "V1Type": """NONE 0 ABSVAL 35 ACCURACY 1 ARGMAX 30 BNLL 2 CONCAT 3 CONTRASTIVE_LOSS 37 CONVOLUTION 4 DATA 5
        DECONVOLUTION 39 DROPOUT 6 DUMMY_DATA 32 EUCLIDEAN_LOSS 7 ELTWISE 25 EXP 38 FLATTEN 8 HDF5_DATA 9
        HDF5_OUTPUT 10 HINGE_LOSS 28 IM2COL 11 IMAGE_DATA 12 INFOGAIN_LOSS 13 INNER_PRODUCT 14 LRN 15 MEMORY_DATA 29
        MULTINOMIAL_LOGISTIC_LOSS 16 MVN 34 POOLING 17 POWER 26 RELU 18 SIGMOID 19 SIGMOID_CROSS_ENTROPY_LOSS 27
        SILENCE 36 SOFTMAX 20 SOFTMAX_LOSS 21 SPLIT 22 SLICE 33 TANH 23 WINDOW_DATA 24 THRESHOLD 31""",
}
"""Names and numbers."""

_HINT = "Give the network's deploy.prototxt, as text."
_FIELD = re.compile(r"(optional|repeated) (\w+) (\w+) (\d+)(?: = ([^\s;]+))?")
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|#[^\n]*|[{}<>:]")


def parse_prototxt(text: str) -> Any:
    """The NetParameter that a prototxt describes. Raises BrainFileError for what is none, is too long or too deep."""
    if len(text) > MAX_TEXT:
        raise BrainFileError(
            f"The prototxt is longer than {MAX_TEXT:,} letters.", "Give the network's deploy.prototxt."
        )
    _check_extent(text)
    net = message("NetParameter")()
    try:
        text_format.Parse(text, net, allow_unknown_field=True)
    except (text_format.ParseError, ValueError) as error:
        raise BrainFileError(f"The prototxt cannot be read: {str(error)[:300]}.", _HINT) from error
    return net


def _check_extent(text: str) -> None:
    """Before the parser takes memory and time for it, or descends into it."""
    if max(map(len, text.splitlines()), default=0) > MAX_LINE:
        raise BrainFileError(f"The prototxt has a line of more than {MAX_LINE:,} letters.", _HINT)
    depth = fields = 0
    for token in _TOKEN.finditer(text):
        opens, closes = token.group() in ("{", "<"), token.group() in ("}", ">")
        depth += opens - closes
        fields += opens or token.group() == ":"
        if depth > MAX_DEPTH or fields > MAX_FIELDS:
            too_much = f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else f"of more than {MAX_FIELDS:,} fields"
            raise BrainFileError(f"The prototxt is {too_much}.", _HINT)


def message(name: str) -> Any:
    """The class of one of Caffe's messages. Its fields are known at run time only, hence no static type."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"caffe.{name}"))


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="caffe_fields.proto", package="caffe")
    for name, values in ENUMS.items():
        # values are named beside their type, not in it: a message around each type keeps one MAX from the other
        enum = file.message_type.add(name=f"{name}s").enum_type.add(name=name)
        words = values.split()
        for value, number in zip(words[::2], words[1::2], strict=True):
            enum.value.add(name=value, number=int(number))
    for name, declared in FIELDS.items():
        _add_message(file, name, declared)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add_message(file: descriptor_pb2.FileDescriptorProto, name: str, declared: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    new = file.message_type.add(name=name)
    for label, kind, field_name, number, default in _FIELD.findall(declared):
        field = new.field.add(name=field_name, number=int(number), label=kinds.Label.Value(f"LABEL_{label.upper()}"))
        if kind in ENUMS:
            field.type, field.type_name = kinds.TYPE_ENUM, f".caffe.{kind}s.{kind}"
        elif kind in FIELDS:
            field.type, field.type_name = kinds.TYPE_MESSAGE, f".caffe.{kind}"
        else:
            field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
        if default:
            field.default_value = default
        if label == "repeated" and kind in ("float", "double", "int64"):
            field.options.packed = True
