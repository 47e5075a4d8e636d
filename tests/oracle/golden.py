"""Make tests/golden_numerics.h: ONNX Runtime's bytes, as hashes, for inputs that tests/test_ref_golden.c makes again, so
that the reference operators are held to the runtime on machines that do not have it.

    golden.py          write the file
    golden.py --check  compare with the committed file, exit status 1 if it differs
"""
import os
import sys

import numpy as np
import onnxruntime

from oracle import DTYPE, TOP, node_session

PATH = os.path.join(TOP, "tests", "golden_numerics.h")
MASK = (1 << 64) - 1
rng = np.random.default_rng(20261123)
rows = []


def stream(seed, n):
    """next_random() of tests/test_numbers.h, n times."""
    out = np.empty(n, np.uint32)
    for i in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & MASK
        out[i] = seed >> 32
    return out


def data(seed, shape, dtype):
    n = int(np.prod(shape))
    return (stream(seed, n) >> 24).astype(np.uint8).view(dtype).reshape(shape)


def fnv(array):
    h = 0xcbf29ce484222325
    for byte in np.ascontiguousarray(array).tobytes():
        h = ((h ^ byte) * 0x100000001b3) & MASK
    return h


def hexf(x):
    return float(np.float32(x)).hex() + "f"


def row(op, dtype, sa, za, sb, zb, sy, zy, shape, seed, result):
    kind = {np.uint8: "OCTET_U8", np.int8: "OCTET_S8"}[dtype]
    scales = ", ".join(hexf(s) for s in (sa, sb, sy))
    zeros = ", ".join(str(int(z)) for z in (za, zb, zy))
    shape = ", ".join(str(int(v)) for v in shape) or "0"
    rows.append(f'{{"{op}", {kind}, {scales}, {zeros}, {{{shape}}}, {seed}, UINT64_C({fnv(result):#018x})}},')


def scale():
    return np.float32(2.0 ** rng.integers(-7, 1) if rng.integers(0, 2) else np.exp(rng.uniform(-5, 0)))


def zero(dtype):
    info = np.iinfo(dtype)
    return np.asarray(rng.choice([info.min, info.max, 0, 1, 3, int(rng.integers(info.min, info.max + 1))]), dtype)


def parameters(dtype):
    return [f() if f is scale else np.asarray(f(dtype)) for f in (scale, zero, scale, zero, scale, zero)]


def ms(op, inputs, **attributes):
    return node_session(op, [np.asarray(v) for v in inputs], domain="com.microsoft", **attributes)()[0]


def binary(dtype):
    sa, za, sb, zb, sy, zy = parameters(dtype)
    every = np.arange(256, dtype=np.uint8).view(dtype)
    a, b = np.tile(every, 256), np.repeat(every, 256)
    row("QLinearAdd", dtype, sa, za, sb, zb, sy, zy, (), 0, ms("QLinearAdd", [a, sa, za, b, sb, zb, sy, zy]))
    scalar = every[int(zb) & 255]
    want = ms("QLinearAdd", [scalar, sa, za, every, sb, zb, sy, zy])
    row("QLinearAdd a scalar", dtype, sa, za, sb, zb, sy, zy, (int(scalar),), 0, want)
    sy = np.float32(sa * sb * np.float32(rng.choice([4, 100, 33.3])))
    row("QLinearMul", dtype, sa, za, sb, zb, sy, zy, (), 0, ms("QLinearMul", [a, sa, za, b, sb, zb, sy, zy]))


def tables(dtype):
    sa, za, _, _, sy, zy = parameters(dtype)
    every = np.arange(256, dtype=np.uint8).view(dtype)
    row("QLinearSigmoid", dtype, sa, za, 0, 0, np.float32(1 / 256), zy, (), 0,
        ms("QLinearSigmoid", [every, sa, za, np.float32(1 / 256), zy]))
    row("QLinearLeakyRelu", dtype, sa, za, 0.1, 0, sy, zy, (), 0,
        ms("QLinearLeakyRelu", [every, sa, za, sy, zy], alpha=float(np.float32(0.1))))
    row("QLinearConcat", dtype, sa, za, 0, 0, sy, zy, (), 0, ms("QLinearConcat", [sy, zy, every, sa, za], axis=0))


def pools(dtype, seed):
    sa, za, _, _, sy, zy = parameters(dtype)
    sy = np.float32(sa * rng.choice([0.5, 1, 1.1]))
    n, c, h, w, kh, kw, stride, pad, include = 1, 3, 9, 8, int(rng.integers(1, 4)), int(rng.integers(2, 4)), 2, 1, seed % 2
    x = data(seed, (n, h, w, c), dtype)
    want = ms("QLinearAveragePool", [np.ascontiguousarray(x.transpose(0, 3, 1, 2)), sa, za, sy, zy],
              kernel_shape=[kh, kw], strides=[stride, stride], pads=[min(pad, kh - 1), pad] * 2,
              count_include_pad=include)
    row("QLinearAveragePool", dtype, sa, za, 0, 0, sy, zy, (h, w, c, kh, kw, stride, include, want.shape[2], want.shape[3]),
        seed, want.transpose(0, 2, 3, 1))
    want = ms("QLinearGlobalAveragePool", [x, sa, za, sy, zy], channels_last=1)
    row("QLinearGlobalAveragePool", dtype, sa, za, 0, 0, sy, zy, (h * w, c), seed, want)


def softmax(dtype, seed):
    length = int(rng.choice([2, 10, 100, 257]))
    sa, sy = np.float32(rng.choice([0.01, 0.05, 0.3])), np.float32(rng.choice([1 / 256, 1 / 255, 1 / 1000]))
    zy = np.asarray(np.iinfo(dtype).min, dtype)
    x = data(seed, (8, length), dtype)
    want = ms("QLinearSoftmax", [x, sa, zy, sy, zy], axis=1, attribute_opset=13)
    row("QLinearSoftmax", dtype, sa, 0, 0, 0, sy, zy, (8, length), seed, want)


def products(dtype, seed):
    sa, za, sb, zb, sy, zy = parameters(dtype)
    m, k, n = 17, 33, 16
    sy = np.float32(sa * sb * np.float32(rng.choice([512, 700])))
    a, b = data(seed, (m, k), dtype), data(seed + 1, (k, n), dtype)
    want = node_session("QLinearMatMul", [np.asarray(v) for v in (a, sa, za, b, sb, zb, sy, zy)])()[0]
    row("QLinearMatMul", dtype, sa, za, sb, zb, sy, zy, (m, k, n), seed, want)


def quantize(dtype, seed):
    sa, za = scale(), zero(dtype)
    x = (((stream(seed, 4096) >> 22).astype(np.int32) - 512).astype(np.float32) * np.float32(0.5) * sa).astype(np.float32)
    want = node_session("QuantizeLinear", [x, np.asarray(sa), za])()[0]
    row("QuantizeLinear", dtype, sa, za, 0, 0, 1, 0, (4096,), seed, want)
    if dtype == np.uint8:
        y, s, z = node_session("DynamicQuantizeLinear", [x[:100]], outputs=3)()
        row("DynamicQuantizeLinear", dtype, sa, 0, 0, 0, s, z, (100,), seed, y)


for index in range(6):
    for kind in (np.uint8, np.int8):
        binary(kind)
        tables(kind)
        pools(kind, 100 + index)
        softmax(kind, 200 + index)
        products(kind, 300 + 2 * index)
        quantize(kind, 400 + index)

text = (f"/* Made by tests/oracle/golden.py with ONNX Runtime {onnxruntime.__version__} on a CPU with FMA and VNNI; see "
        "test_ref_golden.c. */\n" + "\n".join(rows) + "\n")
if "--check" in sys.argv:
    same = open(PATH).read() == text
    print(f"{len(rows)} rows: {'the same' if same else 'DIFFERENT from ' + PATH}")
    sys.exit(0 if same else 1)
with open(PATH, "w") as file:
    file.write(text)
print(f"{len(rows)} rows written")
