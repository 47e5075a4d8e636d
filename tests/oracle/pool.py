"""QLinearAveragePool (both layouts of count_include_pad, ceil_mode), QLinearGlobalAveragePool and MaxPool against ONNX
Runtime: u8 and s8, channels first in the runtime, NHWC in Octet; channels_last for the global pool too."""
import ctypes

import numpy as np

from oracle import Check, DTYPE, Struct, fields, load, node_session, ptr

lib = load()
check = Check()


class Params(Struct):
    _fields_ = fields("n h w c oh ow kh kw stride_h stride_w dilation_h dilation_w: i64;"
                      "pad_top pad_left pad_bottom pad_right: i64; count_include_pad: bool; dtype: i32;"
                      "x_scale y_scale: f32; x_zero y_zero: i32")


def nhwc(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def octet_pool(function, x, out_shape, attributes, sx=1, zx=0, sy=1, zy=0):
    n, c, h, w = x.shape
    pads = attributes.get("pads", [0, 0, 0, 0])
    p = Params(n=n, h=h, w=w, c=c, oh=out_shape[2], ow=out_shape[3], kh=attributes["kernel_shape"][0],
               kw=attributes["kernel_shape"][1], stride_h=attributes["strides"][0],
               stride_w=attributes["strides"][1], dilation_h=attributes.get("dilations", [1, 1])[0],
               dilation_w=attributes.get("dilations", [1, 1])[1], pad_top=pads[0], pad_left=pads[1],
               pad_bottom=pads[2], pad_right=pads[3],
               count_include_pad=bool(attributes.get("count_include_pad", 0)), dtype=DTYPE[x.dtype], x_scale=sx,
               y_scale=sy, x_zero=int(zx), y_zero=int(zy))
    y = np.empty((n, out_shape[2], out_shape[3], c), x.dtype)
    source = nhwc(x)
    getattr(lib, function)(ctypes.byref(p), ctypes.c_void_p(ptr(source)), ctypes.c_void_p(ptr(y)))
    return np.ascontiguousarray(y.transpose(0, 3, 1, 2))


def geometry(case, shape):
    rng = check.rng
    kernel = [int(rng.integers(1, min(5, s) + 1)) for s in shape[2:]]
    if case % 11 == 0:
        kernel = list(shape[2:])  # the runtime takes its global average pool here when there are no pads
    attributes = {"kernel_shape": kernel, "strides": [int(rng.integers(1, 4)) for _ in range(2)],
                  "ceil_mode": int(rng.integers(0, 2))}
    if rng.integers(0, 2):
        attributes["pads"] = [int(rng.integers(0, k)) for k in kernel * 2]
    return attributes


def average(case, dtype):
    shape = (int(check.rng.integers(1, 3)), int(check.rng.integers(1, 9)), *map(int, check.rng.integers(3, 12, 2)))
    x, attributes = check.data(shape, dtype), geometry(case, shape)
    attributes["count_include_pad"] = int(check.rng.integers(0, 2))
    sx, zx, zy = np.asarray(check.scale()), check.zero(dtype), check.zero(dtype)
    sy = np.asarray(sx if case % 3 == 0 else sx * np.float32(np.exp(check.rng.uniform(-1, 1))))
    want = node_session("QLinearAveragePool", [x, sx, zx, sy, zy], domain="com.microsoft", **attributes)()[0]
    got = octet_pool("oct_ref_qavgpool", x, want.shape, attributes, sx, zx, sy, zy)
    check.same(f"QLinearAveragePool {np.dtype(dtype).name}", want, got, shape=shape, sx=sx, zx=zx, sy=sy, zy=zy,
               **attributes)


def global_average(case, dtype):
    shape = (int(check.rng.integers(1, 3)), int(check.rng.integers(1, 70)), *map(int, check.rng.integers(1, 12, 2)))
    x = check.data(shape, dtype)
    sx, zx, zy = np.asarray(check.scale()), check.zero(dtype), check.zero(dtype)
    sy = np.asarray(sx if case % 3 == 0 else sx * np.float32(np.exp(check.rng.uniform(-3, 1))))
    last = case % 2
    given = nhwc(x) if last else x
    want = node_session("QLinearGlobalAveragePool", [given, sx, zx, sy, zy], domain="com.microsoft",
                        channels_last=last)()[0]
    source, got = nhwc(x), np.empty(shape[:2], dtype)
    i64, f32 = ctypes.c_int64, ctypes.c_float
    lib.oct_ref_qglobal_avgpool(DTYPE[x.dtype], i64(shape[0]), i64(shape[2] * shape[3]), i64(shape[1]), f32(sx),
                                int(zx), f32(sy), int(zy), ctypes.c_void_p(ptr(source)), ctypes.c_void_p(ptr(got)))
    check.same(f"QLinearGlobalAveragePool {np.dtype(dtype).name} channels_last={last}", want.reshape(shape[:2]), got,
               shape=shape, sx=sx, zx=zx, sy=sy, zy=zy)


def maximum(case, dtype):
    shape = (int(check.rng.integers(1, 3)), int(check.rng.integers(1, 9)), *map(int, check.rng.integers(5, 12, 2)))
    x, attributes = check.data(shape, dtype), geometry(case, shape)
    if case % 4 == 0:
        attributes["dilations"] = [2, 1]
        attributes["kernel_shape"] = [2, 3]
        attributes.pop("pads", None)
    want = node_session("MaxPool", [x], opset=12, **attributes)()[0]
    got = octet_pool("oct_ref_maxpool", x, want.shape, attributes)
    check.same(f"MaxPool {np.dtype(dtype).name}", want, got, shape=shape, **attributes)


for case in range(check.cases):
    for dtype in (np.uint8, np.int8):
        average(case, dtype)
        global_average(case, dtype)
        maximum(case, dtype)
check.finish()
