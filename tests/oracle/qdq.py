"""QDQ groups (DequantizeLinear -> operator -> QuantizeLinear) in ONNX Runtime with its default optimizations against the
reference operators: says which groups the runtime turns into the 8-bit kernel, and which stay in float and how far off."""
import ctypes

import numpy as np
from onnx import helper, numpy_helper

from oracle import Check, DTYPE, Struct, exact, fields, load, node_session, ptr

lib = load()
check = Check()
f32 = np.float32


class Lut(Struct):
    _fields_ = fields("x_dtype y_dtype: i32; x_scale y_scale: f32; x_zero y_zero: i32")


class Binary(Struct):
    _fields_ = fields("rank: i32; dims a_dims b_dims: dims; dtype: i32; a_scale b_scale y_scale: f32;"
                      "a_zero b_zero y_zero clamp_min clamp_max: i32; swapped: bool")


def qdq(op, tensors, sy, zy, constants=(), relu=False, **attributes):
    """tensors: (array, scale, zero) each, those whose index is in `constants` become initializers, scales of more than
    one element belong to axis 0; relu: a Relu before the QuantizeLinear."""
    nodes, inputs, initializers, names, feed = [], [], [], [], {}
    for i, (x, s, z) in enumerate(tensors):
        kind = helper.np_dtype_to_tensor_dtype(x.dtype)
        if i in constants:
            initializers.append(numpy_helper.from_array(x, f"q{i}"))
        else:
            inputs.append(helper.make_tensor_value_info(f"q{i}", kind, x.shape))
            feed[f"q{i}"] = x
        initializers += [numpy_helper.from_array(np.asarray(s), f"s{i}"), numpy_helper.from_array(np.asarray(z), f"z{i}")]
        nodes.append(helper.make_node("DequantizeLinear", [f"q{i}", f"s{i}", f"z{i}"], [f"x{i}"], axis=0))
        names.append(f"x{i}")
    initializers += [numpy_helper.from_array(np.asarray(sy), "sy"), numpy_helper.from_array(np.asarray(zy), "zy")]
    for i, value in enumerate(attributes.pop("more", ())):
        initializers.append(numpy_helper.from_array(np.asarray(value, f32), f"m{i}"))
        names.append(f"m{i}")
    nodes.append(helper.make_node(op, names, ["f"], **attributes))
    if relu:
        nodes.append(helper.make_node("Relu", ["f"], ["r"]))
    nodes.append(helper.make_node("QuantizeLinear", ["r" if relu else "f", "sy", "zy"], ["y"]))
    graph = helper.make_graph(nodes, "g", inputs, [helper.ValueInfoProto(name="y")], initializers)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    return exact.session(model.SerializeToString(), [("session.qdqisint8allowed", "1")]).run(None, feed)[0]


def table(function, x, sx, zx, sy, zy, *extra):
    p = Lut(x_dtype=DTYPE[x.dtype], y_dtype=DTYPE[x.dtype], x_scale=sx, y_scale=sy, x_zero=int(zx), y_zero=int(zy))
    out = np.empty(256, np.uint8)
    getattr(lib, function)(ctypes.byref(p), *extra, ctypes.c_void_p(ptr(out)))
    return out[x.view(np.uint8)].view(x.dtype)


def unary(dtype):
    x = np.arange(256, dtype=np.uint8).view(dtype)
    sx, zx, sy, zy = check.scale(), check.zero(dtype), check.scale(), check.zero(dtype)
    c = ctypes.c_float
    for name, attributes, function, extra in (
            ("Sigmoid", {}, "oct_lut_sigmoid", ()),
            ("LeakyRelu", {"alpha": float(f32(0.1))}, "oct_lut_leaky_relu", (c(0.1),))):
        want = qdq(name, [(x, sx, zx)], sy, zy, **attributes)
        got = table(function, x, sx, zx, sy, zy, *extra)
        check.same(f"{name} {x.dtype.name}", want, got, sx=sx, zx=zx, sy=sy, zy=zy)


def binary(dtype):
    low = np.iinfo(dtype).min
    a, b = [v.astype(dtype).reshape(1, 16, 64, 64) for v in np.meshgrid(*[np.arange(low, low + 256)] * 2)]
    (sa, za), (sb, zb), (sy, zy) = ((check.scale(), check.zero(dtype)) for _ in range(3))
    for op, function in (("Add", "oct_ref_qadd"), ("Mul", "oct_ref_qmul")):
        want = qdq(op, [(a, sa, za), (b, sb, zb)], sy, zy)
        info = np.iinfo(dtype)
        p = Binary(rank=1, dims=(a.size,), a_dims=(a.size,), b_dims=(a.size,), dtype=DTYPE[a.dtype], a_scale=sa,
                   b_scale=sb, y_scale=sy, a_zero=int(za), b_zero=int(zb), y_zero=int(zy), clamp_min=info.min,
                   clamp_max=info.max)
        got = np.empty_like(a)
        getattr(lib, function)(ctypes.byref(p), *[ctypes.c_void_p(ptr(v)) for v in (a, b, got)])
        check.same(f"{op} {a.dtype.name}", want, got, sa=sa, za=za, sb=sb, zb=zb, sy=sy, zy=zy)


def groups(dtype):
    """Groups against the runtime's own 8-bit operator (which the other scripts hold to Octet)."""
    x = check.data((2, 5, 9, 8), dtype)
    (sx, zx), (sy, zy) = ((np.asarray(check.scale()), check.zero(dtype)) for _ in range(2))
    low = np.asarray(np.iinfo(dtype).min, dtype)
    pool = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
    share = np.asarray(f32(1 / 256))
    cases = [("AveragePool", "QLinearAveragePool", pool, sy, zy, pool),
             ("GlobalAveragePool", "QLinearGlobalAveragePool", {}, sy, zy, {"channels_last": 0}),
             ("Softmax", "QLinearSoftmax", {"axis": -1}, share, low, {"axis": -1, "attribute_opset": 17})]
    for op, own, attributes, scale, zero, own_attributes in cases:
        want = node_session(own, [x, sx, zx, scale, zero], domain="com.microsoft", **own_attributes)()[0]
        got = qdq(op, [(x, sx, zx)], scale, zero, **attributes)
        check.same(f"{op} group {x.dtype.name}", want, got, sx=sx, zx=zx, sy=scale, zy=zero)
    b = check.data((2, 3, 9, 8), dtype)
    want = node_session("QLinearConcat", [sy, zy, x, sx, zx, b, sy, zy], domain="com.microsoft", axis=1)()[0]
    got = qdq("Concat", [(x, sx, zx), (b, sy, zy)], sy, zy, axis=1)
    check.same(f"Concat group {x.dtype.name}", want, got)
    want = node_session("MaxPool", [x], opset=12, **pool)()[0]
    check.same(f"MaxPool group {x.dtype.name}", want, qdq("MaxPool", [(x, sx, zx)], sx, zx, **pool))


def products(dtype):
    """Conv (per-channel weights, int32 bias, Relu folded when the output's zero point is its smallest value) and MatMul."""
    x, w = check.data((1, 6, 9, 8), dtype), check.data((10, 6, 3, 3), np.int8)
    (sx, zx), zy = (check.scale(), check.zero(dtype)), check.zero(dtype)
    sw = np.array([check.scale() for _ in range(10)], f32)
    zw, bias = np.zeros(10, np.int8), check.rng.integers(-9000, 9000, 10).astype(np.int32)
    sy = f32(2.0 ** np.round(np.log2(sx * sw.max() * 400)))
    pads = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    for relu in (False, True):
        zero = np.asarray(np.iinfo(dtype).min, dtype) if relu else zy
        want = node_session("QLinearConv", [x, np.asarray(sx), zx, w, sw, zw, np.asarray(sy), zero, bias],
                            constants=(1, 2, 3, 4, 5, 6, 7, 8), **pads)()[0]
        group = [(x, sx, zx), (w, sw, zw), (bias, (sx * sw).astype(f32), np.zeros(10, np.int32))]
        got = qdq("Conv", group, sy, zero, constants=(1, 2), relu=relu, **pads)
        check.same(f"Conv group relu={relu} {x.dtype.name}", want, got, sx=sx, zx=zx, sw=sw, sy=sy, zy=zero)
    if exact.saturates():  # it makes the group a product of its own, which is not asked
        return
    a, b, zb = check.data((7, 40), dtype), check.data((40, 9), np.int8), np.asarray(0, np.int8)
    want = node_session("QLinearMatMul", [a, np.asarray(sx), zx, b, np.asarray(sw[0]), zb, np.asarray(sy), zy],
                        constants=(1, 2, 3, 4, 5, 6, 7))()[0]
    got = qdq("MatMul", [(a, sx, zx), (b, sw[0], zb)], sy, zy, constants=(1,))
    check.same(f"MatMul group {x.dtype.name}", want, got)


for case in range(check.cases):
    for kind in (np.uint8, np.int8):
        unary(kind)
        binary(kind)
        groups(kind)
        products(kind)
check.finish()
