#!/usr/bin/env python3
"""Small float networks, quantized by `octet quantize` with several options: does ONNX Runtime load the files, and does it
give Octet's bytes? small.py OCTET"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nets"))
from runtimes import Octet, session  # noqa: E402

DIGITS = HERE.parent.parent / "examples" / "digits"
OPTIONS = ([], ["--activations", "s8"], ["--adaptive"], ["--nearest", "--activations", "u16"],
           ["--split", "50", "--activations", "u16"], ["--per-tensor", "--observer", "mse"], ["--symmetric", "--observer", "minmax"],
           ["--equalize", "--observer", "percentile"], ["--reduce-range", "--no-bias-correction"],
           ["--format", "qoperator"], ["--format", "qoperator", "--activations", "s8", "--per-tensor"], ["--activations", "u16"],
           ["--activations", "s16", "--per-tensor", "--symmetric"], ["--auto", "3", "--raise", "16"],
           ["--activations", "s8", "--format", "qoperator", "--auto", "2", "--raise", "16"])


class Net:
    """Nodes in a row; `x` is the last value."""

    def __init__(self, shape, seed):
        self.rng, self.nodes, self.weights = np.random.default_rng(seed), [], []
        self.shape, self.x = shape, "x"

    def constant(self, array):
        self.weights.append(numpy_helper.from_array(np.asarray(array), f"c{len(self.weights)}"))
        return self.weights[-1].name

    def random(self, *shape, scale=None):
        scale = scale or 1.5 / np.sqrt(np.prod(shape[1:]) or 1)
        return self.constant((self.rng.normal(size=shape) * scale).astype(np.float32))

    def add(self, op, *inputs, to=None, **attributes):
        name = to or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [i for i in inputs], [name], name=f"n{len(self.nodes)}", **attributes))
        self.x = name
        return name

    def conv(self, x, c_in, c_out, k=3, **attributes):
        groups = attributes.get("group", 1)
        return self.add("Conv", x, self.random(c_out, c_in // groups, k, k), self.random(c_out, scale=0.2),
                        pads=[k // 2] * 4, **attributes)

    def save(self, path, opset=13):
        y = self.x
        graph = helper.make_graph(self.nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
                                  [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7), str(path))


def decoder(path):
    """ConvTranspose, BatchNormalization, nearest Resize, Concat, LeakyRelu, AveragePool, Pad, a last Sigmoid."""
    n = Net([1, 4, 12, 12], 1)
    a = n.add("LeakyRelu", n.conv("x", 4, 8), alpha=0.1)
    down = n.add("AveragePool", a, kernel_shape=[2, 2], strides=[2, 2])
    b = n.add("Relu", n.conv(down, 8, 8))
    up = n.add("Resize", b, "", n.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest",
               coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    t = n.add("ConvTranspose", b, n.random(8, 8, 2, 2), strides=[2, 2])
    t = n.add("BatchNormalization", t, n.constant(np.ones(8, np.float32)), n.random(8, scale=0.1), n.random(8, scale=0.1),
              n.constant(np.full(8, 2, np.float32)))
    c = n.add("Concat", n.add("Relu", t), up, a, axis=1)
    c = n.add("Pad", c, n.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)))
    n.add("Sigmoid", n.conv(c, 24, 1))
    n.save(path)


def attention(path):
    """MatMul with a bias behind, of two tensors, inner Softmax, Transpose, a swish."""
    n = Net([1, 10, 16], 2)
    h = n.add("Add", n.add("MatMul", "x", n.random(16, 16, scale=0.3)), n.random(16, scale=0.2))
    q = n.add("MatMul", h, n.random(16, 16, scale=0.3))
    k = n.add("Transpose", n.add("MatMul", h, n.random(16, 16, scale=0.3)), perm=[0, 2, 1])
    s = n.add("Softmax", n.add("Mul", n.add("MatMul", q, k), n.constant(np.float32(0.25))), axis=-1)
    v = n.add("MatMul", s, h)
    r = n.add("Add", v, h)
    g = n.add("Mul", r, n.add("Sigmoid", r))
    m = n.add("Flatten", g, axis=1)
    n.add("Gemm", m, n.random(160, 5, scale=0.1), n.random(5, scale=0.2))
    n.save(path)


def mobile(path):
    """Old forms: Clip with attributes is operator set 6; hard swish and squeeze-excite as exporters write them."""
    n = Net([1, 4, 12, 12], 3)
    a = n.conv("x", 4, 16)
    six = n.add("Clip", n.add("Add", a, n.constant(np.float32(3))), min=0.0, max=6.0)
    a = n.add("Div", n.add("Mul", a, six), n.constant(np.float32(6)))
    d = n.add("Clip", n.conv(a, 16, 16, group=16), min=0.0, max=6.0)
    gate = n.add("HardSigmoid", n.conv(n.add("Relu", n.conv(n.add("GlobalAveragePool", d), 16, 4, 1)), 4, 16, 1))
    e = n.add("Add", n.conv(n.add("Mul", d, gate), 16, 16, 1), a)
    p = n.add("MaxPool", e, kernel_shape=[2, 2], strides=[2, 2])
    f = n.add("Squeeze", n.add("ReduceMean", p, axes=[2, 3], keepdims=1), axes=[2, 3])
    n.add("Add", n.add("MatMul", f, n.random(16, 6, scale=0.4)), n.random(6, scale=0.2))
    n.save(path, opset=10)


def transformer(path, parts):
    """A block whose normalizations have two channels with outliers, as one operator or as exporters write it."""
    n, spread = Net([1, 12, 32], 4), np.ones(32, np.float32)
    spread[[5, 20]] = 50

    def normalize(x):
        gamma = n.constant((spread * (1 + 0.2 * n.rng.normal(size=32))).astype(np.float32))
        beta = n.constant((spread * 0.2 * n.rng.normal(size=32)).astype(np.float32))
        if not parts:
            return n.add("LayerNormalization", x, gamma, beta)
        d = n.add("Sub", x, n.add("ReduceMean", x, axes=[-1]))
        v = n.add("ReduceMean", n.add("Pow", d, n.constant(np.float32(2))), axes=[-1])
        d = n.add("Div", d, n.add("Sqrt", n.add("Add", v, n.constant(np.float32(1e-5)))))
        return n.add("Add", n.add("Mul", d, gamma), beta)

    def project(x, to):
        return n.add("MatMul", x, n.constant((n.rng.normal(size=(32, to)) * 0.3 / spread[:, None]).astype(np.float32)))

    h = normalize("x")
    q, k, v = (project(h, 32) for _ in range(3))
    s = n.add("MatMul", q, n.add("Transpose", k, perm=[0, 2, 1]))
    s = n.add("Softmax", n.add("Mul", s, n.constant(np.float32(0.18))), axis=-1)
    r = n.add("Add", n.add("MatMul", s, v), "x")
    u = n.add("Relu", n.add("Add", project(normalize(r), 64), n.random(64, scale=0.2)))
    n.add("MatMul", u, n.constant((n.rng.normal(size=(64, 32)) * 0.2).astype(np.float32)))
    n.save(path, opset=13 if parts else 17)


def decibel(wanted, given):
    noise = sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(wanted, given))
    return 10 * np.log10(sum(float(np.square(a, dtype=np.float64).sum()) for a in wanted) / max(noise, 1e-30))


def smoothing(octet, folder):
    """--smooth brings the block nearer to float by 6 dB at least, as ONNX Runtime runs both; Octet agrees with it."""
    wrong = []
    rng = np.random.default_rng(9)
    np.save(folder / "rows.npy", rng.normal(size=(16, 1, 12, 32)).astype(np.float32))
    inputs = [rng.normal(size=(1, 12, 32)).astype(np.float32) for _ in range(6)]
    for parts in (False, True):
        source, made, db = folder / "block.onnx", folder / "smooth.onnx", []
        transformer(source, parts)
        runner = session(source)
        wanted = [runner.run(None, {"x": x})[0] for x in inputs]
        for options in ([], ["--smooth"]):
            octet.call("quantize", str(source), "--calibrate", str(folder / "rows.npy"), "-o", str(made), "--quiet", *options)
            runner = session(made)
            theirs = [runner.run(None, {"x": x})[0] for x in inputs]
            name = runner.get_outputs()[0].name
            ours = [octet.run(made, {"x": x}, [name])[name] for x in inputs]
            db.append(decibel(wanted, theirs))
            if decibel(theirs, ours) < 40:
                wrong.append(f"{options}: {decibel(theirs, ours):.1f} dB between the runtimes; 40 are wanted")
        print(f"transformer{' in parts' if parts else ''}: {db[0]:.1f} dB, {db[1]:.1f} with --smooth")
        if db[1] < db[0] + 6:
            wrong.append("--smooth gains too little")
    return wrong


def check(octet, source, samples, inputs, options, made):
    """None: all is well. The runtime computes 16-bit layers in float: then signal to noise decides (without its
    optimizer, which quantizes activations of some products anew). In a network with layers of both widths, a rounding that
    differs in 16 bits can move a number of 8 bits by a step."""
    octet.call("quantize", str(source), "--calibrate", str(samples), "-o", str(made), "--quiet", *options)
    least = 60 if {"u16", "s16"} & set(options) else 40 if "--raise" in options else None
    runner = session(made, optimize=not least)
    name = runner.get_inputs()[0].name
    names = [o.name for o in runner.get_outputs()]
    onnx.checker.check_model(str(made))
    for x in inputs:
        wanted = runner.run(None, {name: x})
        given = octet.run(made, {name: x}, names)
        if least:
            db = decibel(wanted, [given[n] for n in names])
            if db < least:
                return f"signal to noise is {db:.1f} dB; {least} are wanted"
        elif any(a.tobytes() != given[n].tobytes() for a, n in zip(wanted, names)):
            worst = max(float(np.abs(a - given[n]).max()) for a, n in zip(wanted, names))
            return f"differs, by up to {worst:.3g}"
    return None


def left_in_pairs(made):
    """In the QOperator form every product but ConvTranspose and a MatMul that stays float has an operator of its own."""
    nodes = onnx.load(str(made)).graph.node
    quantized = {i for n in nodes if n.op_type == "QuantizeLinear" for i in n.input}
    left = [n.name for n in nodes
            if n.op_type in ("Conv", "Gemm") or (n.op_type == "MatMul" and n.output[0] in quantized)]
    return f"left in pairs: {', '.join(left)}" if left else None


def main():
    octet, bad, checked = Octet(sys.argv[1]), 0, 0
    with tempfile.TemporaryDirectory(prefix="octet-quant-") as folder:
        folder = pathlib.Path(folder)
        cases = []
        for make, shape in ((decoder, (1, 4, 12, 12)), (attention, (1, 10, 16)), (mobile, (1, 4, 12, 12))):
            make(folder / f"{make.__name__}.onnx")
            rng = np.random.default_rng(7)
            np.save(folder / f"{make.__name__}.npy", rng.normal(size=(8, *shape)).astype(np.float32))
            inputs = [rng.normal(size=shape).astype(np.float32) for _ in range(4)]
            cases.append((folder / f"{make.__name__}.onnx", folder / f"{make.__name__}.npy", inputs, []))
        images = np.load(DIGITS / "test_images.npy")[:64].astype(np.float32) / 16
        cases.append((DIGITS / "digits_f32.onnx", DIGITS / "calibration_images.npy", [images],
                      ["--scale", "0.0625", "--batch", "32"]))
        for source, samples, inputs, more in cases:
            for options in OPTIONS:
                made = folder / "made.onnx"
                wrong = check(octet, source, samples, inputs, more + options, made)
                if not wrong and "qoperator" in options and "--raise" not in options:  # 16 bits have no operators
                    wrong = left_in_pairs(made)
                checked += 1
                bad += wrong is not None
                print(f"{source.stem} {' '.join(options)}: {wrong or 'as wanted'}")
        wrong = smoothing(octet, folder)
        for line in wrong:
            print(line)
    print(f"{checked} files, {bad} differ")
    sys.exit(1 if bad or wrong or checked != 4 * len(OPTIONS) else 0)


if __name__ == "__main__":
    main()
