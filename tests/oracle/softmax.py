"""QLinearSoftmax against ONNX Runtime: u8 and s8, both meanings of axis (opset 12 and 13)."""
import ctypes

import numpy as np

from oracle import Check, DTYPE, Struct, fields, load, node_session, ptr

lib = load()
check = Check()


class Params(Struct):
    _fields_ = fields("outer axis inner: i64; dtype: i32; x_scale y_scale: f32; y_zero: i32")


def one(case, dtype, opset):
    rank = int(check.rng.integers(1, 4))
    shape = tuple(int(v) for v in check.rng.integers(1, 40, rank))
    if case % 5 == 0:
        shape = (3, int(check.rng.integers(500, 1100)))
    axis = int(check.rng.integers(0, len(shape)))
    x = check.data(shape, dtype)
    if case % 3 == 0:
        x = (x // 8).astype(dtype)
    sx = np.asarray(np.float32(check.rng.choice([1, 0.5, 0.1, 0.02, 0.002]) * check.rng.uniform(0.5, 1)))
    sy = np.asarray(np.float32(check.rng.choice([1 / 256, 1 / 255, 1 / 100, 1e-3, 1e-4, 1 / 120 / shape[axis]])))
    zx, zy = check.zero(dtype), np.asarray(np.iinfo(dtype).min if case % 2 else 0, dtype)
    want = node_session("QLinearSoftmax", [x, sx, zx, sy, zy], domain="com.microsoft", axis=axis, opset=13,
                        constants=(1, 2, 3, 4) if case % 2 else (), attribute_opset=opset)()[0]
    inner = int(np.prod(shape[axis + 1:], dtype=np.int64))
    p = Params(outer=int(np.prod(shape[:axis], dtype=np.int64)), axis=shape[axis], inner=inner,
               dtype=DTYPE[x.dtype], x_scale=sx, y_scale=sy, y_zero=int(zy))
    if opset < 13:
        p.axis, p.inner = shape[axis] * inner, 1
    got = np.empty_like(x)
    lib.oct_ref_qsoftmax(ctypes.byref(p), ctypes.c_void_p(ptr(x)), ctypes.c_void_p(ptr(got)))
    check.same(f"QLinearSoftmax {x.dtype.name} opset {opset}", want, got, shape=shape,
               axis=axis, sx=sx, zy=zy, sy=sy)


for case in range(check.cases):
    for dtype in (np.uint8, np.int8):
        for opset in (12, 13):
            one(case, dtype, opset)
check.finish()
