/* What a product needs besides its operands: B packed, corrections and multipliers. Run once where the
 * operands are constants. Options: NB, KB the packing; B_SIGNED if b' is signed. What needs other options is
 * in other files, so that there are few programs to compile. */
#include "div.clh"
#include "product/product.clh"

#ifndef NB
#define NB 16
#endif
#ifndef KB
#define KB 1
#endif

/* B from a matrix, rows of n (or, transposed, of k). One work-item: one k group of one panel. flip: 0x80 to
 * change the signedness of B; groups: k groups of packed B, of which this launch makes the first or, with an
 * offset of packed, later ones. */
__kernel void pack_matrix(MEM(b), MEM(packed), const int n, const int k, const long ldb, const long b_stride,
                          const long packed_stride, const int transposed, const int groups, const int flip)
{
    const int kg = get_global_id(0), panel = get_global_id(1);
    const long block = get_global_id(2);
    __global const uchar *in = AT(uchar, b) + block * b_stride;
    __global uchar *out = AT(uchar, packed) + block * packed_stride + ((long)panel * groups + kg) * (NB * KB);
    for (int j = 0; j < NB; j++) {
        const int col = panel * NB + j;
        for (int i = 0; i < KB; i++) {
            const int row = kg * KB + i;
            uchar v = 0;
            if (col < n && row < k)
                v = in[transposed ? col * ldb + row : row * ldb + col] ^ (uchar)flip;
            out[j * KB + i] = v;
        }
    }
}

/* B from convolution weights [block][n][channels][taps]. k runs over steps of `span` neighbouring taps,
 * within a step over its taps and their channels in groups of KB. One work-item: one k group of one panel. */
__kernel void pack_weights(MEM(w), MEM(packed), const int n, const int channels, const int taps,
                           const int span, const long packed_stride, const int flip)
{
    const int kg = get_global_id(0), panel = get_global_id(1), groups = get_global_size(0);
    const long block = get_global_id(2);
    const int per_step = groups / (taps / span), tap = kg / per_step * span, first = kg % per_step * KB;
    __global const uchar *in = AT(uchar, w) + block * n * channels * taps + tap;
    __global uchar *out = AT(uchar, packed) + block * packed_stride + ((long)panel * groups + kg) * (NB * KB);
    for (int j = 0; j < NB; j++) {
        const long col = panel * NB + j;
        for (int i = 0; i < KB; i++) {
            const int at = first + i;
            out[j * KB + i] = col < n && at < channels * span
                                  ? in[(col * channels + at % channels) * taps + at / channels] ^ (uchar)flip
                                  : (uchar)0;
        }
    }
}

#ifdef B_SIGNED
#define WIDEN(bits, top) (as_int16((bits) << (24 - (top))) >> 24)
#else
#define WIDEN(bits, top) as_int16(((bits) << (24 - (top))) >> 24)
#endif

/* Sums over k of 16 neighbouring columns of a packed panel. */
static inline int16 column_sums(__global const uchar *panel, int groups)
{
    int16 sum = 0;
    for (int kg = 0; kg < groups; kg++, panel += NB * KB) {
#if KB == 4
        const uint16 v = as_uint16(vload16(0, (__global const int *)panel));
        sum += WIDEN(v, 0) + WIDEN(v, 8) + WIDEN(v, 16) + WIDEN(v, 24);
#elif KB == 2
        const uint16 v = convert_uint16(vload16(0, (__global const ushort *)panel));
        sum += WIDEN(v, 0) + WIDEN(v, 8);
#else
        const uint16 v = convert_uint16(vload16(0, panel));
        sum += WIDEN(v, 0);
#endif
    }
    return sum;
}

static inline int load_zero(__global const uchar *zero, int count, int i, int is_signed)
{
    if (count == 0)
        return 0;
    const uchar v = zero[count > 1 ? i : 0];
    return is_signed ? (int)(char)v : (int)v;
}

static inline float load_scale(__global const float *scale, int count, int i)
{
    return count == 0 ? 1.0f : scale[count > 1 ? i : 0];
}

/* One work-item: 16 columns of one block. groups: k groups of packed B; k: terms of a sum. channel_step:
 * index of a block's first bias, scale and zero point over the block's number (n for convolution groups, 0
 * for batches of B). Counts are 0, 1 or many; signs, of the zero points as stored: bit 0 a, bit 1 b, bit 2 c.
 * More than one a_scale is left to the product. */
__kernel void prepare(MEM(packed), MEM(bias), MEM(a_scale), MEM(a_zero), MEM(b_scale), MEM(b_zero),
                      MEM(c_scale), MEM(c_zero), MEM(prep), const int n, const int groups, const int k,
                      const long packed_stride, const long prep_stride, const int channel_step,
                      const int a_shift, const int b_shift, const int has_bias, const int a_scales,
                      const int a_zeros, const int b_scales, const int b_zeros, const int c_scales,
                      const int c_zeros, const int signs)
{
    const int col = get_global_id(0) * 16, np = (n + 63) / 64 * 64;
    const int block = get_global_id(1);
    __global int *corr = AT(int, prep) + block * prep_stride;
    __global float *mult = (__global float *)corr + np;
    const uint za = (uint)(load_zero(AT(uchar, a_zero), a_zeros, 0, signs & 1) + a_shift);
    int16 sums = 0;
    if (za != 0 && col < n)
        sums = column_sums(AT(uchar, packed) + block * packed_stride + (long)(col / NB) * groups * (NB * KB) +
                               col % NB * KB,
                           groups);
    int lanes[16];
    vstore16(sums, 0, lanes);
    const float sa = a_scales > 1 ? 1.0f : load_scale(AT(float, a_scale), a_scales, 0);
    const float sc = load_scale(AT(float, c_scale), c_scales, 0);
    for (int j = 0; j < 16; j++) {
        const int i = col + j, channel = block * channel_step + i;
        const int live = i < n;
        const uint zb =
            live ? (uint)(load_zero(AT(uchar, b_zero), b_zeros, channel, signs & 2) + b_shift) : 0u;
        const uint bias_value = live && has_bias ? (uint)AT(int, bias)[channel] : 0u;
        const float product = live ? sa * load_scale(AT(float, b_scale), b_scales, channel) : 0.0f;
        corr[i] = (int)(bias_value - za * (uint)lanes[j] + (uint)k * za * zb);
        mult[i] = c_scales ? oct_div_rn(product, sc) : product;
        corr[2 * np + i] = (int)zb;
    }
    if (col == 0)
        corr[3 * np] = load_zero(AT(uchar, c_zero), c_zeros, 0, signs & 4);
}
