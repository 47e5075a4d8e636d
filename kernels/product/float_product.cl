/* Float products for the nodes of a network that are not quantized: plain kernels that are right everywhere.
 * Sums are in order of k. */
#include "lanes.clh"
#include "product/float_product_args.clh"

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
static inline void matmul_body(const matmul_args a, const long across, const long down, const long b)
{
    const long column = across * NB, row = down * ROWS;
    __global const float *weights = AT(float, a.w) + b * a.w_stride + column, *in[ROWS];
    __global float *out = AT(float, a.y) + b * a.m * a.n + column;
    float16 sum[ROWS][VECTORS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        in[r] = AT(float, a.a) + b * a.a_stride + min(row + r, a.m - 1) * a.k;
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            sum[r][j] = 0.0f;
    }
    const bool whole = column + NB <= a.n;
    for (long i = 0; i < a.k; i++) {
        float16 v[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            v[j] = whole ? vload16(j, weights + i * a.n)
                         : load_up_to16(weights + i * a.n + j * 16, a.n - column - j * 16);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < VECTORS; j++)
                sum[r][j] += in[r][i] * v[j];
        }
    }
    for (int j = 0; j < VECTORS; j++) {
        const long at = column + j * 16, left = a.n - at;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (left <= 0 || row + r >= a.m)
                continue;
            float16 v = a.alpha * sum[r][j];
            if (a.beta != 0.0f) {
                __global const float *bias = AT(float, a.c) + (row + r) * a.c_row + at * a.c_column;
                v += a.beta * (a.c_column ? load16_float(bias, left) : (float16)(bias[0]));
            }
            save16_float(out + (row + r) * a.n + j * 16, v, left);
        }
    }
}
KERNEL_3D(matmul, matmul, MATMUL_ARGS)

/* Convolution, channels last; TRANSPOSED: ConvTranspose. Weights in panels of NB output channels of a group:
 * [group][panel][tap][ci][NB]; what is past the last channel may be anything. Work-item (panel, ROWS output
 * pixels, image and group). */
static inline void conv_body(const float_conv_args a, const long panel, const long down, const long image)
{
    const geometry_numbers g = a.geometry;
    const int gci = g.c / g.group, gco = g.co / g.group, panels = (gco + NB - 1) / NB;
    const int channel = panel * NB, first = (int)down * ROWS;
    const int group = image % g.group;
    const long n = image / g.group;
    __global const float *weights = AT(float, a.w) + (long)(group * panels + panel) * g.kh * g.kw * gci * NB;
    float16 sum[ROWS][VECTORS];
    int oy[ROWS], ox[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const int pixel = min(first + r, g.oh * g.ow - 1);
        oy[r] = pixel / g.ow;
        ox[r] = pixel % g.ow;
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
            sum[r][j] = a.has_bias ? load_up_to16(AT(float, a.bias) + group * gco + channel + j * 16,
                                                  gco - channel - j * 16)
                                   : (float16)(0.0f);
    }
    for (int tap = 0; tap < g.kh * g.kw; tap++, weights += (long)gci * NB) {
        const int ky = tap / g.kw, kx = tap % g.kw;
        __global const float *in[ROWS];
        bool hit[ROWS], all = true;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#ifdef TRANSPOSED
            const int ty = oy[r] + g.pad_top - ky * g.dilation_h, tx = ox[r] + g.pad_left - kx * g.dilation_w;
            const bool there = ty >= 0 && tx >= 0 && ty % g.stride_h == 0 && tx % g.stride_w == 0;
            const int iy = ty / g.stride_h, ix = tx / g.stride_w;
#else
            const bool there = true;
            const int iy = oy[r] * g.stride_h - g.pad_top + ky * g.dilation_h,
                      ix = ox[r] * g.stride_w - g.pad_left + kx * g.dilation_w;
#endif
            hit[r] = there && iy >= 0 && iy < g.h && ix >= 0 && ix < g.w;
            in[r] = AT(float, a.x) + (hit[r] ? ((n * g.h + iy) * g.w + ix) * g.c + group * gci : 0);
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
    __global float *out = AT(float, a.y) + n * g.oh * g.ow * g.co + group * gco + channel;
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            if (first + r < g.oh * g.ow && channel + j * 16 < gco)
                save16_float(out + (long)(first + r) * g.co + j * 16, sum[r][j], gco - channel - j * 16);
        }
    }
}
KERNEL_3D(conv, float_conv, FLOAT_CONV_ARGS)

/* One filter a channel. Weights [tap][c]. Work-item (16 channels, output pixel, image). */
static inline void depthwise_body(const float_conv_args a, const long across, const long at, const long n)
{
    const geometry_numbers g = a.geometry;
    const int channel = across * 16, pixel = at;
    const int top = pixel / g.ow * g.stride_h - g.pad_top, left = pixel % g.ow * g.stride_w - g.pad_left;
    float16 sum = a.has_bias ? load16_float(AT(float, a.bias) + channel, g.c - channel) : (float16)(0.0f);
    for (int tap = 0; tap < g.kh * g.kw; tap++) {
        const int iy = top + tap / g.kw * g.dilation_h, ix = left + tap % g.kw * g.dilation_w;
        if (iy < 0 || iy >= g.h || ix < 0 || ix >= g.w)
            continue;
        sum += load16_float(AT(float, a.x) + ((n * g.h + iy) * g.w + ix) * g.c + channel, g.c - channel) *
               load16_float(AT(float, a.w) + (long)tap * g.c + channel, g.c - channel);
    }
    save16_float(AT(float, a.y) + (n * g.oh * g.ow + pixel) * g.c + channel, sum, g.c - channel);
}
KERNEL_3D(depthwise, float_conv, FLOAT_CONV_ARGS)
