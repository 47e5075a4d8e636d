/* QLinearAdd, QLinearMul and QLinearSub (docs/numerics.md says why in this order). The result is clamped.
 * Options: T uchar or char; LANES, COALESCED (lanes.clh). Parameters, 4-byte words: add: [0] to [2] as
 * qsum.clh wants them; mul: [0] m = sa sb / sc, [1] (float)zc; both: [3] za, [4] zb, integers. */
#include "broadcast.clh"
#include "div.clh"
#include "pointwise/qsum.clh"
#include "rounding.clh"

#ifndef T
#define T uchar
#endif
#define FLOATS         LANES_OF(float)
#define INTS           LANES_OF(int)
#define CONVERT_FLOATS OCT_PASTE(convert_, FLOATS)
#define CONVERT_INTS   OCT_PASTE(convert_, INTS)
#define CONVERT_T      OCT_PASTE(convert_, LANES_OF(T))

#define ZERO_OF(name) (name##s ? (int)AT(T, name)[0] : 0)

/* kind: 0 add, 1 multiply, 2 subtract (b's scale is negated). swapped: a's term is added first (not
 * multiply). */
__kernel void prepare(MEM(a_scale), MEM(a_zero), MEM(b_scale), MEM(b_zero), MEM(c_scale), MEM(c_zero),
                      MEM(params), const int kind, const int swapped, const int a_zeros, const int b_zeros,
                      const int c_zeros)
{
    const float sa = AT(float, a_scale)[0], sb = kind == 2 ? -AT(float, b_scale)[0] : AT(float, b_scale)[0],
                sc = AT(float, c_scale)[0];
    const int za = ZERO_OF(a_zero), zb = ZERO_OF(b_zero), zc = ZERO_OF(c_zero);
    __global float *p = AT(float, params);
    if (kind == 1) {
        p[0] = oct_div_rn(sa * sb, sc);
        p[1] = (float)zc;
    } else {
        const float ra = oct_div_rn(sa, sc), rb = oct_div_rn(sb, sc);
        p[0] = ra;
        p[1] = rb;
        p[2] = swapped ? (float)zc - fma(rb, (float)zb, ra * (float)za)
                       : (float)zc - fma(ra, (float)za, rb * (float)zb);
    }
    AT(int, params)[3] = za;
    AT(int, params)[4] = zb;
}

static inline void save(__global T *to, FLOATS v, int lo, int hi, long count)
{
    const INTS q = ROUND_LANES(fmin(fmax(v, (FLOATS)((float)lo)), (FLOATS)((float)hi)));
    SAVE_LANES(T)(to, CONVERT_T(q), count);
}

__kernel void add(MEM(a), MEM(b), MEM(params), MEM(c), const int swapped, const int clamp_min,
                  const int clamp_max, BROADCAST_ARGS)
{
    BROADCAST_LOCATE
    const FLOATS ra = AT(float, params)[0], rb = AT(float, params)[1], fixed = AT(float, params)[2];
    for (long i = first; i < last; i += 16) {
        const FLOATS qa = CONVERT_FLOATS(BROADCAST_LOAD(T, AT(T, a) + a_row, i, a_step, last - i));
        const FLOATS qb = CONVERT_FLOATS(BROADCAST_LOAD(T, AT(T, b) + b_row, i, b_step, last - i));
        save(AT(T, c) + row * inner + i, QSUM(qa, qb, ra, rb, fixed, swapped), clamp_min, clamp_max,
             last - i);
    }
}

__kernel void mul(MEM(a), MEM(b), MEM(params), MEM(c), const int swapped, const int clamp_min,
                  const int clamp_max, BROADCAST_ARGS)
{
    BROADCAST_LOCATE
    const float m = AT(float, params)[0], zc = AT(float, params)[1];
    const int za = AT(int, params)[3], zb = AT(int, params)[4];
    for (long i = first; i < last; i += 16) {
        const INTS qa = CONVERT_INTS(BROADCAST_LOAD(T, AT(T, a) + a_row, i, a_step, last - i)) - za;
        const INTS qb = CONVERT_INTS(BROADCAST_LOAD(T, AT(T, b) + b_row, i, b_step, last - i)) - zb;
        save(AT(T, c) + row * inner + i, CONVERT_FLOATS(qa * qb) * m + zc, clamp_min, clamp_max, last - i);
    }
}
