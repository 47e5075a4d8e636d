/* LayerNormalization, InstanceNormalization and GroupNormalization: rows of `length` elements become
 * (x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias, mean and variance each in a pass of its own.
 * And LRN, channels last. */
#include "div.clh"
#include "lanes.clh"

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

/* One work-item: one row. Scale and bias by element of the row where run is 0; else the row is made of runs,
 * one scale for each, which repeat after `scales` runs. statistics: mean and 1 / sqrt are written. */
__kernel void normalize_rows(MEM(x), MEM(scale), MEM(bias), MEM(y), MEM(mean), MEM(inverse),
                             const long length, const long run, const long scales, const float epsilon,
                             const int has_bias, const int statistics)
{
    const long row = get_global_id(0);
    __global const float *in = AT(float, x) + row * length, *s = AT(float, scale), *b = AT(float, bias);
    __global float *out = AT(float, y) + row * length;
    const float m = oct_div_rn(sum_of(in, length, 0.0f, 1), (float)length);
    const float variance = oct_div_rn(sum_of(in, length, m, 2), (float)length);
    const float r = oct_div_rn(1.0f, sqrt(variance + epsilon));
    if (statistics & 1)
        AT(float, mean)[row] = m;
    if (statistics & 2)
        AT(float, inverse)[row] = r;
    for (long i = 0; run == 0 && i < length; i += 16) {
        float16 v = (load16_float(in + i, length - i) - m) * r * load16_float(s + i, length - i);
        if (has_bias)
            v += load16_float(b + i, length - i);
        save16_float(out + i, v, length - i);
    }
    for (long at = 0; run && at < length; at += run) {
        const long which = ((row * length + at) / run) % scales;
        const float one_scale = s[which], one_bias = has_bias ? b[which] : 0.0f;
        for (long i = at; i < at + run; i += 16)
            save16_float(out + i, (load16_float(in + i, at + run - i) - m) * r * one_scale + one_bias,
                         at + run - i);
    }
}

/* y = x * (bias + alpha_n * sum over the channels [c - before, c + after] of x^2)^-beta. One work-item:
 * `per_item` pixels. */
__kernel void lrn(MEM(x), MEM(y), const long pixels, const long per_item, const int c, const int before,
                  const int after, const float alpha_n, const float beta, const float bias)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, pixels);
    for (long p = first; p < last; p++) {
        __global const float *in = AT(float, x) + p * c;
        for (int i = 0; i < c; i++) {
            const int low = max(0, i - before), high = min(c - 1, i + after);
            float sum = 0.0f;
            for (int k = low; k <= high; k++)
                sum += in[k] * in[k];
            AT(float, y)[p * c + i] = in[i] * pow(bias + alpha_n * sum, -beta);
        }
    }
}
