/* What a product of 16-bit A needs besides its operands, as prepare.cl: B packed in s16, two terms of a
 * column side by side, its zero points subtracted, so that there is nothing to correct for them; corrections
 * of 64 bits, and multipliers (wide_x86.clh has the layout). Option: NB, the packing. */
#include "div.clh"
#include "product/product.clh"

#ifndef NB
#define NB 64
#endif

static inline int load_8(__global const uchar *from, long i, int is_signed)
{
    return is_signed ? (int)(char)from[i] : (int)from[i];
}

/* Of a 16-bit type. */
static inline int load_16(__global const ushort *from, int is_signed)
{
    return is_signed ? (int)(short)from[0] : (int)from[0];
}

static inline int load_zero(__global const uchar *zero, int count, long i, int is_signed)
{
    return count ? load_8(zero, count > 1 ? i : 0, is_signed) : 0;
}

static inline float load_scale(__global const float *scale, int count, long i)
{
    return count ? scale[count > 1 ? i : 0] : 1.0f;
}

/* As prepare.cl's. b_zero begins with the first column's; block_zeros: from a block's to the next block's. */
__kernel void pack_matrix(MEM(b), MEM(packed), const int n, const int k, const long ldb, const long b_stride,
                          const long packed_stride, const int transposed, const int groups, MEM(b_zero),
                          const int zeros, const int block_zeros, const int is_signed)
{
    const int kg = get_global_id(0), panel = get_global_id(1);
    const long block = get_global_id(2);
    __global const uchar *in = AT(uchar, b) + block * b_stride;
    __global short *out =
        AT(short, packed) + block * packed_stride / 2 + ((long)panel * groups + kg) * (NB * 2);
    for (int j = 0; j < NB; j++) {
        const int col = panel * NB + j;
        const int zero =
            col < n ? load_zero(AT(uchar, b_zero), zeros, block * block_zeros + col, is_signed) : 0;
        for (int i = 0; i < 2; i++) {
            const int row = kg * 2 + i;
            short v = 0;
            if (col < n && row < k)
                v = (short)(load_8(in, transposed ? col * ldb + row : row * ldb + col, is_signed) - zero);
            out[j * 2 + i] = v;
        }
    }
}

__kernel void pack_weights(MEM(w), MEM(packed), const int n, const int channels, const int taps,
                           const int span, const long packed_stride, MEM(b_zero), const int zeros,
                           const int block_zeros, const int is_signed)
{
    const int kg = get_global_id(0), panel = get_global_id(1), groups = get_global_size(0);
    const long block = get_global_id(2);
    const int per_step = groups / (taps / span), tap = kg / per_step * span, first = kg % per_step * 2;
    __global const uchar *in = AT(uchar, w) + block * n * channels * taps + tap;
    __global short *out =
        AT(short, packed) + block * packed_stride / 2 + ((long)panel * groups + kg) * (NB * 2);
    for (int j = 0; j < NB; j++) {
        const long col = panel * NB + j;
        const int zero =
            col < n ? load_zero(AT(uchar, b_zero), zeros, block * block_zeros + col, is_signed) : 0;
        for (int i = 0; i < 2; i++) {
            const int at = first + i;
            short v = 0;
            if (col < n && at < channels * span)
                v = (short)(load_8(in, (col * channels + at % channels) * taps + at / channels, is_signed) -
                            zero);
            out[j * 2 + i] = v;
        }
    }
}

/* corr[c] = bias[c] - za' sum of b[c], mult[c] = (sa * sb[c]) / sc. Work-item: 16 columns of a block. Signs,
 * of the zero points as stored: bit 0 a, bit 2 c; c_bytes: of an element of C. */
__kernel void prepare(MEM(packed), MEM(bias), MEM(a_scale), MEM(a_zero), MEM(b_scale), MEM(c_scale),
                      MEM(c_zero), MEM(prep), const int n, const int groups, const long packed_stride,
                      const long prep_stride, const int channel_step, const int a_shift, const int has_bias,
                      const int a_scales, const int a_zeros, const int b_scales, const int c_scales,
                      const int c_zeros, const int c_bytes, const int signs)
{
    const int first = get_global_id(0) * 16, np = (n + 63) / 64 * 64, block = get_global_id(1);
    __global int *words = AT(int, prep) + block * prep_stride;
    __global const short *b = AT(short, packed) + block * packed_stride / 2;
    const long za = (a_zeros ? load_16(AT(ushort, a_zero), signs & 1) : 0) + a_shift;
    for (int col = first; col < first + 16; col++) {
        const long channel = (long)block * channel_step + col;
        const bool live = col < n;
        __global const short2 *panel = (__global const short2 *)b + (long)(col / NB) * groups * NB + col % NB;
        long sum = 0;
        for (int kg = 0; live && za && kg < groups; kg++)
            sum += panel[(long)kg * NB].x + panel[(long)kg * NB].y;
        const float product = live ? load_scale(AT(float, a_scale), a_scales, 0) *
                                         load_scale(AT(float, b_scale), b_scales, channel)
                                   : 0.0f;
        ((__global long *)words)[col] = (live && has_bias ? AT(int, bias)[channel] : 0) - za * sum;
        ((__global float *)words)[2 * np + col] =
            c_scales ? oct_div_rn(product, AT(float, c_scale)[0]) : product;
    }
    if (first == 0)
        words[3 * np] = c_zeros == 0   ? 0
                        : c_bytes == 1 ? load_8(AT(uchar, c_zero), 0, signs & 4)
                                       : load_16(AT(ushort, c_zero), signs & 4);
}
