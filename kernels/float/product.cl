/* Float products for the nodes of a network that are not quantized: plain kernels that are right everywhere.
 * Sums are in order of k. */
#include "lanes.clh"

/* y[b][m][n] = alpha * sum over k of a[b][m][k] w[b][k][n] + beta * c. Work-item (16 columns, 4 rows, batch).
 * c repeats where its step is 0. */
__kernel void matmul(MEM(a), MEM(w), MEM(c), MEM(y), const long m, const long n, const long k,
                     const long a_stride, const long w_stride, const float alpha, const float beta,
                     const long c_row, const long c_column)
{
    const long column = (long)get_global_id(0) * 16, row = (long)get_global_id(1) * 4, b = get_global_id(2);
    const int rows = (int)min(4L, m - row);
    __global const float *in = AT(float, a) + b * a_stride + row * k,
                         *weights = AT(float, w) + b * w_stride + column;
    __global float *out = AT(float, y) + b * m * n + row * n + column;
    float16 sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (long i = 0; i < k; i++) {
        const float16 v = load16_float(weights + i * n, n - column);
        for (int r = 0; r < 4; r++)
            sum[r] += in[(r < rows ? r : 0) * k + i] * v;
    }
    for (int r = 0; r < rows; r++) {
        float16 v = alpha * sum[r];
        if (beta != 0.0f) {
            __global const float *bias = AT(float, c) + (row + r) * c_row + column * c_column;
            v += beta * (c_column ? load16_float(bias, n - column) : (float16)(bias[0]));
        }
        save16_float(out + r * n, v, n - column);
    }
}

/* Convolution, channels last; TRANSPOSED: ConvTranspose. Weights [group][tap][ci][co] of one group's
 * channels. Work-item (16 output channels of a group, output pixel, image and group). */
__kernel void conv(MEM(x), MEM(w), MEM(bias), MEM(y), const int h, const int wd, const int c, const int oh,
                   const int ow, const int co, const int kh, const int kw, const int stride_h,
                   const int stride_w, const int dilation_h, const int dilation_w, const int pad_top,
                   const int pad_left, const int groups, const int has_bias)
{
    const int gci = c / groups, gco = co / groups;
    const int channel = get_global_id(0) * 16, pixel = get_global_id(1);
    const int g = get_global_id(2) % groups;
    const long n = get_global_id(2) / groups;
    const int oy = pixel / ow, ox = pixel % ow;
    __global const float *weights = AT(float, w) + (long)g * kh * kw * gci * gco + channel;
    float16 sum =
        has_bias ? load16_float(AT(float, bias) + g * gco + channel, gco - channel) : (float16)(0.0f);
    for (int tap = 0; tap < kh * kw; tap++) {
        const int ky = tap / kw, kx = tap % kw;
#ifdef TRANSPOSED
        const int ty = oy + pad_top - ky * dilation_h, tx = ox + pad_left - kx * dilation_w;
        const bool hit = ty >= 0 && tx >= 0 && ty % stride_h == 0 && tx % stride_w == 0;
        const int iy = ty / stride_h, ix = tx / stride_w;
#else
        const bool hit = true;
        const int iy = oy * stride_h - pad_top + ky * dilation_h,
                  ix = ox * stride_w - pad_left + kx * dilation_w;
#endif
        if (!hit || iy < 0 || iy >= h || ix < 0 || ix >= wd)
            continue;
        __global const float *in = AT(float, x) + ((n * h + iy) * wd + ix) * c + g * gci;
        __global const float *at = weights + (long)tap * gci * gco;
        for (int i = 0; i < gci; i++)
            sum += in[i] * load16_float(at + (long)i * gco, gco - channel);
    }
    save16_float(AT(float, y) + ((n * oh + oy) * ow + ox) * co + g * gco + channel, sum, gco - channel);
}

/* One filter a channel. Weights [tap][c]. Work-item (16 channels, output pixel, image). */
__kernel void depthwise(MEM(x), MEM(w), MEM(bias), MEM(y), const int h, const int wd, const int c,
                        const int oh, const int ow, const int co, const int kh, const int kw,
                        const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,
                        const int pad_top, const int pad_left, const int groups, const int has_bias)
{
    const int channel = get_global_id(0) * 16, pixel = get_global_id(1);
    const long n = get_global_id(2);
    const int top = pixel / ow * stride_h - pad_top, left = pixel % ow * stride_w - pad_left;
    float16 sum = has_bias ? load16_float(AT(float, bias) + channel, c - channel) : (float16)(0.0f);
    for (int tap = 0; tap < kh * kw; tap++) {
        const int iy = top + tap / kw * dilation_h, ix = left + tap % kw * dilation_w;
        if (iy < 0 || iy >= h || ix < 0 || ix >= wd)
            continue;
        sum += load16_float(AT(float, x) + ((n * h + iy) * wd + ix) * c + channel, c - channel) *
               load16_float(AT(float, w) + (long)tap * c + channel, c - channel);
    }
    save16_float(AT(float, y) + (n * oh * ow + pixel) * c + channel, sum, c - channel);
}
