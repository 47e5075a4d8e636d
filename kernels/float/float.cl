/* Float (and int32) arithmetic element by element. Options: T float or int;
 * OP. */
#include "broadcast.clh"
#include "div.clh"

#define OP_ADD   0
#define OP_SUB   1
#define OP_MUL   2
#define OP_DIV   3
#define OP_MIN   4
#define OP_MAX   5
#define OP_POW   6
#define OP_PRELU 7

#ifndef T
#define T float
#define T_IS_FLOAT
#endif
#ifndef OP
#define OP OP_ADD
#endif
#define T16 OCT_PASTE(T, 16)

#ifndef T_IS_FLOAT
static inline T divide1(T a, T b)
{
    /* ONNX leaves these open; no device may trap on them. */
    return b == 0 ? 0 : b == -1 ? (T)(0u - (uint)a) : a / b;
}
#endif

static inline T16 apply16(T16 a, T16 b)
{
#if OP == OP_ADD
    return a + b;
#elif OP == OP_SUB
    return a - b;
#elif OP == OP_MUL
    return a * b;
#elif OP == OP_DIV && defined(T_IS_FLOAT)
    return oct_div_rn16(a, b);
#elif OP == OP_DIV
    T x[16], y[16];
    vstore16(a, 0, x);
    vstore16(b, 0, y);
    for (int i = 0; i < 16; i++)
        x[i] = divide1(x[i], y[i]);
    return vload16(0, x);
#elif OP == OP_POW
    return pow(a, b);
#elif OP == OP_PRELU
    return a < 0.0f ? a * b : a;
#else
#if OP == OP_MIN
    T16 best = b < a ? b : a;
#else
    T16 best = b > a ? b : a;
#endif
#ifdef T_IS_FLOAT
    best = select(best, a + b, isnan(a) | isnan(b)); /* NaN of either */
#endif
    return best;
#endif
}

__kernel void binary(MEM(a), MEM(b), MEM(c), BROADCAST_ARGS)
{
    BROADCAST_LOCATE
    for (long i = first; i < last; i += 16) {
        const T16 va = BROADCAST_LOAD(T, AT(T, a) + a_row, i, a_step, last - i);
        const T16 vb = BROADCAST_LOAD(T, AT(T, b) + b_row, i, b_step, last - i);
        OCT_PASTE(save16_, T)(AT(T, c) + row * inner + i, apply16(va, vb), last - i);
    }
}

#ifdef T_IS_FLOAT
/* NaN stays, and so does a zero of either sign at a bound of zero, which fmin and fmax leave open. */
__kernel void clip(MEM(x), MEM(y), const long n, const long chunk, const float lo, const float hi)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16) {
        float16 v = load16_float(AT(float, x) + i, last - i);
        v = v < lo ? (float16)(lo) : v;
        v = v > hi ? (float16)(hi) : v;
        save16_float(AT(float, y) + i, v, last - i);
    }
}
#endif
