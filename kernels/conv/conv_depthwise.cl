/* Depthwise convolution (a group per channel, one output each) on any device: plain OpenCL C 1.2. One
 * work-item makes ROWS neighbouring output pixels of 16 channels; B packed [c / 16][kh kw][16], one block.
 * Options: ROWS; A_SIGNED, B_SIGNED, OUT, ROWSUM (product.clh). */
#include "conv/conv.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* Up to 16 channels; what is past the last is not read. */
static inline int16 load_channels(__global const A_T *from, int count)
{
    if (count >= 16)
        return convert_int16(vload16(0, from));
    int lanes[16];
    for (int i = 0; i < 16; i++)
        lanes[i] = i < count ? from[i] : 0;
    return vload16(0, lanes);
}

__kernel void conv(CONV_ARGS)
{
    const int col = get_global_id(0) * 16;
    const long first = (long)get_global_id(1) * ROWS;
    __global const B_T *b = AT(B_T, packed) + (long)col * kh * kw;
    conv_pixel at[ROWS];
    int16 acc[ROWS], sum[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = CONV_LOCATE(min(first + r, pixels - 1), c);
        acc[r] = sum[r] = 0;
    }
    for (int ky = 0; ky < kh; ky++) {
        for (int kx = 0; kx < kw; kx++, b += 16) {
            const int16 bv = convert_int16(vload16(0, b));
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int16 av =
                    load_channels((__global const A_T *)conv_tap(AT(uchar, x), AT(uchar, pad_row), at[r],
                                                                 ky * dilation_h, kx * dilation_w, h, w, c) +
                                      col,
                                  c - col);
                acc[r] += bv * av;
#ifdef ROWSUM
                sum[r] += av;
#endif
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const long at_y = (first + r) * co + col;
        if (first + r < pixels)
            product_store16(AT(int, prep), AT(OUT_T, y) + at_y, CHAIN_AT(at_y), acc[r], sum[r], 1.0f, col, co,
                            clamp_min, clamp_max);
    }
}
