/* QuantizeLinear, DequantizeLinear and the parameters of DynamicQuantizeLinear. Data are
 * [outer][axis][inner]; scale and zero point are one, or one per index of axis. Options: Q the quantized
 * type, Q_MIN, Q_MAX; X the type quantized from; LANES, COALESCED (lanes.clh); GROUP the work-group of
 * range_of_groups. */
#include "lanes.clh"
#include "quantize/quantize_args.clh"
#include "quantize/quantizer.clh"

#ifndef Q
#define Q     uchar
#define Q_MIN 0
#define Q_MAX 255
#endif
#ifndef X
#define X float
#endif

#define FLOATS         LANES_OF(float)
#define INTS           LANES_OF(int)
#define CONVERT_FLOATS OCT_PASTE(convert_, FLOATS)
#define CONVERT_INTS   OCT_PASTE(convert_, INTS)
#define CONVERT_Q      OCT_PASTE(convert_, LANES_OF(Q))

/* Where work-item (item, channel, outer) works, and its parameters. There may be more work-items than
 * channels.
 */
#define LOCATE                                                                                               \
    const long base = (outer * a.channels + channel) * a.inner;                                              \
    if (channel >= a.channels)                                                                               \
        return;                                                                                              \
    OCT_STRETCH(item, a.chunk, a.inner)                                                                      \
    const float s = AT(float, a.scale)[a.scales > 1 ? channel : 0];                                          \
    const int z = a.zeros ? (int)AT(Q, a.zero)[a.zeros > 1 ? channel : 0] : 0;

static inline void quantize_body(const quantize_args a, const long item, const long channel, const long outer)
{
    LOCATE
    const oct_quantizer by = oct_quantizer_make(s, z, Q_MIN, Q_MAX);
    for (long i = first; i < last; i += LANES) {
        const FLOATS v = CONVERT_FLOATS(LOAD_LANES(X)(AT(X, a.x) + base + i, last - i));
        SAVE_LANES(Q)(AT(Q, a.y) + base + i, CONVERT_Q(oct_quantize_lanes(by, v)), last - i);
    }
}
KERNEL_3D(quantize, quantize, QUANTIZE_ARGS)

/* (float)(q - z) * s. */
static inline void dequantize_body(const quantize_args a, const long item, const long channel,
                                   const long outer)
{
    LOCATE
    for (long i = first; i < last; i += LANES) {
        const INTS q = CONVERT_INTS(LOAD_LANES(Q)(AT(Q, a.x) + base + i, last - i));
        SAVE_LANES(float)(AT(float, a.y) + base + i, CONVERT_FLOATS(q - z) * s, last - i);
    }
}
KERNEL_3D(dequantize, quantize, QUANTIZE_ARGS)

/* Smallest and largest of a share of x and 0: two floats a work-item. */
static inline void range_of_parts_body(const range_args a, const long item)
{
    OCT_STRETCH(item, a.chunk, a.n)
    float16 lo = 0.0f, hi = 0.0f;
    for (long i = first; i < last; i += 16) {
        const float16 v = load16_float(AT(float, a.x) + i, last - i);
        lo = fmin(lo, v);
        hi = fmax(hi, v);
    }
    float lows[16], highs[16];
    vstore16(lo, 0, lows);
    vstore16(hi, 0, highs);
    for (int j = 1; j < 16; j++) {
        lows[0] = fmin(lows[0], lows[j]);
        highs[0] = fmax(highs[0], highs[j]);
    }
    AT(float, a.parts)[2 * item] = lows[0];
    AT(float, a.parts)[2 * item + 1] = highs[0];
}
KERNEL_1D(range_of_parts, range, RANGE_ARGS)

#ifdef GROUP
/* The same for GPUs: two floats a work-group, whose work-items take vectors side by side. */
__kernel void range_of_groups(SIGNATURE(range, RANGE_ARGS))
{
    RESOLVE(range, RANGE_ARGS)
    __local float lows[GROUP], highs[GROUP];
    const int item = get_local_id(0);
    float4 lo = 0.0f, hi = 0.0f;
    for (long i = (long)get_global_id(0) * 4; i < a.n; i += (long)get_global_size(0) * 4) {
        const float4 v = load4_float(AT(float, a.x) + i, a.n - i);
        lo = fmin(lo, v);
        hi = fmax(hi, v);
    }
    lows[item] = fmin(fmin(lo.s0, lo.s1), fmin(lo.s2, lo.s3));
    highs[item] = fmax(fmax(hi.s0, hi.s1), fmax(hi.s2, hi.s3));
    for (int half_of = GROUP / 2; half_of > 0; half_of /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_of) {
            lows[item] = fmin(lows[item], lows[item + half_of]);
            highs[item] = fmax(highs[item], highs[item + half_of]);
        }
    }
    if (item == 0) {
        AT(float, a.parts)[2 * get_group_id(0)] = lows[0];
        AT(float, a.parts)[2 * get_group_id(0) + 1] = highs[0];
    }
}
#endif

/* scale = (max - min) / 255, or 1; zero point = clamp(rint(0 - min / scale)). */
static inline void dynamic_parameters_body(const dynamic_parameters_args a, const long item)
{
    float lo = 0.0f, hi = 0.0f;
    for (int i = 0; i < a.count; i++) {
        lo = fmin(lo, AT(float, a.parts)[2 * i]);
        hi = fmax(hi, AT(float, a.parts)[2 * i + 1]);
    }
    const float s = hi == lo ? 1.0f : oct_div_rn(hi - lo, 255.0f);
    AT(float, a.scale)[0] = s;
    AT(uchar, a.zero)[0] = (uchar)round_clamp1(0.0f - oct_div_rn(lo, s), 0, 255);
}
KERNEL_1D(dynamic_parameters, dynamic_parameters, DYNAMIC_PARAMETERS_ARGS)
