/* LayerNormalization, InstanceNormalization and GroupNormalization: rows of `length` elements become
 * (x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias, mean and variance each in a pass of its own.
 * And LRN, channels last. */
#include "div.clh"
#include "lanes.clh"
#include "normalize/normalize_args.clh"

static inline float sum16(float16 v)
{
    float lanes[16];
    vstore16(v, 0, lanes);
    for (int width = 8; width > 0; width /= 2) {
        for (int i = 0; i < width; i++)
            lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

/* Sum of (x - shift)^power, power 1 or 2. */
static inline float sum_of(__global const float *x, long length, float shift, int power)
{
    float16 sums = (float16)(0.0f);
    long i = 0;
    for (; i + 16 <= length; i += 16) {
        const float16 v = vload16(0, x + i) - shift;
        sums += power == 2 ? v * v : v;
    }
    float sum = sum16(sums);
    for (; i < length; i++) {
        const float v = x[i] - shift;
        sum += power == 2 ? v * v : v;
    }
    return sum;
}

/* One work-item: one row. */
static inline void normalize_rows_body(const normalize_rows_args a, const long row)
{
    __global const float *in = AT(float, a.x) + row * a.length, *s = AT(float, a.scale),
                         *b = AT(float, a.bias);
    __global float *out = AT(float, a.y) + row * a.length;
    const float m = oct_div_rn(sum_of(in, a.length, 0.0f, 1), (float)a.length);
    const float variance = oct_div_rn(sum_of(in, a.length, m, 2), (float)a.length);
    const float r = oct_div_rn(1.0f, sqrt(variance + a.epsilon));
    if (a.statistics & 1)
        AT(float, a.mean)[row] = m;
    if (a.statistics & 2)
        AT(float, a.inverse)[row] = r;
    for (long i = 0; a.run == 0 && i < a.length; i += 16) {
        float16 v = (load16_float(in + i, a.length - i) - m) * r * load16_float(s + i, a.length - i);
        if (a.has_bias)
            v += load16_float(b + i, a.length - i);
        save16_float(out + i, v, a.length - i);
    }
    for (long at = 0; a.run && at < a.length; at += a.run) {
        const long which = ((row * a.length + at) / a.run) % a.scales;
        const float one_scale = s[which], one_bias = a.has_bias ? b[which] : 0.0f;
        for (long i = at; i < at + a.run; i += 16)
            save16_float(out + i, (load16_float(in + i, at + a.run - i) - m) * r * one_scale + one_bias,
                         at + a.run - i);
    }
}
KERNEL_1D(normalize_rows, normalize_rows, NORMALIZE_ROWS_ARGS)

/* y = x * (bias + alpha_n * sum over the channels [c - before, c + after] of x^2)^-beta. One work-item:
 * `per_item` pixels. */
static inline void lrn_body(const lrn_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.pixels);
    for (long p = first; p < last; p++) {
        __global const float *in = AT(float, a.x) + p * a.c;
        for (int i = 0; i < a.c; i++) {
            const int low = max(0, i - a.before), high = min(a.c - 1, i + a.after);
            float sum = 0.0f;
            for (int k = low; k <= high; k++)
                sum += in[k] * in[k];
            AT(float, a.y)[p * a.c + i] = in[i] * pow(a.bias + a.alpha_n * sum, -a.beta);
        }
    }
}
KERNEL_1D(lrn, lrn, LRN_ARGS)
