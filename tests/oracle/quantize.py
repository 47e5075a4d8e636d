"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear against ONNX Runtime: every 8-bit type and the 16-bit ones,
per tensor and per axis, halves, huge, tiny and infinite inputs; Cast and the float operators around them."""
import ctypes

import numpy as np

from oracle import Check, DTYPE, Struct, fields, load, node_session, ptr

lib = load()
check = Check()


class Quant(Struct):
    _fields_ = fields("scale zero: ptr; scale_count zero_count: i64")


class Params(Struct):
    _fields_ = fields("outer axis inner: i64; q_dtype: i32") + [("q", Quant)]


class Shape(Struct):
    _fields_ = fields("rank: i32; dims a_dims b_dims: dims")


def call(function, *arguments):
    getattr(lib, function)(*[ctypes.c_void_p(ptr(a)) if isinstance(a, np.ndarray) else a for a in arguments])


def floats(shape, scale):
    """Multiples and halves of the scale and their neighbours, random values, extremes."""
    rng, n = check.rng, int(np.prod(shape))
    x = (rng.integers(-600, 600, n) / 2).astype(np.float32) * np.float32(np.broadcast_to(scale, shape).reshape(-1))
    x = np.where(rng.integers(0, 3, n) == 0, np.nextafter(x, np.float32(rng.choice([-9e9, 9e9]))), x)
    x = np.where(rng.integers(0, 3, n) == 0, rng.normal(0, 100, n) * scale.reshape(-1)[0], x)
    extremes = np.array([0, -0.0, np.inf, -np.inf, 3e38, -3e38, 1e-40, -1e-45, 2e9, -5e9], np.float32)
    x = np.where(rng.integers(0, 40, n) == 0, rng.choice(extremes, n), x)
    return x.astype(np.float32).reshape(shape)


def linear(case, dtype):
    shape = (3, int(check.rng.integers(1, 9)), int(check.rng.integers(1, 60)))
    per_axis = case % 2
    count = shape[1] if per_axis else ()
    scale = np.array([check.scale() for _ in range(shape[1])] if per_axis else check.scale(), np.float32)
    zero = check.data(count, dtype) if per_axis else check.zero(dtype)
    wide = scale.reshape(1, -1, 1) if per_axis else scale
    opset = 21 if np.dtype(dtype).itemsize == 2 else int(check.rng.choice([13, 19, 21, 23]))
    p = Params(outer=3, axis=shape[1], inner=shape[2], q_dtype=DTYPE[np.dtype(dtype)],
               q=Quant(scale=ptr(scale), zero=ptr(zero), scale_count=scale.size, zero_count=zero.size))
    x = floats(shape, wide)
    name = f"{np.dtype(dtype).name} per_axis={per_axis}"
    if dtype != np.int32:
        want = node_session("QuantizeLinear", [x, scale, zero], opset=opset, axis=1)()[0]
        got = np.empty(shape, dtype)
        call("oct_ref_quantize", ctypes.byref(p), x, got)
        check.same(f"QuantizeLinear {name}", want, got, opset=opset, scale=scale, zero=zero)
    else:
        zero[...] = 0
    q = check.data(shape, dtype)
    want = node_session("DequantizeLinear", [q, scale, zero], opset=opset, axis=1)()[0]
    got = np.empty(shape, np.float32)
    call("oct_ref_dequantize", ctypes.byref(p), q, got)
    check.same(f"DequantizeLinear {name}", want, got, opset=opset, scale=scale, zero=zero)


def dynamic(case):
    n = int(check.rng.integers(1, 300))
    x = check.rng.normal(check.rng.choice([-3, 0, 0, 5]), check.rng.choice([1e-3, 1, 40]), n).astype(np.float32)
    if case % 4 == 0:
        x = np.round(x * 2) / 2
        x.reshape(-1)[0] = np.float32(check.rng.choice([127.5, 255, 100]))
    if case % 17 == 0:
        x[...] = 0
    want = node_session("DynamicQuantizeLinear", [x], outputs=3)()
    y, scale, zero = np.empty(n, np.uint8), np.empty((), np.float32), np.empty((), np.uint8)
    call("oct_ref_dynamic_quantize", x, ctypes.c_int64(n), y, scale, zero)
    for part, w, g in zip(("y", "scale", "zero"), want, (y, scale, zero)):
        check.same(f"DynamicQuantizeLinear {part}", w, g, min=x.min(), max=x.max(), n=n)


def arithmetic():
    a_shape, b_shape = [((4, 5, 9), (5, 1)), ((7,), (3, 1)), ((33,), ()), ((2, 3), (2, 3))][check.rng.integers(0, 4)]
    a, b = (check.rng.normal(0, 10, s).astype(np.float32) for s in (a_shape, b_shape))
    out = np.broadcast_shapes(a_shape, b_shape)
    rank = len(out)
    shape = Shape(rank=rank, dims=out, a_dims=(1,) * (rank - a.ndim) + a_shape, b_dims=(1,) * (rank - b.ndim) + b_shape)
    for code, op in enumerate(("Add", "Sub", "Mul", "Div", "Min", "Max")):
        got = np.empty(out, np.float32)
        call("oct_ref_float_binary", code, ctypes.byref(shape), a, b, got)
        check.same(op, node_session(op, [a, b], opset=14)()[0], got)
    x = floats((50,), np.ones((), np.float32))
    got, n = np.empty_like(x), ctypes.c_int64(50)
    call("oct_ref_round", x, n, got)
    check.same("Round", node_session("Round", [x])()[0], got)
    low, high = np.sort(check.rng.normal(0, 50, 2).astype(np.float32))
    call("oct_ref_clip_f32", x, n, ctypes.c_float(low), ctypes.c_float(high), got)
    check.same("Clip", node_session("Clip", [x, np.asarray(low), np.asarray(high)])()[0], got)
    x = check.rng.normal(0, 10, (3, 7, 4)).astype(np.float32)
    for largest, op in enumerate(("ReduceMin", "ReduceMax")):
        got = np.empty((3, 4), np.float32)
        sizes = [ctypes.c_int64(v) for v in (3, 7, 4)]
        call("oct_ref_reduce_minmax", bool(largest), x, *sizes, got)
        check.same(op, node_session(op, [x], opset=13, axes=[1], keepdims=0)()[0],
                   got)


def cast():
    kinds = [np.float32, np.uint8, np.int8, np.uint16, np.int16, np.int32, np.int64, np.bool_]
    for source in kinds:
        for target in kinds:
            if source == np.float32:
                info = np.iinfo(target) if target not in (np.float32, np.bool_) else np.iinfo(np.int8)
                x = (check.rng.uniform(max(info.min, -1e9), min(info.max, 1e9), 40)).astype(np.float32)
            elif source == np.bool_:
                x = check.rng.integers(0, 2, 40).astype(np.bool_)
            else:
                x = check.data(40, source)
            got = np.empty(40, target)
            call("oct_ref_cast", DTYPE[np.dtype(source)], DTYPE[np.dtype(target)], x, ctypes.c_int64(40), got)
            want = node_session("Cast", [x], to={1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 9}[DTYPE[np.dtype(target)]])
            check.same(f"Cast from {np.dtype(source).name}", want()[0], got, source=source, target=target)


for case in range(check.cases):
    for dtype in (np.uint8, np.int8, np.uint16, np.int16, np.int32):
        linear(case, dtype)
    dynamic(case)
    arithmetic()
    if case % 20 == 0:
        cast()
check.finish()
