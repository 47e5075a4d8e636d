"""QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger and QGemm against ONNX Runtime. Needs a processor with VNNI:
on others the runtime's u8 x s8 kernels saturate, and what bench/nets/exact.py asks for has no effect on weights that come at
run time."""
import ctypes
import sys

import numpy as np

from oracle import Check, DTYPE, Struct, exact, fields, load, node_session, ptr

if exact.saturates():
    print("skipped: this processor has no VNNI, so ONNX Runtime's products of u8 and s8 saturate")
    sys.exit(0)
lib = load()
check = Check()


class Quant(Struct):
    _fields_ = fields("scale zero: ptr; scale_count zero_count: i64")


class Gemm(Struct):
    _fields_ = (fields("m n k batch lda ldb ldc a_stride b_stride c_stride: i64; transpose_b: bool;"
                       "a_dtype b_dtype c_dtype: i32; a b c bias: ptr")
                + [("a_q", Quant), ("b_q", Quant), ("c_q", Quant)] + fields("clamp_min clamp_max: i32"))


class Conv(Struct):
    _fields_ = (fields("n h w c oh ow co kh kw group stride_h stride_w dilation_h dilation_w pad_top pad_left: i64;"
                       "x_dtype w_dtype y_dtype: i32; x weights y bias: ptr")
                + [("x_q", Quant), ("w_q", Quant), ("y_q", Quant)] + fields("clamp_min clamp_max: i32"))


def quant(scale, zero):
    return Quant(scale=ptr(scale), zero=ptr(zero), scale_count=0 if scale is None else scale.size,
                 zero_count=0 if zero is None else zero.size)


def limits(dtype):
    info = np.iinfo(dtype)
    return {"clamp_min": int(info.min), "clamp_max": int(info.max)}


def output_scale(sa, sb, k):
    """Most results inside the range, and often a power of two: ties."""
    real = np.float32(sa * np.max(sb) * 60 * np.sqrt(k))
    return np.asarray(np.float32(2.0 ** np.round(np.log2(real))) if check.rng.integers(0, 2) else real)


def weights_quant(n, per_channel, dtype, zeros=True):
    scale = np.array([check.scale() for _ in range(n)] if per_channel else check.scale(), np.float32)
    if per_channel and check.rng.integers(0, 2):
        scale = np.exp2(np.round(np.log2(scale))).astype(np.float32)
    zero = np.zeros(scale.shape, dtype)
    if zeros:
        zero = check.data(scale.shape, dtype) if per_channel else check.zero(dtype)
    return scale, zero


def gemm(a, b, c, sa, za, sb, zb, sc, zc, bias=None, transposed=False):
    m, k = a.shape
    n = c.shape[1]
    p = Gemm(m=m, n=n, k=k, batch=1, lda=k, ldb=b.shape[1], ldc=n, transpose_b=transposed, a_dtype=DTYPE[a.dtype],
             b_dtype=DTYPE[b.dtype], c_dtype=DTYPE[c.dtype], a=ptr(a), b=ptr(b), c=ptr(c), bias=ptr(bias),
             a_q=quant(sa, za), b_q=quant(sb, zb), c_q=quant(sc, zc))
    if c.dtype != np.float32:
        for key, value in limits(c.dtype).items():
            setattr(p, key, value)
    lib.oct_ref_gemm(ctypes.byref(p))
    return c


def matmul(case, ta, tb):
    m, n, k = (int(v) for v in check.rng.integers(1, 40, 3))
    a, b = check.data((m, k), ta), check.data((k, n), tb)
    sa, za = np.asarray(check.scale()), check.zero(ta)
    sb, zb = weights_quant(n, case % 2, tb)
    sc, zc = output_scale(sa, sb, k), check.zero(ta)
    names = f"{a.dtype.name} x {b.dtype.name} per_channel={case % 2}"
    want = node_session("QLinearMatMul", [a, sa, za, b, sb, zb, sc, zc], constants=(4, 5) if case % 3 else ())()[0]
    got = gemm(a, b, np.empty((m, n), ta), sa, za, sb, zb, sc, zc)
    check.same(f"QLinearMatMul {names}", want, got, m=m, n=n, k=k, sa=sa, sb=sb, sc=sc)
    want = node_session("MatMulInteger", [a, b, za, zb])()[0]
    check.same(f"MatMulInteger {names}", want, gemm(a, b, np.empty((m, n), np.int32), None, za, None, zb, None, None))

    b, bias = check.data((n, k), tb), check.rng.integers(-30000, 30000, n).astype(np.int32)
    sb, zb = weights_quant(n, case % 2, tb)
    inputs = [a, sa, za, b, sb, zb, bias]
    for kind, extra in (("8-bit", [sc, zc]), ("float", [])):
        constants = (3, 4, 5, 6) if case % 3 else ()
        alpha = float(np.float32(check.rng.choice([1, 1, 0.3])))
        want = node_session("QGemm", inputs + extra, domain="com.microsoft", transB=1, alpha=alpha,
                            constants=constants)()[0]
        scaled = np.asarray(np.float32(alpha) * sa)
        got = gemm(a, b, np.empty((m, n), want.dtype), scaled, za, sb, zb, *(extra or [None, None]), bias, True)
        check.same(f"QGemm {kind} {names}", want, got, m=m, n=n, k=k, sa=sa, sb=sb, sc=sc)


def conv(case, tx, tw):
    rng = check.rng
    group = int(rng.choice([1, 1, 2, 4]))
    depthwise = case % 4 == 0
    c = int(rng.integers(1, 20)) if depthwise else group * int(rng.integers(1, 8))
    group = c if depthwise else group
    co = group * int(rng.integers(1, 3 if depthwise else 6))
    kernel, strides, dilations = [[int(v) for v in rng.integers(1, top, 2)] for top in (5, 4, 3)]
    pads = [int(rng.integers(0, k)) for k in kernel * 2]
    size = [int(rng.integers(d * (k - 1) + 1, d * (k - 1) + 9)) for k, d in zip(kernel, dilations)]
    x = check.data((int(rng.integers(1, 3)), c, *size), tx)
    w = check.data((co, c // group, *kernel), tw)
    bias = rng.integers(-9000, 9000, co).astype(np.int32) if case % 3 else None
    sx, zx = np.asarray(check.scale()), check.zero(tx)
    sw, zw = weights_quant(co, case % 2, tw, zeros=case % 2 == 0)
    sy, zy = output_scale(sx, sw, c // group * kernel[0] * kernel[1]), check.zero(tx)
    geometry = {"group": group, "kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads}
    runs = [("QLinearConv", [x, sx, zx, w, sw, zw, sy, zy, bias], (3, 4, 5, 6, 7, 8) if case % 5 else ())]
    if zw.ndim == 0:
        runs.append(("ConvInteger", [x, w, zx, zw], ()))
    for op, inputs, constants in runs:
        want = node_session(op, inputs, constants=constants, **geometry)()[0]
        source = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        got = np.empty(tuple(want.shape[i] for i in (0, 2, 3, 1)), want.dtype)
        p = Conv(n=x.shape[0], h=size[0], w=size[1], c=c, oh=want.shape[2], ow=want.shape[3], co=co, kh=kernel[0],
                 kw=kernel[1], group=group, stride_h=strides[0], stride_w=strides[1], dilation_h=dilations[0],
                 dilation_w=dilations[1], pad_top=pads[0], pad_left=pads[1], x_dtype=DTYPE[x.dtype],
                 w_dtype=DTYPE[w.dtype], y_dtype=DTYPE[want.dtype], x=ptr(source), weights=ptr(w), y=ptr(got),
                 bias=ptr(bias) if op == "QLinearConv" else None, x_q=quant(sx, zx), w_q=quant(sw, zw),
                 y_q=quant(sy, zy), **limits(want.dtype))
        lib.oct_ref_conv(ctypes.byref(p))
        check.same(f"{op} {x.dtype.name} x {w.dtype.name} per_channel={case % 2}", want,
                   got.transpose(0, 3, 1, 2), shape=x.shape, co=co, **geometry, sx=sx, zx=zx, sw=sw, zw=zw, sy=sy,
                   zy=zy)


for case in range(check.cases):
    for ta in (np.uint8, np.int8):
        for tb in (np.uint8, np.int8):
            if ta == np.int8 and tb == np.uint8:
                continue  # the runtime has no such kernels
            matmul(case, ta, tb)
            conv(case, ta, tb)
check.finish()
