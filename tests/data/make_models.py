#!/usr/bin/env python3
"""Writes the small networks that tests/test_onnx.c reads, and models.txt, what is expected of each.

    tests/data/make_models.py [FOLDER]      (needs onnx and numpy; the files are committed)

A row of models.txt is FILE|load or infer|STATUS|TEXT. STATUS ok: TEXT lists the outputs as "name dtype dims";
otherwise TEXT is a part of the error text. Networks that are right are also shown to ONNX's own checker.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
MS = "com.microsoft"
rows = []


def node(op, ins, outs="y", name="n", domain="", **attrs):
    return helper.make_node(op, ins.split(), outs.split(), name=name, domain=domain, **attrs)


def optional(op, ins, outs="y", name="n", domain="", **attrs):
    """As node(), with "-" for an operand that is absent."""
    made = node(op, ins, outs, name, domain, **attrs)
    made.input[:] = ["" if i == "-" else i for i in made.input]
    made.output[:] = ["" if o == "-" else o for o in made.output]
    return made


def value(text):
    """'x u8 1,3,N' as a ValueInfoProto; 'x u8' has no shape."""
    parts = text.split()
    dims = None
    if len(parts) > 2:
        dims = [] if parts[2] == "scalar" else [int(d) if d.lstrip("-").isdigit() else d for d in parts[2].split(",")]
    return helper.make_tensor_value_info(parts[0], TYPES[parts[1]], dims)


TYPES = {"u8": T.UINT8, "s8": T.INT8, "f32": T.FLOAT, "s32": T.INT32, "s64": T.INT64, "f16": T.FLOAT16,
         "u16": T.UINT16, "s16": T.INT16, "bool": T.BOOL, "str": T.STRING, "f64": T.DOUBLE}
NUMPY = {"u8": np.uint8, "s8": np.int8, "f32": np.float32, "s32": np.int32, "s64": np.int64}


def tensor(name, dtype, array, **how):
    return numpy_helper.from_array(np.array(array, NUMPY[dtype]), name)


def model(nodes, inputs, outputs, tensors=(), opset=13, opsets=None):
    graph = helper.make_graph(nodes if isinstance(nodes, list) else [nodes], "g", [value(i) for i in inputs],
                              [value(o) for o in outputs], list(tensors))
    imports = opsets or [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
    made = helper.make_model(graph, opset_imports=imports)
    made.ir_version = 7
    made.producer_name = ""
    return made


def case(name, stage, status, text, made, check=True):
    data = made if isinstance(made, bytes) else made.SerializeToString()
    (FOLDER / f"{name}.onnx").write_bytes(data)
    rows.append(f"{name}.onnx|{stage}|{status}|{text}")
    domains = set() if isinstance(made, bytes) else {n.domain for n in made.graph.node}
    if status == "ok" and check and domains <= {""}:
        shown = onnx.ModelProto()
        shown.CopyFrom(made)
        for out in shown.graph.output:
            out.type.tensor_type.shape.SetInParent()  # the checker insists on one
        onnx.checker.check_model(shown)


def good(name, text, made, check=True):
    case(name, "infer", "ok", text, made, check)


# ---- quantized networks that are right ------------------------------------------------------------------------
def quant(prefix, dtype, scale=0.5, zero=0):
    return [tensor(prefix + "_scale", "f32", scale), tensor(prefix + "_zero", dtype, zero)]


def conv(dtype="u8", scales=(0.1, 0.2, 0.3, 0.4), w_shape=(4, 3, 3, 3), w_zero=None, x_zero="u8", bias=4,
         x="x u8 1,3,8,8", extra=(), ins="x x_scale x_zero w w_scale w_zero y_scale y_zero b", **attrs):
    weights = (np.arange(np.prod(w_shape)).reshape(w_shape) % 13 - 6).astype(np.int8)
    w_zeros = np.zeros(len(scales), np.int8) if w_zero is None else w_zero
    tensors = [*quant("x", x_zero), numpy_helper.from_array(weights, "w"), tensor("w_scale", "f32", list(scales)),
               numpy_helper.from_array(w_zeros, "w_zero"), *quant("y", dtype, 0.25), *extra]
    if bias is not None:
        tensors.append(tensor("b", "s32", [7] * bias))
    else:
        ins = ins.rsplit(" ", 1)[0]
    return model(node("QLinearConv", ins, name="conv", **attrs), [x], [f"y {dtype}"], tensors)


good("conv", "y u8 1,4,6,6", conv())
good("conv_pads", "y u8 1,4,4,8", conv(pads=[1, 1, 1, 1], strides=[2, 1]))
good("conv_no_bias", "y s8 1,4,6,6", conv(dtype="s8", bias=None))
good("conv_same_upper", "y u8 1,4,3,3", conv(auto_pad="SAME_UPPER", strides=[3, 3]))
good("conv_same_lower", "y u8 1,4,4,4", conv(auto_pad="SAME_LOWER", strides=[2, 2]))
good("conv_valid", "y u8 1,4,4,4", conv(auto_pad="VALID", dilations=[2, 2]))
good("conv_depthwise", "y u8 1,4,6,6", conv(w_shape=(4, 1, 3, 3), x="x u8 1,4,8,8", group=4))
good("conv_dynamic", "y u8 1,4,6,6", conv(x="x u8 N,3,8,8"))
good("conv_1d", "y u8 1,4,6", conv(w_shape=(4, 3, 3), x="x u8 1,3,8"))
good("conv_integer", "y s32 2,4,6,6", model(
    optional("ConvInteger", "x w - w_zero"), ["x u8 2,3,8,8"], ["y s32"],
    [tensor("w", "s8", np.ones((4, 3, 3, 3))), tensor("w_zero", "s8", 1)]))
good("conv_runtime_weights", "y u8 1,4,6,6", model(
    node("QLinearConv", "x xs xz w ws wz ys yz"),
    ["x u8 1,3,8,8", "xs f32 scalar", "xz u8 scalar", "w s8 4,3,3,3", "ws f32 4", "wz s8 4", "ys f32 scalar",
     "yz u8 scalar"], ["y u8"]))


def bad_conv(name, status, text, **how):
    case(name, "infer", status, text, conv(**how), check=False)


INVALID, UNSUPPORTED, CORRUPT = "invalid argument", "unsupported", "corrupt file"
bad_conv("bad_scale_zero", INVALID, "w_scale: scale[2] is 0; scales must be finite and > 0",
         scales=(0.1, 0.2, 0.0, 0.4))
bad_conv("bad_scale_nan", INVALID, "w_scale: scale[0] is ", scales=(float("nan"), 0.2, 0.1, 0.4))
bad_conv("bad_scale_inf", INVALID, "w_scale: scale[3] is inf", scales=(0.2, 0.2, 0.1, float("inf")))
bad_conv("bad_scale_negative", INVALID, "w_scale: scale[1] is -1", scales=(0.2, -1, 0.1, 2))
bad_conv("bad_scale_count", INVALID, "scale 'w_scale' has 3 elements", scales=(0.1, 0.2, 0.3))
bad_conv("bad_zero_dtype", INVALID, "zero point 'x_zero' has dtype s8; it must be u8", x_zero="s8")
bad_conv("bad_zero_count", INVALID, "zero point 'w_zero' has 2 elements", w_zero=np.zeros(2, np.int8))
bad_conv("bad_bias", INVALID, "the bias must be s32 [4]", bias=3)
bad_conv("bad_stride", INVALID, "strides[1] is 0", strides=[1, 0])
bad_conv("bad_stride_count", CORRUPT, "strides must have 2 values", strides=[1])
bad_conv("bad_dilation", INVALID, "dilations[0] is 0", dilations=[0, 1])
bad_conv("bad_pad", INVALID, "pads[2] is -1", pads=[0, 0, -1, 0])
bad_conv("bad_pad_huge", INVALID, "pads[0] is ", pads=[2**62, 0, 0, 0])
bad_conv("bad_auto_pad", CORRUPT, "auto_pad is 'SIDEWAYS'", auto_pad="SIDEWAYS")
bad_conv("bad_group_zero", INVALID, "group is 0", group=0)
bad_conv("bad_group", INVALID, "do not fit 3 channels in 2 groups", group=2)
bad_conv("bad_kernel_big", INVALID, "the kernel covers 9, more than the padded input's 8", dilations=[4, 1])
bad_conv("bad_kernel_shape", INVALID, "kernel_shape[0] is 2, but the weights have 3", kernel_shape=[2, 3])
bad_conv("bad_weights", INVALID, "do not fit 3 channels", w_shape=(4, 2, 3, 3))
bad_conv("bad_weights_rank", INVALID, "weights 'w' have rank 3", w_shape=(4, 3, 3))
bad_conv("bad_input_dtype", UNSUPPORTED, "input 0 ('x') has dtype f32", x="x f32 1,3,8,8")
bad_conv("bad_3d", UNSUPPORTED, "3 spatial dimensions", x="x u8 1,3,8,8,8", w_shape=(4, 3, 3, 3, 3))


# ---- matrix products, pools, elementwise ----------------------------------------------------------------------
def matmul(a, b, op="MatMulInteger"):
    return model(node(op, "a b"), [f"a u8 {a}", f"b s8 {b}"], ["y s32"])


good("matmul", "y s32 3,5", matmul("3,4", "4,5"))
good("matmul_batch", "y s32 6,2,3,5", matmul("6,1,3,4", "2,4,5"))
good("matmul_vector_a", "y s32 2,5", matmul("4", "2,4,5"))
good("matmul_vector_b", "y s32 2,3", matmul("2,3,4", "4"))
good("matmul_vectors", "y s32 ", matmul("4", "4"))
case("bad_matmul", "infer", INVALID, "inner dimensions differ: 'a' has 4, 'b' has 3", matmul("3,4", "3,5"))
case("bad_matmul_batch", "infer", INVALID, "do not broadcast: 2 against 3", matmul("2,3,4", "3,4,5"))
case("bad_matmul_scalar", "infer", INVALID, "at least one dimension", matmul("scalar", "4,5"))
good("qlinear_matmul", "y u8 3,5", model(
    node("QLinearMatMul", "a as az b bs bz ys yz"),
    ["a u8 3,4", "b u8 4,5"], ["y u8"],
    [tensor("as", "f32", 1), tensor("az", "u8", 3), tensor("bs", "f32", [1] * 5), tensor("bz", "u8", [3] * 5),
     tensor("ys", "f32", 1), tensor("yz", "u8", 3)]))


def qgemm(c=5, tail="ys yz", **attrs):
    extra = [tensor("ys", "f32", 1), tensor("yz", "s8", 0)]
    return model(optional("QGemm", "a as az b bs bz c " + tail, domain=MS, **attrs), ["a s8 4,3"],
                 ["y f32" if not tail else "y s8"],
                 [tensor("as", "f32", 1), tensor("az", "s8", 0), tensor("b", "s8", np.ones((5, 4))),
                  tensor("bs", "f32", 1), tensor("bz", "s8", 0), tensor("c", "s32", np.ones(c)), *extra])


good("qgemm", "y s8 3,5", qgemm(transA=1, transB=1))
good("qgemm_float", "y f32 3,5", qgemm(tail="", transA=1, transB=1))
case("bad_qgemm", "infer", INVALID, "inner dimensions differ: 3 and 5", qgemm())
case("bad_qgemm_bias", "infer", UNSUPPORTED, "the bias has 4 elements", qgemm(c=4, transA=1, transB=1))


def pool(x, op="MaxPool", opset=12, dtype="u8", **attrs):
    return model(node(op, "x", name="p1", **attrs), [f"x {dtype} {x}"], [f"y {dtype}"], opset=opset)


good("max_pool", "y u8 1,2,4,3", pool("1,2,8,7", kernel_shape=[2, 2], strides=[2, 2]))
case("bad_flag", "infer", INVALID, "attribute ceil_mode is 58; it must be 0 or 1", model(
    node("MaxPool", "x", kernel_shape=[2, 2], ceil_mode=58), ["x u8 1,3,5,5"], ["y u8"]))
good("max_pool_ceil", "y u8 1,2,4,4", pool("1,2,8,7", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1))
good("max_pool_float10", "y f32 1,2,4,3", pool("1,2,8,7", kernel_shape=[2, 2], strides=[2, 2], opset=10, dtype="f32"))
case("bad_pool_opset", "infer", UNSUPPORTED, "MaxPool (node 'p1'): 8-bit MaxPool needs opset 12; the model has 10",
     pool("1,2,8,7", kernel_shape=[2, 2], opset=10))
case("bad_pool_kernel", "infer", CORRUPT, "kernel_shape is missing", pool("1,2,8,7"))
case("bad_pool_storage", "infer", UNSUPPORTED, "storage_order", pool("1,2,8,7", kernel_shape=[2, 2], storage_order=1))
case("bad_pool_indices", "load", UNSUPPORTED, "has 2 outputs", model(
    node("MaxPool", "x", "y i", kernel_shape=[2, 2]), ["x u8 1,1,4,4"], ["y u8", "i s64"]))


def ms_pool(op, **attrs):
    return model(node(op, "x s z s z", domain=MS, **attrs), ["x u8 2,5,6,7"], ["y u8"],
                 [tensor("s", "f32", 1), tensor("z", "u8", 0)])


good("average_pool", "y u8 2,5,4,5", ms_pool("QLinearAveragePool", kernel_shape=[3, 3]))
good("average_pool_last", "y u8 2,3,4,7", ms_pool("QLinearAveragePool", kernel_shape=[3, 3], channels_last=1))
good("global_pool", "y u8 2,5,1,1", ms_pool("QLinearGlobalAveragePool"))
good("global_pool_last", "y u8 2,1,1,7", ms_pool("QLinearGlobalAveragePool", channels_last=1))


def qbinary(a, b, b_type="u8"):
    return model(node("QLinearAdd", "a s za b s zb s za", domain=MS), [f"a u8 {a}", f"b {b_type} {b}"], ["y u8"],
                 [tensor("s", "f32", 1), tensor("za", "u8", 0), tensor("zb", b_type, 0)])


good("add", "y u8 2,3,4", qbinary("2,1,4", "3,1"))
case("bad_add", "infer", INVALID, "do not broadcast: 4 against 3", qbinary("2,4", "2,3"))
case("bad_add_types", "infer", INVALID, "operands have dtypes u8 and s8", qbinary("2,4", "2,4", "s8"))


def concat(count=2, axis=1, b="2,5,4", cut=0):
    ins = ("s z " + " ".join(f"x{i} s z" for i in range(count))).split()
    return model(node("QLinearConcat", " ".join(ins[:len(ins) - cut]), domain=MS, axis=axis),
                 [f"x{i} u8 {'2,3,4' if i == 0 else b}" for i in range(count)], ["y u8"],
                 [tensor("s", "f32", 1), tensor("z", "u8", 0)])


good("concat", "y u8 2,8,4", concat())
good("concat_three", "y u8 2,13,4", concat(3, axis=-2))
case("bad_concat", "infer", INVALID, "'x1' has 5 in dimension 2, not 4", concat(b="2,3,5"))
case("bad_concat_axis", "infer", INVALID, "axis is out of range for rank 3", concat(axis=3))
case("bad_concat_threes", "infer", CORRUPT, "must come in threes", concat(cut=1))
for op in ("QLinearSigmoid", "QLinearLeakyRelu"):
    good(op.lower(), "y u8 2,3", model(node(op, "x s z s z", domain=MS), ["x u8 2,3"], ["y u8"],
                                       [tensor("s", "f32", 1), tensor("z", "u8", 0)]))
good("qlinear_softmax", "y u8 2,3", model(node("QLinearSoftmax", "x s z s z", domain=MS, opset=13), ["x u8 2,3"],
                                          ["y u8"], [tensor("s", "f32", 1), tensor("z", "u8", 0)]))


def qwhere(y="y u8 3,1"):
    return model(node("QLinearWhere", "c x s z y s z s z", "r", domain=MS), ["c bool 2,1,4", "x u8 4", y], ["r u8"],
                 [tensor("s", "f32", 1), tensor("z", "u8", 0)])


good("qlinear_where", "r u8 2,3,4", qwhere())
case("bad_qlinear_where", "infer", INVALID, "inputs have different dtypes", qwhere(y="y s8 3,1"))


# ---- quantize, dequantize -------------------------------------------------------------------------------------
def quantize(op="QuantizeLinear", x="x f32 2,3", scales=1, zeros=1, zero_type="s8", opset=13, tail="s z", **attrs):
    s = tensor("s", "f32", [1] * scales if scales > 1 else 1)
    z = tensor("z", zero_type, [0] * zeros if zeros > 1 else 0)
    out = "y f32" if op[0] == "D" else "y"
    return model(node(op, "x " + tail, **attrs), [x], [out if " " in out else "y " + zero_type],
                 [s, z] if "z" in tail else [s], opset)


good("quantize", "y s8 2,3", quantize())
good("quantize_axis", "y s8 2,3", quantize(scales=3, zeros=3))
good("quantize_axis0", "y s8 2,3", quantize(scales=2, zeros=2, axis=-2))
good("quantize_no_zero", "y u8 2,3", quantize(tail="s", zero_type="u8"))
case("bad_quantize_axis", "infer", INVALID, "axis is out of range for rank 2", quantize(scales=2, zeros=2, axis=2))
case("bad_quantize_count", "infer", INVALID, "the same number of elements", quantize(scales=3, zeros=1))
case("bad_quantize_opset", "infer", INVALID, "needs opset 13; the model has 10", quantize(scales=3, zeros=3, opset=10))
good("dequantize", "y f32 2,3", quantize("DequantizeLinear", "x s8 2,3"))
case("bad_dequantize_zero", "infer", INVALID, "zero point 'z' has dtype u8; it must be s8",
     quantize("DequantizeLinear", "x s8 2,3", zero_type="u8"))
good("dynamic_quantize", "y u8 2,3; s f32 ; z u8 ", model(
    node("DynamicQuantizeLinear", "x", "y s z"), ["x f32 2,3"], ["y u8", "s f32", "z u8"]))
# Rows of a batch that are not by themselves: for octet_sessions_run.
good("batch_dynamic_quantize", "y u8 1,3; s f32 ; z u8 ", model(
    node("DynamicQuantizeLinear", "x", "y s z"), ["x f32 N,3"], ["y u8", "s f32", "z u8"]))
good("batch_max", "y f32 1,3", model(node("ReduceMax", "x", axes=[0]), ["x f32 N,3"], ["y f32"]))


# ---- moves ----------------------------------------------------------------------------------------------------
def reshape(shape, x="2,3,4", dtype="s64", **attrs):
    return model(node("Reshape", "x shape", **attrs), [f"x u8 {x}"], ["y u8"], [tensor("shape", dtype, shape)],
                 opset=14 if attrs else 13)


good("reshape", "y u8 4,6", reshape([4, -1]))
good("reshape_zero", "y u8 2,12", reshape([0, -1]))
good("reshape_to_scalar", "y u8 ", reshape(np.zeros(0), "1,1"))
good("reshape_allowzero", "y u8 0,7", reshape([0, 7], "3,0", allowzero=1))
case("bad_reshape", "infer", INVALID, "24 elements do not divide into rows of 5", reshape([5, -1]))
case("bad_reshape_two", "infer", INVALID, "one -1 is allowed", reshape([-1, -1]))
case("bad_reshape_negative", "infer", INVALID, "shape[0] is -2", reshape([-2, 12]))
case("bad_reshape_huge", "infer", INVALID, "too large", reshape([2**40, 2**40, 2**40]))
case("bad_reshape_zero", "infer", INVALID, "shape[3] is 0", reshape([2, 3, 4, 0]))
case("bad_reshape_both", "infer", INVALID, "with allowzero", reshape([0, -1], "3,0", allowzero=1))
case("bad_reshape_runtime", "infer", UNSUPPORTED, "must be a constant", model(
    node("Reshape", "x shape"), ["x u8 2,3", "shape s64 1"], ["y u8"]))
for axis, text in ((1, "2,12"), (0, "1,24"), (3, "24,1"), (-1, "6,4")):
    good(f"flatten{axis}", f"y u8 {text}", model(node("Flatten", "x", axis=axis), ["x u8 2,3,4"], ["y u8"]))
case("bad_flatten", "infer", INVALID, "axis 4 is out of range", model(
    node("Flatten", "x", axis=4), ["x u8 2,3,4"], ["y u8"]), check=False)
case("bad_flatten_huge", "infer", INVALID, "too large", model(
    node("Flatten", "x"), [f"x u8 0,{2**39},{2**39}"], ["y u8"]), check=False)


def axes(op, x, how, given, opset=13, **attrs):
    tensors = [tensor("axes", "s64", given)] if how == "input" else []
    if how == "attribute":
        attrs["axes"] = given
    return model(node(op, "x axes" if tensors else "x", **attrs), [f"x f32 {x}"], ["y f32"], tensors, opset)


good("squeeze_all", "y f32 2,3", axes("Squeeze", "1,2,1,3", None, None))
good("squeeze_input", "y f32 1,2,3", axes("Squeeze", "1,2,1,3", "input", [-2]))
good("squeeze_attribute", "y f32 2,1,3", axes("Squeeze", "1,2,1,3", "attribute", [0], opset=11))
case("bad_squeeze", "infer", INVALID, "axis 1 has size 2", axes("Squeeze", "1,2,1,3", "input", [1]))
case("bad_squeeze_twice", "infer", INVALID, "is given twice", axes("Squeeze", "1,2,1,3", "input", [0, -4]))
good("unsqueeze_input", "y f32 1,2,3,1", axes("Unsqueeze", "2,3", "input", [0, -1]))
good("unsqueeze_attribute", "y f32 2,1,3", axes("Unsqueeze", "2,3", "attribute", [1], opset=11))
case("bad_unsqueeze", "infer", INVALID, "axes are missing", axes("Unsqueeze", "2,3", None, None, opset=11))
case("bad_unsqueeze_rank", "infer", INVALID, "more than 8 dimensions", axes(
    "Unsqueeze", "1,1,1,1,1,1,1", "input", [0, 1]))
good("reduce_input", "y f32 2,1,4", axes("ReduceMax", "2,3,4", "input", [1], opset=18))
good("reduce_attribute", "y f32 3", axes("ReduceMin", "2,3,4", "attribute", [0, -1], opset=13, keepdims=0))
good("reduce_all", "y f32 1,1,1", axes("ReduceMin", "2,3,4", None, None))
good("reduce_noop", "y f32 2,3,4", axes("ReduceMin", "2,3,4", None, None, opset=18, noop_with_empty_axes=1))
good("transpose", "y u8 4,3,2", model(node("Transpose", "x"), ["x u8 2,3,4"], ["y u8"]))
good("transpose_perm", "y u8 2,4,3", model(node("Transpose", "x", perm=[0, 2, 1]), ["x u8 2,3,4"], ["y u8"]))
case("bad_transpose", "infer", INVALID, "is given twice", model(
    node("Transpose", "x", perm=[0, 2, 2]), ["x u8 2,3,4"], ["y u8"]), check=False)
good("cast", "y s64 2", model(node("Cast", "x", to=T.INT64), ["x u8 2"], ["y s64"]))
case("bad_cast", "infer", UNSUPPORTED, "a cast to ONNX type 8", model(
    node("Cast", "x", to=T.STRING), ["x u8 2"], ["y f32"]), check=False)
good("relu", "y s8 2", model(node("Relu", "x"), ["x s8 2"], ["y s8"], opset=14))
good("relu_float", "y f32 2", model(node("Relu", "x"), ["x f32 2"], ["y f32"], opset=13))
case("bad_relu", "infer", UNSUPPORTED, "8-bit Relu needs opset 14; the model has 13", model(
    node("Relu", "x"), ["x s8 2"], ["y s8"], opset=13), check=False)
good("clip", "y u8 2", model(optional("Clip", "x - hi"), ["x u8 2"], ["y u8"], [tensor("hi", "u8", 6)]))
good("clip_attributes", "y f32 2", model(node("Clip", "x", min=0.0, max=6.0), ["x f32 2"], ["y f32"], opset=10))
good("arithmetic", "y f32 2,3", model(
    [node("Add", "a b", "t"), node("Max", "t a b", "u", name="m"), node("Round", "u", name="r")],
    ["a f32 2,1", "b f32 3"], ["y f32"]))
good("identity", "y u8 2", model(node("Identity", "x"), ["x u8 2"], ["y u8"]))


# ---- constants ------------------------------------------------------------------------------------------------
def constant(**attrs):
    return model([node("Constant", "", "c", name="c", **attrs), node("Reshape", "x c")], ["x u8 6"], ["y u8"])


good("constant_value", "y u8 2,3", constant(value=tensor("v", "s64", [2, 3])))
good("constant_ints", "y u8 2,3", constant(value_ints=[2, 3]))
good("constant_identity", "y u8 3,2", model(
    [node("Constant", "", "c", name="c", value_ints=[3, 2]), node("Identity", "c", "d", name="i"),
     node("Reshape", "x d")], ["x u8 6"], ["y u8"]))
good("constant_cast", "y u8 3,2", model(
    [node("Constant", "", "c", name="c", value=tensor("v", "s32", [3, -1])),
     node("Cast", "c", "d", name="i", to=T.INT64), node("Reshape", "x d")], ["x u8 6"], ["y u8"]))
for kind, given, text in (("value_float", 1.5, "y f32 "), ("value_floats", [1.0, 2.0], "y f32 2"),
                          ("value_int", 3, "y s64 "), ("value_ints", [], "y s64 0")):
    made = helper.make_attribute(kind, given, attr_type=onnx.AttributeProto.INTS if given == [] else None)
    n = node("Constant", "", "y")
    n.attribute.append(made)
    good("constant_out_" + kind, text, model(n, [], ["y " + text.split()[1]]))
case("bad_constant_string", "load", UNSUPPORTED, "Constant (node 'n'): strings", model(
    node("Constant", "", "y", value_string="abc"), [], ["y f32"]), check=False)
case("bad_constant_none", "load", UNSUPPORTED, "Constant (node 'n')", model(node("Constant", "", "y"), [], ["y f32"]))
typed = helper.make_tensor("c", T.INT8, [3], [-1, 2, -128])
good("typed_data", "y s8 3; t f32 2; u s64 1; v bool 2", model(
    [node("Identity", "c", name="i")], [], ["y s8", "t f32", "u s64", "v bool"],
    [typed, helper.make_tensor("t", T.FLOAT, [2], [1, 2]), helper.make_tensor("u", T.INT64, [1], [-5]),
     helper.make_tensor("v", T.BOOL, [2], [True, False])]))


# ---- structure ------------------------------------------------------------------------------------------------
def identity(**how):
    return model(node("Identity", "x"), ["x u8 2"], ["y u8"], **how)


good("output_is_input", "x u8 2", model([], ["x u8 2"], ["x u8 2"]), check=False)
good("output_is_initializer", "c u8 2", model([], [], ["c u8 2"], [tensor("c", "u8", [1, 2])]), check=False)
good("input_has_default", "y u8 2", model(node("Identity", "c"), ["c u8 2"], ["y u8"], [tensor("c", "u8", [1, 2])]))
good("unordered", "y u8 3,2", model(
    [node("Transpose", "t", "y", name="b"), node("Identity", "x", "t", name="a")], ["x u8 2,3"], ["y u8"]), check=False)
good("unused", "y u8 2", model(
    [node("Identity", "x"), node("Identity", "x", "z", name="dead")], ["x u8 2"], ["y u8"]))
case("bad_cycle", "load", CORRUPT, "the graph has a cycle", model(
    [node("Identity", "a", "b", name="p"), node("Identity", "b", "a", name="q"), node("Identity", "x")], ["x u8 2"],
    ["y u8"]))
case("bad_self", "load", CORRUPT, "cycle through node 'n'", model(node("Add", "x y"), ["x f32 2"], ["y f32"]))
case("bad_two_producers", "load", CORRUPT, "'y' is produced more than once (by node 'm'", model(
    [node("Identity", "x"), node("Identity", "x", name="m")], ["x u8 2"], ["y u8"]))
case("bad_produces_input", "load", CORRUPT, "'x' is produced more than once", model(
    [node("Identity", "x", "x"), node("Identity", "x")], ["x u8 2"], ["y u8"]))
case("bad_no_source", "load", CORRUPT, "value 'q', read by n,", model(node("Identity", "q"), ["x u8 2"], ["y u8"]))
case("bad_no_output", "load", CORRUPT, "'z', read by the graph's outputs", model(
    node("Identity", "x"), ["x u8 2"], ["z u8"]))
case("bad_empty", "load", CORRUPT, "the graph has no outputs", model([], [], []))
case("bad_two_inputs", "load", CORRUPT, "graph input 'x' is given twice", model(
    node("Identity", "x"), ["x u8 2", "x u8 2"], ["y u8"]))
case("bad_two_initializers", "load", CORRUPT, "initializer 'c' is given twice", model(
    node("Identity", "c"), [], ["y u8"], [tensor("c", "u8", 1), tensor("c", "u8", 1)]))
case("bad_unknown", "load", UNSUPPORTED, "operator Foo (domain 'ai.onnx', node 'bar') is not supported", model(
    node("Foo", "x", name="bar"), ["x u8 2"], ["y u8"]))
case("bad_unknown_domain", "load", UNSUPPORTED, "operator QLinearConv (domain 'org.other', node 'bar')", model(
    node("QLinearConv", "x", name="bar", domain="org.other"), ["x u8 2"], ["y u8"]))
case("bad_inputs", "load", UNSUPPORTED, "Transpose (node 'n') has 2 inputs", model(
    node("Transpose", "x x"), ["x u8 2"], ["y u8"]))
case("bad_missing_input", "load", CORRUPT, "its first input is missing", model(
    optional("Clip", "- x"), ["x f32 2"], ["y f32"]))
case("bad_missing_scale", "infer", CORRUPT, "QLinearConv (node 'conv'): input 4 is missing", (lambda m: (
    m.graph.node[0].input.__setitem__(4, ""), m)[1])(conv()))
case("bad_opset_old", "load", UNSUPPORTED, "of opset 9 is not supported", quantize(opset=9))
case("bad_opset_new", "load", UNSUPPORTED, "the model uses opset 99", identity(opset=99))
case("bad_opset_zero", "load", CORRUPT, "opset version 0", identity(opset=0))
case("bad_declared", "infer", INVALID, "output 'y' is declared as s8 but computed as u8", model(
    node("Identity", "x"), ["x u8 2"], ["y s8"]))
body = helper.make_graph([node("Identity", "x", "o")], "b", [], [value("o u8 2")])
case("bad_if", "infer", UNSUPPORTED, "If (node 'n'): which branch it takes is known only in a run, from input 'c'", model(
    node("If", "c", then_branch=body, else_branch=body), ["c bool scalar", "x u8 2"], ["y u8"]))
case("bad_subgraph", "load", UNSUPPORTED, "Identity (node 'n'): attribute 'body' is none that Octet knows", model(
    node("Identity", "x", body=body), ["x u8 2"], ["y u8"]), check=False)
said = node("Concat", "x x", axis=1)
said.attribute[0].type = onnx.AttributeProto.INTS
said_nothing = node("Concat", "x x", axis=1)
said_nothing.attribute[0].ClearField("type")
twice = node("Concat", "x x", axis=1)
twice.attribute.extend([helper.make_attribute("axis", 0)])
noted = node("Concat", "x x", axis=1, __note="of a runtime")
for name, made, text in (
        ("kind", node("Concat", "x x", axis=[1]), "Concat (node 'n'): attribute 'axis' is INTS; it must be INT"),
        ("said", said, "attribute 'axis' holds INT and says that it is INTS"),
        ("twice", twice, "attribute 'axis' is given twice")):
    case(f"bad_attribute_{name}", "load", CORRUPT, text, model(made, ["x u8 1,2"], ["y u8"]), check=False)
case("bad_attribute_name", "load", UNSUPPORTED, "Concat (node 'n'): attribute 'axes' is none that Octet knows", model(
    node("Concat", "x x", axes=1), ["x u8 1,2"], ["y u8"]), check=False)
good("attribute_untyped", "y u8 1,4", model(said_nothing, ["x u8 1,2"], ["y u8"]), check=False)
good("attribute_note", "y u8 1,4", model(noted, ["x u8 1,2"], ["y u8"]), check=False)
case("bad_string_input", "load", UNSUPPORTED, "'x' has ONNX type 8", model(node("Identity", "x"), ["x str 2"], ["y u8"]))
case("bad_rank", "load", UNSUPPORTED, "'x' has 9 dimensions", model(
    node("Identity", "x"), ["x u8 1,1,1,1,1,1,1,1,1"], ["y u8"]))
case("bad_dim", "load", CORRUPT, "'x': dimension 0 is -7", model(node("Identity", "x"), ["x u8 -7"], ["y u8"]))
good("dynamic_minus_one", "y u8 1,2", model(node("Identity", "x"), ["x u8 -1,2"], ["y u8"]), check=False)
case("bad_sequence", "load", UNSUPPORTED, "'x' is not a tensor", (lambda m: (
    m.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", T.FLOAT, [2])), m)[1])(identity()))
sparse = identity()
sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(
    tensor("c", "f32", [1]), tensor("", "s64", [0]), [2]))
case("bad_sparse", "load", UNSUPPORTED, "sparse initializers", sparse)
nested = body
for _ in range(30):
    nested = helper.make_graph([helper.make_node("If", ["c"], ["o"], then_branch=nested)], "b", [], [])
case("bad_nesting", "load", UNSUPPORTED, "nested more than", model(
    node("If", "c", then_branch=nested), ["c bool scalar"], ["y u8"]))
deep_type = identity()
kind = deep_type.graph.input[0].type
kind.Clear()
for _ in range(60):
    kind = kind.sequence_type.elem_type
kind.tensor_type.elem_type = T.UINT8
case("bad_type_nesting", "load", UNSUPPORTED, "nested more than", deep_type)


# ---- If -------------------------------------------------------------------------------------------------------
def branch(nodes, outputs, tensors=(), inputs=()):
    return helper.make_graph(nodes if isinstance(nodes, list) else [nodes], "b", [value(i) for i in inputs],
                             [value(o) for o in outputs], list(tensors))


def if_model(then_branch, else_branch=body, condition=True, inputs=("x u8 2",), outputs="y", before=(), after=(), **how):
    """An If on the constant `condition`, or on value "c" that the nodes `before` make."""
    held = [] if before else [numpy_helper.from_array(np.array(condition), "c")]
    attrs = {k: v for k, v in (("then_branch", then_branch), ("else_branch", else_branch)) if v is not None}
    return model([*before, node("If", "c", outputs, **attrs), *after], list(inputs), ["y u8"], [*held, *how.get("tensors", ())])


flat = branch(node("Reshape", "x two", "o", "flat"), ["o u8"], [tensor("two", "s64", [1, 2])])
good("if_then", "y u8 1,2", if_model(flat))
good("if_else", "y u8 2", if_model(flat, condition=False))
good("if_one_element", "y u8 1,2", if_model(flat, condition=[True]))
good("if_outer_value", "y u8 2", if_model(branch([], ["x u8"]), outputs="z", after=[node("Identity", "z", name="i")]),
     check=False)
good("if_constant", "y u8 3,2", if_model(branch(node("Constant", "", "o", value_ints=[3, 2]), ["o s64"]), body, outputs="z",
                                         inputs=["x u8 6"], after=[node("Reshape", "x z", name="r")]))
RANK = [node("Shape", "x", "s", "s"), node("Size", "s", "k", "k"), node("Equal", "k one", "c", "e")]
good("if_rank", "y u8 1,2", if_model(flat, before=RANK, tensors=[tensor("one", "s64", 1)]))
good("if_rank_other", "y u8 2,3", if_model(flat, before=RANK, inputs=["x u8 2,3"], tensors=[tensor("one", "s64", 1)]))
# A branch in a branch reads what lies around both; "two" is its own there, and nodes come in any order around it.
inner = branch([node("Add", "f g", "h", "inner"), node("Reshape", "h two", "o", "deep")], ["o f32"], [tensor("two", "s64", [3, 1])])
middle = branch([node("Neg", "f", "g", "neg"), node("If", "d", "m", "in", then_branch=inner, else_branch=inner)], ["m f32"])
nest = model([node("If", "c", "y", "out", then_branch=middle, else_branch=middle), node("Abs", "x", "f", "abs")],
             ["x f32 3"], ["y f32"], [numpy_helper.from_array(np.array(True), "c"), numpy_helper.from_array(np.array(True), "d"),
                                      tensor("two", "s64", [1, 3])])
good("if_nested", "y f32 3,1", nest, check=False)
two = branch([node("Identity", "x", "p", "i1"), node("Identity", "x", "q", "i2")], ["p u8", "q u8"])
good("if_two", "y u8 2", if_model(two, two, outputs="z y"))
unknown = branch(node("Foo", "x", "o", "foo"), ["o u8"])
good("if_not_taken", "y u8 2", if_model(unknown, condition=False), check=False)
case("bad_if_unknown", "infer", UNSUPPORTED, "operator Foo (domain 'ai.onnx', node 'foo') is not supported", if_model(unknown))
case("bad_if_fits", "infer", INVALID, "Reshape (node 'flat')", if_model(flat, inputs=["x u8 3"]))
case("bad_if_count", "load", CORRUPT, "If (node 'n'): its then_branch gives 2 values; it has 1 outputs", if_model(two))
case("bad_if_more", "load", CORRUPT, "If (node 'n'): its else_branch gives 1 values; it has 2 outputs",
     if_model(two, outputs="y z"))
case("bad_if_none", "load", CORRUPT, "If (node 'n'): it has no else_branch", if_model(body, None))
case("bad_if_condition", "infer", INVALID, "its condition 'c' is not one bool", if_model(body, condition=np.float32(1)))
case("bad_if_conditions", "infer", INVALID, "its condition 'c' is not one bool", if_model(body, condition=[True, False]))
case("bad_if_inputs", "load", CORRUPT, "has inputs of its own", if_model(branch(node("Identity", "i", "o"), ["o u8"], (), ["i u8 2"])))
case("bad_if_order", "load", CORRUPT, "Identity (node 'first') reads 'p' before it is made", if_model(
    branch([node("Identity", "p", "o", "first"), node("Identity", "x", "p", "then")], ["o u8"])))
case("bad_if_self", "load", CORRUPT, "Identity (node 'n') reads 'o' before it is made", if_model(
    branch(node("Identity", "o", "o"), ["o u8"])))
case("bad_if_twice", "load", CORRUPT, "value 'o' is produced more than once in its branch", if_model(
    branch([node("Identity", "x", "o"), node("Identity", "x", "o", "m")], ["o u8"])))
case("bad_if_source", "load", CORRUPT, "value 'q', read by n,", if_model(branch(node("Identity", "q", "o"), ["o u8"])))
case("bad_if_output", "load", CORRUPT, "value 'q', read by n,", if_model(branch(node("Identity", "x", "o"), ["q u8"])))
case("bad_if_nameless", "load", CORRUPT, "output 0 of its branch has no name", if_model(
    helper.make_graph([node("Identity", "x", "o")], "b", [], [onnx.ValueInfoProto()])))
case("bad_if_operands", "load", CORRUPT, "If (node 'n'): it has 2 inputs, not a condition", (lambda m: (
    m.graph.node[0].input.append("x"), m)[1])(if_model(body)))
case("bad_if_cycle", "load", CORRUPT, "the graph has a cycle", model(
    [node("If", "c", "z", then_branch=branch(node("Identity", "w", "o", "i"), ["o u8"]), else_branch=body),
     node("Identity", "z", "w", "j"), node("Identity", "w", "y", "k")], ["x u8 2"], ["y u8"],
    [numpy_helper.from_array(np.array(True), "c")]))


# ---- indices --------------------------------------------------------------------------------------------------
def gather(x, indices, axis=0):
    return model(node("Gather", "x i", axis=axis), [f"x {x}", f"i {indices}"], [f"y {x.split()[0]}"])


good("gather", "y f32 2,2,3", gather("f32 4,3", "s64 2,2"))
good("gather_axis", "y u8 2,3,3", gather("u8 2,5,3", "s32 3", axis=-2))
good("gather_constant", "y f32 2,3", model(node("Gather", "x i"), ["x f32 4,3"], ["y f32"], [tensor("i", "s64", [-4, 3])]))
case("bad_gather", "infer", INVALID, "Gather (node 'n'): element 1 of 'i' is 4; it must be from -4 to 3", model(
    node("Gather", "x i"), ["x f32 4,3"], ["y f32"], [tensor("i", "s64", [0, 4])]))
case("bad_gather_below", "infer", INVALID, "element 2 of 'i' is -6; it must be from -5 to 4", model(
    node("Gather", "x i", axis=1), ["x f32 2,5"], ["y f32"], [tensor("i", "s32", [[-5, 0], [-6, 0]])]))
# Indices that the device computes, once, when a session is made.
good("gather_loaded", "y f32 2,3", model(
    [node("Cast", "f", "i", "cast", to=T.INT64), node("Gather", "held i", "p"), node("Add", "p x", "y", "sum")], ["x f32 2,3"],
    ["y f32"], [tensor("f", "f32", [1, 9]), tensor("held", "f32", np.zeros((4, 3)))]))

# ---- large results of small files: test_limits.c --------------------------------------------------------------
BILLION = 10**9
good("large_expand", "y f32 1000000000", model(node("Expand", "x s"), ["x f32 1"], ["y f32"], [tensor("s", "s64", [BILLION])]))
good("large_tile", "y f32 1000000000", model(node("Tile", "x s"), ["x f32 1"], ["y f32"], [tensor("s", "s64", [BILLION])]))
good("large_pad", "y f32 1000000000", model(
    node("Pad", "x p"), ["x f32 1"], ["y f32"], [tensor("p", "s64", [0, BILLION - 1])]))
good("large_resize", "y f32 1,1,31250,32000", model(
    optional("Resize", "x - - s", mode="linear"), ["x f32 1,1,1,1"], ["y f32"], [tensor("s", "s64", [1, 1, 31250, 32000])]))
good("large_sum", "y f32 200000000", model(
    [node("Expand", "x s", "a", "e"), node("Expand", "z s", "b", "f"), node("Concat", "a b", "y", "c", axis=0)],
    ["x f32 1", "z f32 1"], ["y f32"], [tensor("s", "s64", [BILLION // 10])]))
good("large_reflect", "y f32 20002", model(
    node("Pad", "x p", mode="reflect"), ["x f32 2"], ["y f32"], [tensor("p", "s64", [0, 20000])], opset=18), check=False)
case("bad_resize_rows", "infer", UNSUPPORTED, "Resize (node 'n'): 16777217 in dimension 2; at most 16777216", model(
    optional("Resize", "x - - s"), ["x u8 1,1,1,1"], ["y u8"], [tensor("s", "s64", [1, 1, 2**24 + 1, 1])]))
for mode in ("DCR", "CRD"):  # of SpaceToDepth since operator set 28
    good(f"space_to_depth_{mode}", "y u8 1,8,2,2", model(
        node("SpaceToDepth", "x", blocksize=2, mode=mode), ["x u8 1,2,4,4"], ["y u8"], opset=28), check=False)
case("bad_block_mode", "infer", UNSUPPORTED, "mode 'ROW' is none of DCR and CRD", model(
    node("DepthToSpace", "x", blocksize=2, mode="ROW"), ["x u8 1,8,2,2"], ["y u8"]))

# ---- recurrent ------------------------------------------------------------------------------------------------
def recurrent(op, gates, x="5,2,3", hidden=4, directions=1, outputs="y", bias=None, inputs="x w r b", opset=14, lengths=None,
              **attrs):
    held = [tensor("w", "f32", np.zeros((directions, 4 * gates, 3))), tensor("r", "f32", np.zeros((directions, 4 * gates, 4))),
            tensor("b", "f32", np.zeros((directions, bias or 8 * gates)))]
    if lengths:
        held.append(tensor("l", "s32", lengths))
    n = optional(op, inputs, outputs, hidden_size=hidden, **attrs)
    given = ["x f32 " + x] + (["l s32 2"] if " l" in inputs and not lengths else [])
    return model(n, given, [f"{o} f32" for o in n.output if o], held, opset)


def lstm(*args, **attrs):
    return recurrent("LSTM", 4, *args, **attrs)


def gru(*args, **attrs):
    return recurrent("GRU", 3, *args, **attrs)


good("lstm", "y f32 5,1,2,4; h f32 1,2,4; c f32 1,2,4", lstm(outputs="y h c"))
good("lstm_both", "y f32 5,2,2,4", lstm(directions=2, direction="bidirectional"))
good("lstm_batch_first", "y f32 5,2,1,4; h f32 5,1,4", lstm(outputs="y h", layout=1))
good("lstm_no_y", "c f32 1,2,4", lstm(outputs="- - c"))
good("lstm_functions", "y f32 5,1,2,4", lstm(activations=["HardSigmoid", "Relu", "ScaledTanh"], activation_alpha=[0.2, 2.0],
                                             activation_beta=[0.5, 0.5]))
case("bad_lstm_hidden", "infer", INVALID, "hidden_size is 5 and the recurrence weights have 4", lstm(hidden=5))
case("bad_lstm_rank", "infer", INVALID, "input 0 ('x') is not f32 of three dimensions", lstm("5,2"))
case("bad_lstm_bias", "infer", INVALID, "input 3 ('b') has another dtype or shape", lstm(bias=16))
case("bad_lstm_direction", "infer", INVALID, "direction 'sideways'", lstm(direction="sideways"))
case("bad_lstm_directions", "infer", INVALID, "input 1 ('w') has another dtype or shape", lstm(direction="bidirectional"))
case("bad_lstm_function", "infer", UNSUPPORTED, "activation 'Cube' is not supported", lstm(activations=["Cube"] * 3))
case("bad_lstm_functions", "infer", INVALID, "it has 2 activations; 1 directions have 3", lstm(activations=["Tanh"] * 2))
case("bad_lstm_missing", "infer", CORRUPT, "input 2 is missing", lstm(inputs="x w - b"))
good("gru", "y f32 5,1,2,4; h f32 1,2,4", gru(outputs="y h"))
good("gru_both", "y f32 5,2,2,4", gru(directions=2, direction="bidirectional", linear_before_reset=1))
good("gru_batch_first", "y f32 5,2,1,4; h f32 5,1,4", gru(outputs="y h", layout=1))
good("gru_no_y", "h f32 1,2,4", gru(outputs="- h", opset=7))
good("lstm_lengths", "y f32 5,1,2,4; h f32 1,2,4; c f32 1,2,4", lstm(inputs="x w r b l", outputs="y h c"))
good("gru_lengths", "y f32 5,2,2,4", gru(directions=2, direction="bidirectional", inputs="x w r b l"))
case("bad_lstm_lengths", "infer", INVALID, "LSTM (node 'n'): element 1 of 'l' is 6; it must be from 0 to 5", lstm(
    inputs="x w r b l", lengths=[5, 6]))
case("bad_gru_lengths", "infer", INVALID, "GRU (node 'n'): element 0 of 'l' is -1; it must be from 0 to 5", gru(
    inputs="x w r b l", lengths=[-1, 5]))
case("bad_gru_weights", "infer", INVALID, "input 1 ('w') has another dtype or shape", recurrent("GRU", 4))
case("bad_gru_bias", "infer", INVALID, "input 3 ('b') has another dtype or shape", gru(bias=12))
case("bad_gru_functions", "infer", INVALID, "it has 3 activations; 1 directions have 2", gru(activations=["Tanh"] * 3))


# ---- networks with a branch to choose, for tests/test_branches.c -----------------------------------------------
def chosen(condition=(), tensors=(), which=None, inputs=()):
    """A Conv of one kind or, in the other branch, two of another; then an LSTM and a last Conv."""
    rng = np.random.default_rng(5)
    def random(name, *shape):
        return tensor(name, "f32", rng.normal(size=shape) / np.sqrt(max(np.prod(shape[1:]), 1)))
    then_branch = branch([node("Conv", "x wa ba", "a", "one", kernel_shape=[3], pads=[1, 1])], ["a f32"],
                         [random("wa", 6, 4, 3), random("ba", 6)])
    else_branch = branch([node("Conv", "x wb bb", "m", "first", kernel_shape=[3], pads=[1, 1]), node("Relu", "m", "n", "relu"),
                          node("Conv", "n wc", "a", "second", kernel_shape=[1])], ["a f32"],
                         [random("wb", 8, 4, 3), random("bb", 8), random("wc", 6, 8, 1)])
    tail = [node("Transpose", "t", "s", "steps", perm=[2, 0, 1]), node("LSTM", "s w r b", "l", "lstm", hidden_size=5),
            node("Squeeze", "l one", "q", "squeeze"), node("Transpose", "q", "k", "back", perm=[1, 2, 0]),
            node("Conv", "k last", "y", "last", kernel_shape=[1])]
    held = [random("w", 1, 20, 6), random("r", 1, 20, 5), random("b", 1, 40), tensor("one", "s64", [1]),
            random("last", 3, 5, 1), *tensors]
    if which is not None:
        flat = then_branch if which else else_branch
        nodes, held = [*flat.node, node("Identity", "a", "t", "same"), *tail], [*held, *flat.initializer]
    else:
        nodes = [*condition, node("If", "c", "t", "choose", then_branch=then_branch, else_branch=else_branch), *tail]
    return model(nodes, ["x f32 N,4,12", *inputs], ["y f32"], held)


case("branch_input", "infer", UNSUPPORTED, "from input 'rate'; fix that input (--fix rate=VALUE", chosen(
    [node("Equal", "rate two", "c", "e")], [tensor("two", "s64", 2)], None, ["rate s64 scalar"]))
good("branch_shape", "y f32 1,3,12", chosen(
    [node("Shape", "x", "d", "d"), node("Gather", "d zero", "rows", "g"), node("Equal", "rows single", "c", "e")],
    [tensor("zero", "s64", 0), tensor("single", "s64", 1)]))
good("branch_then", "y f32 1,3,12", chosen(which=True))
good("branch_else", "y f32 1,3,12", chosen(which=False))


# ---- contents of tensors --------------------------------------------------------------------------------------
def contents(**fields):
    t = tensor("c", "s32", [1, 2, 3])
    for key, given in fields.items():
        t.ClearField(key)
        if isinstance(given, list):
            getattr(t, key).extend(given)
        elif given is not None:
            setattr(t, key, given)
    return model(node("Identity", "c"), [], ["y s32"], [t])


case("bad_raw_short", "load", CORRUPT, "tensor 'c': 11 bytes of contents; its shape needs 12", contents(raw_data=b"0" * 11))
case("bad_raw_long", "load", CORRUPT, "tensor 'c': 13 bytes of contents; its shape needs 12", contents(raw_data=b"0" * 13))
case("bad_raw_none", "load", CORRUPT, "its shape needs 12", contents(raw_data=None))
case("bad_int32_short", "load", CORRUPT, "its shape needs 12", contents(raw_data=None, int32_data=[1, 2]))
case("bad_int32_long", "load", CORRUPT, "more contents than its shape", contents(raw_data=None, int32_data=[1] * 4))
case("bad_int32_ends", "load", CORRUPT, "its contents end early", contents(raw_data=None, int32_data=[2**30, 2]))
case("bad_dims_huge", "load", CORRUPT, "negative or too large", contents(dims=[2**32, 2**32]))
case("bad_dims_wrap", "load", CORRUPT, "12 bytes of contents", contents(dims=[65536, 65536]))
case("bad_dims_negative", "load", CORRUPT, "negative or too large", contents(dims=[-3]))
case("bad_dims_many", "load", UNSUPPORTED, "9 dimensions", contents(dims=[1] * 9))
case("bad_data_type", "load", UNSUPPORTED, "ONNX type 99", contents(data_type=99))
case("bad_string_tensor", "load", UNSUPPORTED, "ONNX type 8", contents(data_type=8))
many = model([node("Identity", "x", f"y{i}", name="") for i in range(3)], ["x u8 2"], ["y2 u8"])
good("unnamed", "y2 u8 2", many)
case("bad_not_onnx", "load", CORRUPT, "", b"This is not a network, but a line of text that someone renamed.\n")
case("bad_no_graph", "load", CORRUPT, "the model holds no graph", onnx.ModelProto(ir_version=7))

(FOLDER / "models.txt").write_text("# Made by make_models.py: FILE|load or infer|STATUS|TEXT\n" + "\n".join(rows) + "\n")
print(f"{len(rows)} networks in {FOLDER}")
