#!/usr/bin/env python3
"""Writes tests/data/windows.txt: where ONNX Runtime's windows lie, for padding rules, ceil_mode and dilations.

A row: operator auto_pad in kernel stride dilation pad_begin pad_end ceil_mode opset : results. The input is 0, 1, 2,
...; MaxPool results name the last element of each window ("-" for a window on padding alone), ConvInteger results
(weights 1) are the sum of its elements.
"""
import pathlib
import random

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper

OUT = pathlib.Path(__file__).parent.parent / "data" / "windows.txt"
options = ort.SessionOptions()
options.log_severity_level = 4


def run(op, n, opset, attrs):
    is_pool = op == "MaxPool"
    weights = [onnx.numpy_helper.from_array(np.ones((1, 1, *attrs["kernel_shape"]), np.uint8), "w")]
    graph = helper.make_graph(
        [helper.make_node(op, ["x"] if is_pool else ["x", "w"], ["y"], **attrs)], "g",
        [helper.make_tensor_value_info("x", T.FLOAT if is_pool else T.UINT8, [1, 1, n])],
        [helper.make_tensor_value_info("y", T.FLOAT if is_pool else T.INT32, None)], [] if is_pool else weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = np.arange(n).reshape(1, 1, n).astype(np.float32 if is_pool else np.uint8)
    return session.run(None, {"x": x})[0].reshape(-1)


def fits(op, auto, n, k, s, d, pads):
    """Octet refuses windows that cover more than the padded input; ONNX Runtime's pools round towards 0."""
    if auto.startswith("SAME"):
        pads = -(-n // s) * s - s + k - n
    return op != "MaxPool" or n + pads >= (k - 1) * d + 1


def main():
    random.seed(7)
    rows = set()
    while len(rows) < 240:
        op = random.choice(["MaxPool", "MaxPool", "ConvInteger"])
        n, k, s = random.randint(1, 12), random.randint(1, 4), random.randint(1, 4)
        d, auto = random.choice([1, 1, 2, 3]), random.choice(["NOTSET"] * 3 + ["VALID", "SAME_UPPER", "SAME_LOWER"])
        begin = end = ceil = 0
        attrs = {"kernel_shape": [k], "strides": [s], "dilations": [d]}
        if auto == "NOTSET":
            begin, end = random.randint(0, k - 1), random.randint(0, k - 1)
            attrs["pads"] = [begin, end]
        else:
            attrs["auto_pad"] = auto
        if not fits(op, auto, n, k, s, d, begin + end):
            continue
        opset = 10
        if op == "MaxPool":
            ceil, opset = random.randint(0, 1), random.choice([10, 12, 19, 22])
            attrs["ceil_mode"] = ceil
        try:
            y = run(op, n, opset, attrs)
        except Exception:  # refused there; what is refused here is another test's business
            continue
        values = " ".join("-" if v < 0 else str(int(v)) for v in y)
        rows.add(f"{op} {auto} {n} {k} {s} {d} {begin} {end} {ceil} {opset} : {values}")
    OUT.write_text("# Made by tests/oracle/window.py.\n" + "\n".join(sorted(rows)) + "\n")


if __name__ == "__main__":
    main()
