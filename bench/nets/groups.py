"""Every operator that quantizers put between DequantizeLinear and QuantizeLinear, as one group each: all groups of an
activation type in one model, run by ONNX Runtime and by `octet run --strict-int8`.

A row says how near the two must be: EXACT, the same bytes; TIES, at most one step apart, for what the runtime computes in
float where Octet does in integers (docs/numerics.md). Any node that Octet would compute in float is an error."""
import argparse
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import runtimes

EXACT, TIES = 0, 1
SHAPE, FEATURES = (2, 16, 10, 12), (2, 7, 32)
X_SCALE, OTHER_SCALE = 0.05, 0.03


class Model:
    def __init__(self, dtype):
        self.dtype, self.rng = np.dtype(dtype), np.random.default_rng(1)
        self.nodes, self.constants, self.inputs, self.outputs, self.feeds, self.rows = [], [], [], [], {}, []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op, inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, f"{op}_{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def pair(self, x, scale, zero):
        q = [self.constant(np.float32(scale)), self.constant(np.array(zero, self.dtype))]
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [x, *q]), *q])

    def tensor(self, shape=SHAPE, scale=X_SCALE, zero=None):
        """An activation over the whole range of its type."""
        low = np.iinfo(self.dtype).min
        zero = low + 120 if zero is None else zero
        name = f"x{len(self.inputs)}"
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.feeds[name] = ((self.rng.integers(0, 256, shape) + low - zero) * scale).astype(np.float32)
        return self.pair(name, scale, zero)

    def weights(self, shape, axis=None):
        """s8, for each element of `axis` a scale of its own; the dequantized value and the scales."""
        others = tuple(i for i in range(len(shape)) if i != axis)
        w = self.rng.standard_normal(shape).astype(np.float32)
        scale = np.abs(w).max(axis=others if axis is not None else None, keepdims=True) / np.float32(127)
        q = np.rint(w / scale).astype(np.int8)
        scale = scale.astype(np.float32).reshape(-1 if axis is not None else ())
        operands = [self.constant(q), self.constant(scale), self.constant(np.zeros(scale.shape, np.int8))]
        return self.node("DequantizeLinear", operands, **({} if axis is None else {"axis": axis})), scale

    def bias(self, channels, scale):
        b = self.rng.integers(-2000, 2000, channels).astype(np.int32)
        scale = (np.float32(X_SCALE) * scale).astype(np.float32)
        operands = [self.constant(b), self.constant(scale), self.constant(np.zeros(scale.shape, np.int32))]
        return self.node("DequantizeLinear", operands, **({"axis": 0} if scale.shape else {}))

    def result(self, what, near, y, scale=0.04):
        """The end of a group: quantized to parameters of its own; scale None: integers as they are."""
        kind = TensorProto.FLOAT if scale else TensorProto.INT64
        if scale:
            y = self.pair(y, scale, np.iinfo(self.dtype).min + 100)
        self.outputs.append(helper.make_tensor_value_info(y, kind, None))
        self.rows.append((what, near, y, scale or 1))

    def save(self, path):
        graph = helper.make_graph(self.nodes, "groups", self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 20)])
        onnx.save(onnx.shape_inference.infer_shapes(model), path)


# Operators of one tensor: attributes, then constant inputs.
UNARY = [
    ("Relu", EXACT, {}), ("LeakyRelu", EXACT, {"alpha": 0.1}), ("Sigmoid", EXACT, {}), ("Softmax", EXACT, {"axis": 1}),
    ("HardSigmoid", TIES, {}), ("HardSwish", TIES, {}), ("Tanh", TIES, {}), ("Erf", TIES, {}), ("Gelu", TIES, {}),
    ("Elu", TIES, {}), ("Exp", TIES, {}), ("Abs", TIES, {}), ("Neg", TIES, {}), ("Clip", TIES, {}, np.float32(-1), np.float32(3)),
    ("PRelu", TIES, {}, np.linspace(0.1, 0.6, 16, dtype=np.float32).reshape(16, 1, 1)),
    ("GlobalAveragePool", EXACT, {}), ("GlobalMaxPool", EXACT, {}),
    ("MaxPool", EXACT, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", EXACT, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("ReduceMax", EXACT, {}, np.array([2, 3])), ("ReduceMin", EXACT, {"keepdims": 0}, np.array([-1])),
    ("ReduceMean", EXACT, {}, np.array([2, 3])), ("ReduceMean", TIES, {}, np.array([1])),
    ("ReduceMean", TIES, {"keepdims": 0}, np.array([1, 3])), ("ReduceSum", TIES, {}, np.array([1])), ("ReduceSum", TIES, {}),
    ("DepthToSpace", EXACT, {"blocksize": 2}), ("SpaceToDepth", EXACT, {"blocksize": 2}),
    ("Transpose", EXACT, {"perm": [0, 2, 3, 1]}), ("Flatten", EXACT, {}), ("Reshape", EXACT, {}, np.array([2, -1, 12])),
    ("Unsqueeze", EXACT, {}, np.array([1])), ("Slice", EXACT, {}, np.array([1]), np.array([9]), np.array([2])),
    ("Gather", EXACT, {"axis": 1}, np.array([1, 0, 3])), ("Expand", EXACT, {}, np.array([3, 1, 1, 1, 1])),
    ("Tile", EXACT, {}, np.array([1, 2, 1, 1])), ("Pad", EXACT, {}, np.array([0, 0, 1, 1, 0, 0, 1, 2])),
    ("Pad", EXACT, {"mode": "reflect"}, np.array([0, 0, 1, 1, 0, 0, 1, 2])),
    ("Resize", EXACT, {"mode": "nearest"}, None, np.array([1, 1, 2, 2], np.float32)),
    ("Resize", TIES, {"mode": "linear"}, None, np.array([1, 1, 2, 2], np.float32)),
]
# Convolutions: operator, kernel, one scale a channel, groups, what is between it and the QuantizeLinear.
CONVOLUTIONS = [
    ("Conv", EXACT, 3, False, 1, None), ("Conv", EXACT, 1, True, 1, None), ("Conv", EXACT, 3, True, 16, None),
    ("Conv", TIES, 3, True, 1, "Relu"), ("Conv", TIES, 3, False, 4, "Clip"), ("ConvTranspose", TIES, 3, False, 1, None),
    ("ConvTranspose", TIES, 2, True, 1, None),
]
BINARY = [("Add", EXACT), ("Mul", EXACT), ("Sub", TIES)]


def convolution(m, op, near, kernel, per_channel, groups, activation):
    channels = SHAPE[1]
    shape = [channels, channels // groups, kernel, kernel]
    w, scale = m.weights(shape, (0 if op == "Conv" else 1) if per_channel else None)
    attributes = {"kernel_shape": [kernel] * 2, "group": groups, **({"strides": [2, 2]} if op == "ConvTranspose" else {})}
    y = m.node(op, [m.tensor(), w, m.bias(channels, scale)], **attributes)
    if activation:
        y = m.node(activation, [y, *([m.constant(np.float32(0)), m.constant(np.float32(6))] if activation == "Clip" else [])])
    m.result(f"{op} {kernel}x{kernel} per {'channel' if per_channel else 'tensor'}, {groups} groups, {activation or 'plain'}",
             near, y, 0.5)


def products(m):
    rows, k = FEATURES[1:]
    for per_channel in (False, True):
        for transposed in (0, 1):
            w, scale = m.weights((24, k) if transposed else (k, 24), (1 - transposed) if per_channel else None)
            y = m.node("Gemm", [m.tensor((rows, k)), w, m.bias(24, scale)], transB=transposed)
            m.result(f"Gemm per channel {per_channel} transB {transposed}", EXACT, y, 0.5)
        w, _ = m.weights((k, 24), 1 if per_channel else None)
        m.result(f"MatMul per channel {per_channel}", EXACT, m.node("MatMul", [m.tensor(FEATURES), w]), 0.5)
    y = m.node("MatMul", [m.tensor(FEATURES), m.tensor((2, k, 24), OTHER_SCALE)])
    m.result("MatMul of two activations", EXACT, y, 0.5)


def build(dtype):
    m = Model(dtype)
    for op, near, attributes, *inputs in UNARY:
        extra = ["" if v is None else m.constant(v) for v in inputs]
        m.result(f"{op} {attributes or ''}", near, m.node(op, [m.tensor(), *extra], **attributes))
    for row in CONVOLUTIONS:
        convolution(m, *row)
    products(m)
    for op, near in BINARY:
        m.result(op, near, m.node(op, [m.tensor(), m.tensor(SHAPE, OTHER_SCALE)]), 0.06)
        m.result(f"{op} of a value a channel", near, m.node(op, [m.tensor(), m.tensor((1, 16, 1, 1), OTHER_SCALE)]), 0.06)
        m.result(f"{op} of a constant", TIES, m.node(op, [m.tensor(), m.weights((16, 1, 1))[0]]), 0.06)
    m.result("Add and Relu", TIES, m.node("Relu", [m.node("Add", [m.tensor(), m.tensor(SHAPE, OTHER_SCALE)])]))
    m.result("Concat", EXACT, m.node("Concat", [m.tensor(), m.tensor((2, 8, 10, 12), OTHER_SCALE)], axis=1))
    condition = m.constant(m.rng.integers(0, 2, SHAPE[2:]).astype(bool))
    m.result("Where", EXACT, m.node("Where", [condition, m.tensor(), m.tensor((16, 1, 1), OTHER_SCALE)]))
    for i, y in enumerate(m.node("Split", [m.tensor(), m.constant(np.array([10, 6]))], outputs=2, axis=1)):
        m.result(f"Split, part {i}", EXACT, y)
    for op in ("ArgMax", "ArgMin"):
        m.result(op, EXACT, m.node(op, [m.tensor()], axis=1), None)
    return m


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--octet", required=True)
    parser.add_argument("--verbose", action="store_true", help="every group, not only those that are wrong")
    options = parser.parse_args()
    wrong = compared = 0
    for dtype in (np.uint8, np.int8):
        m = build(dtype)
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/groups.onnx"
            m.save(path)
            want = runtimes.session(path).run([y for _, _, y, _ in m.rows], m.feeds)
            command = [options.octet, "run", path, "--strict-int8", "--quiet", "--output", f"{folder}/out"]
            for name, x in m.feeds.items():
                np.save(f"{folder}/{name}.npy", x)
                command += ["--input", f"{name}={folder}/{name}.npy"]
            subprocess.run(command, check=True)
            for (what, near, y, scale), w in zip(m.rows, want):
                got = np.load(f"{folder}/out/{y}.npy")
                steps = np.abs(got.astype(np.float64) - w) / scale if got.shape == w.shape else np.array([np.inf])
                bad = np.rint(steps.max()) > near
                wrong, compared = wrong + bad, compared + 1
                if bad or options.verbose:
                    print(f"{dtype.__name__} {what}: {int((steps > 0.5).sum())} of {steps.size} differ, at most by "
                          f"{steps.max():.0f}; allowed {near}", flush=True)
    print(f"{compared} groups, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
