#!/usr/bin/env python3
"""Writes dynamic.onnx, a network whose shapes are computed from the shape of its input as PyTorch's exporter writes
it, and what ONNX Runtime makes of it for a few shapes, expected.bin. See tests/test_shape_math.c.

    tests/data/dynamic/make_model.py      (needs onnx, onnxruntime and numpy; the files are committed)
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper, numpy_helper

HERE = pathlib.Path(__file__).parent
SHAPES = [(1, 3, 5), (2, 4, 4), (3, 1, 7), (1, 8, 2), (2, 3, 5)]  # N, H, W; as in the test
IDS = 3

nodes, constants = [], []


def const(name, array, dtype=np.int64):
    constants.append(numpy_helper.from_array(np.array(array, dtype), name))
    return name


def op(kind, ins, out, **attrs):
    nodes.append(helper.make_node(kind, ins.split(), [out], name=out, **attrs))
    return out


for number in (-1, 0, 1, 2, 4):
    const(f"c{number}", number)
    const(f"v{number}", [number])

# view(N, -1)
op("Shape", "x", "shape")
op("Gather", "shape c0", "n")
op("Unsqueeze", "n v0", "n1")
op("Concat", "n1 v-1", "flat_shape", axis=0)
op("Reshape", "x flat_shape", "flat")
# interpolate(scale 2), by sizes
op("Slice", "shape v2 v4", "hw")
op("Cast", "hw", "hw_float", to=T.FLOAT)
const("two", 2.0, np.float32)
op("Mul", "hw_float two", "hw_double")
op("Floor", "hw_double", "hw_floor")
op("Cast", "hw_floor", "hw_new", to=T.INT64)
op("Slice", "shape v0 v2", "nc")
op("Concat", "nc hw_new", "sizes", axis=0)
nodes.append(helper.make_node("Resize", ["x", "", "", "sizes"], ["up"], name="up", mode="nearest",
                              coordinate_transformation_mode="asymmetric", nearest_mode="floor"))
# an embedding, its indices given at run time; and what is picked by a constant
const("rows", np.arange(16 * 3).reshape(16, 3) / 7, np.float32)
op("Gather", "rows ids", "embedded")
const("picks", [2, 0, -1, 2])
op("Gather", "x picks", "picked", axis=1)
# positions added to x
op("Shape", "x", "width", start=3)
op("Squeeze", "width v0", "width0")
op("Range", "c0 width0 c1", "positions")
op("Cast", "positions", "positions_float", to=T.FLOAT)
op("Add", "x positions_float", "placed")
# expand(N, -1) of a row of 4
const("row", [0.25, -1.5, 3, 8], np.float32)
op("Concat", "n1 v-1", "target", axis=0)
op("Shape", "target", "target_rank")
op("ConstantOfShape", "target_rank", "ones", value=numpy_helper.from_array(np.array([1], np.int64)))
op("Mul", "ones c-1", "minus_ones")
op("Equal", "target minus_ones", "is_open")
op("Where", "is_open ones target", "target_known")
op("Expand", "row target_known", "expanded")
# numbers as outputs
op("ReduceProd", "shape", "product", keepdims=0)
op("Size", "x", "size")
op("Div", "size n", "each")
op("Sub", "product each", "rest")

outputs = [("flat", T.FLOAT, 2), ("up", T.FLOAT, 4), ("embedded", T.FLOAT, 3), ("picked", T.FLOAT, 4),
           ("placed", T.FLOAT, 4), ("expanded", T.FLOAT, 2), ("rest", T.INT64, 0)]
graph = helper.make_graph(
    nodes, "dynamic",
    [helper.make_tensor_value_info("x", T.FLOAT, ["n", 4, "h", "w"]),
     helper.make_tensor_value_info("ids", T.INT64, ["n", IDS])],
    [helper.make_tensor_value_info(name, kind, [f"{name}{i}" for i in range(rank)]) for name, kind, rank in outputs],
    constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8, producer_name="")
onnx.checker.check_model(model)
onnx.save(model, HERE / "dynamic.onnx")

session = onnxruntime.InferenceSession(str(HERE / "dynamic.onnx"), providers=["CPUExecutionProvider"])
with open(HERE / "expected.bin", "wb") as f:
    for n, h, w in SHAPES:
        count = n * 4 * h * w
        x = (np.arange(count, dtype=np.float32) * 3 % 41 - 20).reshape(n, 4, h, w)
        ids = (np.arange(n * IDS) * 5 % 32 - 16).reshape(n, IDS).astype(np.int64)
        for result in session.run(None, {"x": x, "ids": ids}):
            f.write(result.tobytes())
