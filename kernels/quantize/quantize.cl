/* QuantizeLinear, DequantizeLinear and the parameters of DynamicQuantizeLinear. Data are
 * [outer][axis][inner]; scale and zero point are one, or one per index of axis. Options: Q the quantized
 * type, Q_MIN, Q_MAX; X the type quantized from. */
#include "div.clh"
#include "lanes.clh"
#include "rounding.clh"

#ifndef Q
#define Q     uchar
#define Q_MIN 0
#define Q_MAX 255
#endif
#ifndef X
#define X float
#endif

#define Q16         OCT_PASTE(Q, 16)
#define CONVERT_Q16 OCT_PASTE(convert_, Q16)

/* Where work-item (chunk, axis, outer) works, and its parameters. */
#define LOCATE                                                                                               \
    const long channel = get_global_id(1),                                                                   \
               base = ((long)get_global_id(2) * get_global_size(1) + channel) * inner;                       \
    OCT_SPLIT(get_global_id(0), chunk, inner)                                                                \
    const float s = AT(float, scale)[scales > 1 ? channel : 0];                                              \
    const int z = zeros ? (int)AT(Q, zero)[zeros > 1 ? channel : 0] : 0;

/* clamp(rint(x / s) + z); NaN gives z. */
__kernel void quantize(MEM(x), MEM(scale), MEM(zero), MEM(y), const long inner, const long chunk,
                       const int scales, const int zeros)
{
    LOCATE
    const float y1 = oct_div_rn(1.0f, s), lo = (float)(Q_MIN - z), hi = (float)(Q_MAX - z);
    const int ordinary = s >= OCT_DIV_FAST_MIN && s <= OCT_DIV_FAST_MAX;
    for (long i = first; i < last; i += 16) {
        float16 v = OCT_PASTE(convert_float, 16)(OCT_PASTE(load16_, X)(AT(X, x) + base + i, last - i));
        v = select(v, (float16)(0.0f), isnan(v));
        if (ordinary) {
            v = oct_quotient16(v, s, y1);
        } else {
            float lanes[16];
            vstore16(v, 0, lanes);
            for (int j = 0; j < 16; j++)
                lanes[j] = oct_div_rn(lanes[j], s);
            v = vload16(0, lanes);
            v = select(v, (float16)(0.0f), isnan(v)); /* inf / inf */
        }
        const int16 q = round16(fmin(fmax(v, (float16)(lo)), (float16)(hi))) + z;
        OCT_PASTE(save16_, Q)(AT(Q, y) + base + i, CONVERT_Q16(q), last - i);
    }
}

/* (float)(q - z) * s. */
__kernel void dequantize(MEM(x), MEM(scale), MEM(zero), MEM(y), const long inner, const long chunk,
                         const int scales, const int zeros)
{
    LOCATE
    for (long i = first; i < last; i += 16) {
        const int16 q = convert_int16(OCT_PASTE(load16_, Q)(AT(Q, x) + base + i, last - i));
        save16_float(AT(float, y) + base + i, convert_float16(q - z) * s, last - i);
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
