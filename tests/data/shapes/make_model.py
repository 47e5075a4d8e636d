#!/usr/bin/env python3
"""Writes shapes.onnx, a small quantized network of any batch, height and width, and what ONNX Runtime computes with it
for the shapes of tests/test_shapes.c: expected.bin holds 20 floats a picture, shape after shape.

    tests/data/shapes/make_model.py        (needs onnx, numpy and onnxruntime; the files are committed)
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent
SHAPES = [(1, 16, 16), (1, 24, 16), (2, 17, 23), (4, 32, 32), (1, 40, 8), (3, 16, 16), (1, 9, 57), (2, 30, 30), (1, 33, 16),
          (5, 11, 12)]
rng = np.random.default_rng(20261123)
tensors, nodes = [], []


def add(name, array):
    tensors.append(numpy_helper.from_array(np.asarray(array), name))
    return name


def quant(name, scale, zero):
    return [add(name + "_scale", np.float32(scale)), add(name + "_zero", np.uint8(zero))]


def weights(name, *dims):
    n = dims[0] if len(dims) == 4 else dims[1]
    terms = np.prod(dims) / n
    return [add(name + "_w", rng.integers(-127, 128, dims).astype(np.int8)),
            add(name + "_ws", (rng.uniform(0.8, 1.2, n) / (90 * np.sqrt(terms))).astype(np.float32)),
            add(name + "_wz", np.zeros(n, np.int8))]


def conv(name, x, xq, co, ci, kernel, stride):
    yq = quant(name, 0.03, 110)
    bias = add(name + "_b", rng.integers(-3000, 3000, co).astype(np.int32))
    nodes.append(helper.make_node("QLinearConv", [x, *xq, *weights(name, co, ci, kernel, kernel), *yq, bias], [name],
                                  name=name, pads=[kernel // 2] * 4, strides=[stride] * 2, kernel_shape=[kernel] * 2))
    return name, yq


x_q = quant("x", 0.02, 128)
nodes.append(helper.make_node("QuantizeLinear", ["x", *x_q], ["q"], name="q"))
a, a_q = conv("a", "q", x_q, 32, 3, 3, 2)
b, b_q = conv("b", a, a_q, 64, 32, 3, 1)
c, c_q = conv("c", b, b_q, 64, 64, 1, 1)
sum_q = quant("sum", 0.04, 100)
nodes.append(helper.make_node("QLinearAdd", [b, *b_q, c, *c_q, *sum_q], ["sum"], name="sum", domain="com.microsoft"))
nodes.append(helper.make_node("MaxPool", ["sum"], ["pooled"], name="pooled", kernel_shape=[2, 2], strides=[2, 2]))
d, d_q = conv("d", "pooled", sum_q, 48, 64, 3, 1)
mean_q = quant("mean", 0.01, 120)
nodes.append(helper.make_node("QLinearGlobalAveragePool", [d, *d_q, *mean_q], ["mean"], name="mean", domain="com.microsoft",
                              channels_last=0))
nodes.append(helper.make_node("Flatten", ["mean"], ["flat"], name="flat"))
y_q = quant("y", 0.005, 128)
nodes.append(helper.make_node("QGemm", ["flat", *mean_q, *weights("fc", 48, 20),
                                        add("fc_b", rng.integers(-500, 500, 20).astype(np.int32)), *y_q], ["scores"],
                              name="fc", domain="com.microsoft"))
nodes.append(helper.make_node("DequantizeLinear", ["scores", *y_q], ["y"], name="y"))
graph = helper.make_graph(nodes, "shapes", [helper.make_tensor_value_info("x", T.FLOAT, ["N", 3, "H", "W"])],
                          [helper.make_tensor_value_info("y", T.FLOAT, ["N", 20])], tensors)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)])
model.ir_version = 8
onnx.save(model, FOLDER / "shapes.onnx")

session = onnxruntime.InferenceSession(str(FOLDER / "shapes.onnx"), providers=["CPUExecutionProvider"])
with open(FOLDER / "expected.bin", "wb") as out:
    for n, h, w in SHAPES:
        i = np.arange(n * 3 * h * w, dtype=np.int64)
        x = ((i * i * 7 + i * 37) % 251).astype(np.float32) / 50 - 2.5
        y = session.run(None, {"x": x.reshape(n, 3, h, w)})[0]
        out.write(y.astype("<f4").tobytes())
        print((n, h, w), y[0, :6], y.std())
