"""Functions of one byte against ONNX Runtime, all 256 inputs each: QLinearSigmoid, QLinearLeakyRelu, QLinearConcat's
change of parameters; QLinearConcat itself; QLinearWhere; Relu and Clip on 8-bit data."""
import ctypes

import numpy as np

from oracle import Check, DTYPE, Struct, fields, load, node_session, ptr

lib = load()
check = Check()


class Lut(Struct):
    _fields_ = fields("x_dtype y_dtype: i32; x_scale y_scale: f32; x_zero y_zero: i32")


class Input(Struct):
    _fields_ = fields("data: ptr; axis: i64; scale: f32; zero: i32")


class Where(Struct):
    _fields_ = fields("dtype: i32; x_scale y_scale z_scale: f32; x_zero y_zero z_zero: i32")


# Condition, X, Y.
CHOICES = [((256,), (256,), (256,)), ((3, 1, 5), (1, 4, 5), (4, 1)), ((), (3, 4), (1,)), ((3, 4), (), ()),
           ((2, 3, 1, 1), (5, 7), (3, 5, 7)), ((1, 1), (1,), (2, 3)), ((0,), (0,), (1,))]


def every_byte(dtype):
    return np.arange(256, dtype=np.uint8).view(dtype)


def table(function, dtype, sx, zx, sy, zy, *extra):
    p = Lut(x_dtype=DTYPE[np.dtype(dtype)], y_dtype=DTYPE[np.dtype(dtype)], x_scale=sx, y_scale=sy, x_zero=int(zx),
            y_zero=int(zy))
    out = np.empty(256, np.uint8)
    getattr(lib, function)(ctypes.byref(p), *extra, ctypes.c_void_p(ptr(out)))
    return out.view(dtype)


def parameters(dtype):
    return np.asarray(check.scale()), check.zero(dtype), np.asarray(check.scale()), check.zero(dtype)


def activations(dtype):
    sx, zx, sy, zy = parameters(dtype)
    if check.rng.integers(0, 2):
        sy = np.asarray(np.float32(check.rng.choice([1 / 256, 1 / 255, 1 / 128, 1 / 100])))
    x = every_byte(dtype)
    where = {"sx": sx, "zx": zx, "sy": sy, "zy": zy}
    want = node_session("QLinearSigmoid", [x, sx, zx, sy, zy], domain="com.microsoft")()[0]
    check.same(f"QLinearSigmoid {x.dtype.name}", want, table("oct_lut_sigmoid", dtype, sx, zx, sy, zy), **where)
    alpha = float(np.float32(check.rng.choice([0.01, 0.1, 0.5, 0.25, 1.5, 0.2])))
    want = node_session("QLinearLeakyRelu", [x, sx, zx, sx, zy], domain="com.microsoft", alpha=alpha)()[0]
    got = table("oct_lut_leaky_relu", dtype, sx, zx, sx, zy, ctypes.c_float(alpha))
    check.same(f"QLinearLeakyRelu {x.dtype.name} same scale", want, got, alpha=alpha, **where)
    want = node_session("QLinearLeakyRelu", [x, sx, zx, sy, zy], domain="com.microsoft", alpha=alpha)()[0]
    got = table("oct_lut_leaky_relu", dtype, sx, zx, sy, zy, ctypes.c_float(alpha))
    check.same(f"QLinearLeakyRelu {x.dtype.name}", want, got, alpha=alpha, **where)


def concat(case, dtype):
    count, outer, inner = int(check.rng.integers(1, 4)), int(check.rng.integers(1, 4)), 5
    sy, zy = np.asarray(check.scale()), check.zero(dtype)
    inputs, structs, keep = [sy, zy], (Input * count)(), []
    for i in range(count):
        x = check.data((outer, int(check.rng.integers(1, 20)), inner), dtype)
        sx, zx = np.asarray(check.scale()), check.zero(dtype)
        if check.rng.integers(0, 3) == 0:
            sx = sy
        if check.rng.integers(0, 3) == 0:
            zx = zy
        inputs += [x, sx, zx]
        structs[i] = Input(data=ptr(x), axis=x.shape[1], scale=sx, zero=int(zx))
        keep.append(x)
    constants = set(range(len(inputs))) - set(range(2, len(inputs), 3)) if case % 2 else ()
    want = node_session("QLinearConcat", inputs, domain="com.microsoft", constants=constants, axis=1)()[0]
    got = np.empty_like(want)
    lib.oct_ref_qconcat(DTYPE[np.dtype(dtype)], structs, count, ctypes.c_int64(outer), ctypes.c_int64(inner),
                        ctypes.c_float(sy), int(zy), ctypes.c_void_p(ptr(got)))
    check.same(f"QLinearConcat {np.dtype(dtype).name}", want, got, count=count, sy=sy, zy=zy)


def where(case, dtype):
    shapes = CHOICES[case % len(CHOICES)]
    condition = np.asarray(check.rng.integers(0, 2, shapes[0]), bool)
    x, y = (np.asarray(check.data(shape, dtype)) for shape in shapes[1:])
    if x.size == 256:
        x, y = every_byte(dtype), every_byte(dtype)[::-1].copy()
    parameters = [[np.asarray(check.scale()), check.zero(dtype)] for _ in range(3)]
    if case % 5 == 0:  # those of the result: a copy, also where the product overflows
        parameters[0] = parameters[2] = [np.asarray(np.float32(3e38)), parameters[2][1]] if case % 2 else parameters[2]
    if case % 11 == 0:
        parameters[1][0] = np.asarray(np.float32(check.rng.choice([3e38, 1e-38, 1e-45])))
    constants = (2, 3, 5, 6, 7, 8) if case % 2 else ()
    inputs = [condition, x, *parameters[0], y, *parameters[1], *parameters[2]]
    want = node_session("QLinearWhere", inputs, domain="com.microsoft", constants=constants)()[0]
    wide = [np.ascontiguousarray(v) for v in np.broadcast_arrays(condition, x, y)]
    (sx, zx), (sy, zy), (sz, zz) = parameters
    p = Where(dtype=DTYPE[np.dtype(dtype)], x_scale=sx, y_scale=sy, z_scale=sz, x_zero=int(zx), y_zero=int(zy), z_zero=int(zz))
    got = np.empty_like(want)
    pointers = [ctypes.c_void_p(ptr(v)) for v in wide]
    lib.oct_ref_qwhere(ctypes.byref(p), *pointers, ctypes.c_int64(want.size), ctypes.c_void_p(ptr(got)))
    check.same(f"QLinearWhere {np.dtype(dtype).name}", want, got, shapes=shapes, parameters=parameters)


def clamp(dtype):
    x, i32 = every_byte(dtype), ctypes.c_int32
    low, high = sorted(map(int, check.data(2, dtype)))
    got = np.empty_like(x)
    call = [DTYPE[x.dtype], ctypes.c_void_p(ptr(x)), ctypes.c_int64(256)]
    lib.oct_ref_clamp8(*call, i32(low), i32(high), ctypes.c_void_p(ptr(got)))
    bounds = [np.asarray(v, dtype) for v in (low, high)]
    check.same(f"Clip {x.dtype.name}", node_session("Clip", [x, *bounds], opset=13)()[0], got, low=low, high=high)
    if dtype == np.int8:
        lib.oct_ref_clamp8(*call, i32(0), i32(127), ctypes.c_void_p(ptr(got)))
        check.same("Relu int8", node_session("Relu", [x], opset=14)()[0], got)


for case in range(check.cases):
    for dtype in (np.uint8, np.int8):
        activations(dtype)
        concat(case, dtype)
        where(case, dtype)
        clamp(dtype)
check.finish()
