/* QuantizeLinear, DequantizeLinear and the parameters of DynamicQuantizeLinear. Data are
 * [outer][axis][inner]; scale and zero point are one, or one per index of axis. Options: Q the quantized
 * type, Q_MIN, Q_MAX; X the type quantized from; LANES, COALESCED (lanes.clh); GROUP the work-group of
 * range_of_groups. */
#include "lanes.clh"
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

/* Where work-item (chunk, axis, outer) works, and its parameters. There may be more work-items than channels.
 */
#define LOCATE                                                                                               \
    const long channel = get_global_id(1), base = ((long)get_global_id(2) * channels + channel) * inner;     \
    if (channel >= channels)                                                                                 \
        return;                                                                                              \
    OCT_SPLIT(get_global_id(0), chunk, inner)                                                                \
    const float s = AT(float, scale)[scales > 1 ? channel : 0];                                              \
    const int z = zeros ? (int)AT(Q, zero)[zeros > 1 ? channel : 0] : 0;

__kernel void quantize(MEM(x), MEM(scale), MEM(zero), MEM(y), const long channels, const long inner,
                       const long chunk, const int scales, const int zeros)
{
    LOCATE
    const oct_quantizer by = oct_quantizer_make(s, z, Q_MIN, Q_MAX);
    for (long i = first; i < last; i += LANES) {
        const FLOATS v = CONVERT_FLOATS(LOAD_LANES(X)(AT(X, x) + base + i, last - i));
        SAVE_LANES(Q)(AT(Q, y) + base + i, CONVERT_Q(oct_quantize_lanes(by, v)), last - i);
    }
}

/* (float)(q - z) * s. */
__kernel void dequantize(MEM(x), MEM(scale), MEM(zero), MEM(y), const long channels, const long inner,
                         const long chunk, const int scales, const int zeros)
{
    LOCATE
    for (long i = first; i < last; i += LANES) {
        const INTS q = CONVERT_INTS(LOAD_LANES(Q)(AT(Q, x) + base + i, last - i));
        SAVE_LANES(float)(AT(float, y) + base + i, CONVERT_FLOATS(q - z) * s, last - i);
    }
}

/* Smallest and largest of a share of x and 0: two floats a work-item. */
__kernel void range_of_parts(MEM(x), MEM(parts), const long n, const long chunk)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    float16 lo = 0.0f, hi = 0.0f;
    for (long i = first; i < last; i += 16) {
        const float16 v = load16_float(AT(float, x) + i, last - i);
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
    AT(float, parts)[2 * get_global_id(0)] = lows[0];
    AT(float, parts)[2 * get_global_id(0) + 1] = highs[0];
}

#ifdef GROUP
/* The same for GPUs: two floats a work-group, whose work-items take vectors side by side. */
__kernel void range_of_groups(MEM(x), MEM(parts), const long n)
{
    __local float lows[GROUP], highs[GROUP];
    const int item = get_local_id(0);
    float4 lo = 0.0f, hi = 0.0f;
    for (long i = (long)get_global_id(0) * 4; i < n; i += (long)get_global_size(0) * 4) {
        const float4 v = load4_float(AT(float, x) + i, n - i);
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
        AT(float, parts)[2 * get_group_id(0)] = lows[0];
        AT(float, parts)[2 * get_group_id(0) + 1] = highs[0];
    }
}
#endif

/* scale = (max - min) / 255, or 1; zero point = clamp(rint(0 - min / scale)). */
__kernel void dynamic_parameters(MEM(parts), MEM(scale), MEM(zero), const int count)
{
    float lo = 0.0f, hi = 0.0f;
    for (int i = 0; i < count; i++) {
        lo = fmin(lo, AT(float, parts)[2 * i]);
        hi = fmax(hi, AT(float, parts)[2 * i + 1]);
    }
    const float s = hi == lo ? 1.0f : oct_div_rn(hi - lo, 255.0f);
    AT(float, scale)[0] = s;
    AT(uchar, zero)[0] = (uchar)round_clamp1(0.0f - oct_div_rn(lo, s), 0, 255);
}
