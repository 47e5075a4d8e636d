/* Float products for the nodes of a network that are not quantized: plain kernels that are right everywhere.
 * Sums are in order of k. */
#include "lanes.clh"

/* load16_float that takes a count of 0 or less too: nothing is read. */
static inline float16 load_up_to16(__global const float *from, long count)
{
    return count > 0 ? load16_float(from, count) : (float16)(0.0f);
}

/* ROWS rows (of a matrix, or pixels) of NB columns for each work-item: VECTORS accumulators of 16 a row. */
#ifndef ROWS
#define ROWS 6
#endif
#ifndef NB
#define NB 32
#endif
#define VECTORS (NB / 16)

/* y[b][m][n] = alpha * sum over k of a[b][m][k] w[b][k][n] + beta * c. Work-item (NB columns, ROWS rows,
 * batch). c repeats where its step is 0. */
__kernel void matmul(MEM(a), MEM(w), MEM(c), MEM(y), const long m, const long n, const long k,
                     const long a_stride, const long w_stride, const float alpha, const float beta,
                     const long c_row, const long c_column)
{
    const long column = (long)get_global_id(0) * NB, row = (long)get_global_id(1) * ROWS,
               b = get_global_id(2);
    __global const float *weights = AT(float, w) + b * w_stride + column, *in[ROWS];
    __global float *out = AT(float, y) + b * m * n + column;
    float16 sum[ROWS][VECTORS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        in[r] = AT(float, a) + b * a_stride + min(row + r, m - 1) * k;
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            sum[r][j] = 0.0f;
    }
    const bool whole = column + NB <= n;
    for (long i = 0; i < k; i++) {
        float16 v[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            v[j] = whole ? vload16(j, weights + i * n)
                         : load_up_to16(weights + i * n + j * 16, n - column - j * 16);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < VECTORS; j++)
                sum[r][j] += in[r][i] * v[j];
        }
    }
    for (int j = 0; j < VECTORS; j++) {
        const long at = column + j * 16, left = n - at;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (left <= 0 || row + r >= m)
                continue;
            float16 v = alpha * sum[r][j];
            if (beta != 0.0f) {
                __global const float *bias = AT(float, c) + (row + r) * c_row + at * c_column;
                v += beta * (c_column ? load16_float(bias, left) : (float16)(bias[0]));
            }
            save16_float(out + (row + r) * n + j * 16, v, left);
        }
    }
}

/* Convolution, channels last; TRANSPOSED: ConvTranspose. Weights in panels of NB output channels of a group:
 * [group][panel][tap][ci][NB]; what is past the last channel may be anything. Work-item (panel, ROWS output
 * pixels, image and group). */
__kernel void conv(MEM(x), MEM(w), MEM(bias), MEM(y), const int h, const int wd, const int c, const int oh,
                   const int ow, const int co, const int kh, const int kw, const int stride_h,
                   const int stride_w, const int dilation_h, const int dilation_w, const int pad_top,
                   const int pad_left, const int groups, const int has_bias)
{
    const int gci = c / groups, gco = co / groups, panels = (gco + NB - 1) / NB;
    const int panel = get_global_id(0), channel = panel * NB, first = (int)get_global_id(1) * ROWS;
    const int g = get_global_id(2) % groups;
    const long n = get_global_id(2) / groups;
    __global const float *weights = AT(float, w) + (long)(g * panels + panel) * kh * kw * gci * NB;
    float16 sum[ROWS][VECTORS];
    int oy[ROWS], ox[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const int pixel = min(first + r, oh * ow - 1);
        oy[r] = pixel / ow;
        ox[r] = pixel % ow;
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            sum[r][j] =
                has_bias ? load_up_to16(AT(float, bias) + g * gco + channel + j * 16, gco - channel - j * 16)
                         : (float16)(0.0f);
    }
    for (int tap = 0; tap < kh * kw; tap++, weights += (long)gci * NB) {
        const int ky = tap / kw, kx = tap % kw;
        __global const float *in[ROWS];
        bool hit[ROWS], all = true;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#ifdef TRANSPOSED
            const int ty = oy[r] + pad_top - ky * dilation_h, tx = ox[r] + pad_left - kx * dilation_w;
            const bool there = ty >= 0 && tx >= 0 && ty % stride_h == 0 && tx % stride_w == 0;
            const int iy = ty / stride_h, ix = tx / stride_w;
#else
            const bool there = true;
            const int iy = oy[r] * stride_h - pad_top + ky * dilation_h,
                      ix = ox[r] * stride_w - pad_left + kx * dilation_w;
#endif
            hit[r] = there && iy >= 0 && iy < h && ix >= 0 && ix < wd;
            in[r] = AT(float, x) + (hit[r] ? ((n * h + iy) * wd + ix) * c + g * gci : 0);
            all = all && hit[r];
        }
        if (all) {
            for (int i = 0; i < gci; i++) {
                float16 v[VECTORS];
#pragma unroll
                for (int j = 0; j < VECTORS; j++)
                    v[j] = vload16(j, weights + (long)i * NB);
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
#pragma unroll
                    for (int j = 0; j < VECTORS; j++)
                        sum[r][j] += in[r][i] * v[j];
                }
            }
            continue;
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            for (int i = 0; hit[r] && i < gci; i++) {
#pragma unroll
                for (int j = 0; j < VECTORS; j++)
                    sum[r][j] += in[r][i] * vload16(j, weights + (long)i * NB);
            }
        }
    }
    __global float *out = AT(float, y) + n * oh * ow * co + g * gco + channel;
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            if (first + r < oh * ow && channel + j * 16 < gco)
                save16_float(out + (long)(first + r) * co + j * 16, sum[r][j], gco - channel - j * 16);
        }
    }
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
