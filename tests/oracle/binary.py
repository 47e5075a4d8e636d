"""QLinearAdd and QLinearMul against ONNX Runtime: u8 and s8, every pair of bytes, broadcasts of either operand."""
import ctypes

import numpy as np

from oracle import Check, DTYPE, Struct, fields, load, node_session, ptr

lib = load()
check = Check()


class Params(Struct):
    _fields_ = fields("rank: i32; dims a_dims b_dims: dims; dtype: i32; a_scale b_scale y_scale: f32;"
                      "a_zero b_zero y_zero clamp_min clamp_max: i32; swapped: bool")


lib.oct_ref_qadd_swapped.restype = ctypes.c_bool


def octet(op, a, b, sa, za, sb, zb, sy, zy):
    shape = np.broadcast_shapes(a.shape, b.shape)
    rank = len(shape)
    info = np.iinfo(a.dtype)
    p = Params(rank=rank, dims=shape, a_dims=(1,) * (rank - a.ndim) + a.shape,
               b_dims=(1,) * (rank - b.ndim) + b.shape, dtype=DTYPE[a.dtype], a_scale=sa, b_scale=sb, y_scale=sy,
               a_zero=int(za or 0), b_zero=int(zb or 0), y_zero=int(zy or 0), clamp_min=info.min,
               clamp_max=info.max)
    p.swapped = lib.oct_ref_qadd_swapped(ctypes.byref(p))
    y = np.empty(shape, a.dtype)
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    getattr(lib, op)(ctypes.byref(p), ctypes.c_void_p(ptr(a)),
                     ctypes.c_void_p(ptr(b)), ctypes.c_void_p(ptr(y)))
    return y


SHAPES = {"same": None, "tail": ((1, 7, 11), (1, 7, 11)), "b scalar": ((3, 300), ()), "a scalar": ((), (3, 300)),
          "b [1]": ((2, 45), (1,)), "b channels": ((2, 5, 7, 9), (5, 1, 1)), "a channels": ((5, 1, 1), (2, 5, 7, 9)),
          "b row": ((4, 70), (70,)), "a row": ((70,), (4, 70)), "mixed": ((4, 1, 9), (1, 5, 9)),
          "outer": ((40, 1), (1, 50)), "one": ((1, 1), (1,)), "a column 1": ((6, 1, 1), (6, 5, 1)),
          "b column 1": ((6, 5, 1), (6, 1, 1)), "a one, b (1, 1)": ((), (1, 1))}


def main():
    for op, ref in (("QLinearAdd", "oct_ref_qadd"), ("QLinearMul", "oct_ref_qmul")):
        for dtype in (np.uint8, np.int8):
            for case in range(check.cases):
                name = list(SHAPES)[case % len(SHAPES)]
                if SHAPES[name] is None:
                    low = np.iinfo(dtype).min
                    a, b = [v.astype(dtype).reshape(-1) for v in np.meshgrid(*[np.arange(low, low + 256)] * 2)]
                else:
                    a, b = (check.data(s, dtype) for s in SHAPES[name])
                sa, sb, sy = (np.asarray(check.scale()) for _ in range(3))
                if case % 3 == 0:
                    sb = sa
                if op == "QLinearMul":
                    sy = np.asarray(np.float32(sa * sb * np.exp(check.rng.uniform(0, 6))))
                zeros = [check.zero(dtype) for _ in range(3)]
                if case % 7 == 0:
                    zeros[2] = None  # the runtime's type inference wants the other two
                args = [a, sa, zeros[0], b, sb, zeros[1], sy, zeros[2]]
                want = node_session(op, args, domain="com.microsoft")()[0]
                got = octet(ref, a, b, sa, zeros[0], sb, zeros[1], sy, zeros[2])
                check.same(f"{op} {np.dtype(dtype).name} {name}", want, got, sa=sa, sb=sb, sy=sy, zeros=zeros)
    check.finish()


main()
