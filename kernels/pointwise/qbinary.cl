/* QLinearAdd, QLinearMul and QLinearSub (docs/numerics.md says why in this order). The result is clamped.
 * Options: T uchar or char; LANES, COALESCED (lanes.clh). Parameters, 4-byte words: add: [0] to [2] as
 * qsum.clh wants them; mul: [0] m = sa sb / sc, [1] (float)zc; both: [3] za, [4] zb, integers. */
#include "div.clh"
#include "pointwise/broadcast.clh"
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

#define ZERO_OF(name) (a.name##s ? (int)AT(T, a.name)[0] : 0)

static inline void prepare_body(const qbinary_prepare_args a, const long item)
{
    const float sa = AT(float, a.a_scale)[0],
                sb = a.kind == 2 ? -AT(float, a.b_scale)[0] : AT(float, a.b_scale)[0],
                sc = AT(float, a.c_scale)[0];
    const int za = ZERO_OF(a_zero), zb = ZERO_OF(b_zero), zc = ZERO_OF(c_zero);
    __global float *p = AT(float, a.params);
    if (a.kind == 1) {
        p[0] = oct_div_rn(sa * sb, sc);
        p[1] = (float)zc;
    } else {
        const float ra = oct_div_rn(sa, sc), rb = oct_div_rn(sb, sc);
        p[0] = ra;
        p[1] = rb;
        p[2] = a.swapped ? (float)zc - fma(rb, (float)zb, ra * (float)za)
                         : (float)zc - fma(ra, (float)za, rb * (float)zb);
    }
    AT(int, a.params)[3] = za;
    AT(int, a.params)[4] = zb;
}
KERNEL_1D(prepare, qbinary_prepare, QBINARY_PREPARE_ARGS)

static inline void save(__global T *to, FLOATS v, int lo, int hi, long count)
{
    const INTS q = ROUND_LANES(fmin(fmax(v, (FLOATS)((float)lo)), (FLOATS)((float)hi)));
    SAVE_LANES(T)(to, CONVERT_T(q), count);
}

static inline void add_body(const qbinary_args a, const long item, const long row)
{
    BROADCAST_LOCATE
    const FLOATS ra = AT(float, a.params)[0], rb = AT(float, a.params)[1], fixed = AT(float, a.params)[2];
    for (long i = first; i < last; i += 16) {
        const FLOATS qa = CONVERT_FLOATS(BROADCAST_LOAD(T, AT(T, a.a) + a_row, i, a_step, last - i));
        const FLOATS qb = CONVERT_FLOATS(BROADCAST_LOAD(T, AT(T, a.b) + b_row, i, b_step, last - i));
        save(AT(T, a.c) + row * inner + i, QSUM(qa, qb, ra, rb, fixed, a.swapped), a.clamp_min, a.clamp_max,
             last - i);
    }
}
KERNEL_2D(add, qbinary, QBINARY_ARGS)

static inline void mul_body(const qbinary_args a, const long item, const long row)
{
    BROADCAST_LOCATE
    const float m = AT(float, a.params)[0], zc = AT(float, a.params)[1];
    const int za = AT(int, a.params)[3], zb = AT(int, a.params)[4];
    for (long i = first; i < last; i += 16) {
        const INTS qa = CONVERT_INTS(BROADCAST_LOAD(T, AT(T, a.a) + a_row, i, a_step, last - i)) - za;
        const INTS qb = CONVERT_INTS(BROADCAST_LOAD(T, AT(T, a.b) + b_row, i, b_step, last - i)) - zb;
        save(AT(T, a.c) + row * inner + i, CONVERT_FLOATS(qa * qb) * m + zc, a.clamp_min, a.clamp_max,
             last - i);
    }
}
KERNEL_2D(mul, qbinary, QBINARY_ARGS)
