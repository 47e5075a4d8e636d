/* What a product of 16-bit A needs besides its operands, as prepare.cl: B packed in s16, two terms of a
 * column side by side, its zero points subtracted, so that there is nothing to correct for them; corrections
 * of 64 bits, and multipliers (wide_x86.clh has the layout). Option: NB, the packing. */
#include "div.clh"
#include "product/product.clh"
#include "product/product_args.clh"

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
static inline void pack_matrix_body(const pack_matrix_args a, const long kg, const long panel,
                                    const long block)
{
    __global const uchar *in = AT(uchar, a.b) + block * a.b_stride;
    __global short *out =
        AT(short, a.packed) + block * a.packed_stride / 2 + ((long)panel * a.groups + kg) * (NB * 2);
    for (int j = 0; j < NB; j++) {
        const int col = panel * NB + j;
        const int zero = col < a.n ? load_zero(AT(uchar, a.b_zero), a.stored.zeros,
                                               block * a.stored.block_zeros + col, a.stored.is_signed)
                                   : 0;
        for (int i = 0; i < 2; i++) {
            const int row = kg * 2 + i;
            short v = 0;
            if (col < a.n && row < a.k)
                v = (short)(load_8(in, a.transposed ? col * a.ldb + row : row * a.ldb + col,
                                   a.stored.is_signed) -
                            zero);
            out[j * 2 + i] = v;
        }
    }
}
KERNEL_3D(pack_matrix, pack_matrix, PACK_MATRIX_ARGS)

static inline void pack_weights_body(const pack_weights_args a, const long kg, const long panel,
                                     const long block)
{
    const int per_step = a.groups / (a.taps / a.span), tap = kg / per_step * a.span,
              first = kg % per_step * 2;
    __global const uchar *in = AT(uchar, a.w) + block * a.n * a.channels * a.taps + tap;
    __global short *out =
        AT(short, a.packed) + block * a.packed_stride / 2 + ((long)panel * a.groups + kg) * (NB * 2);
    for (int j = 0; j < NB; j++) {
        const long col = panel * NB + j;
        const int zero = col < a.n ? load_zero(AT(uchar, a.b_zero), a.stored.zeros,
                                               block * a.stored.block_zeros + col, a.stored.is_signed)
                                   : 0;
        for (int i = 0; i < 2; i++) {
            const int at = first + i;
            short v = 0;
            if (col < a.n && at < a.channels * a.span)
                v = (short)(load_8(in, (col * a.channels + at % a.channels) * a.taps + at / a.channels,
                                   a.stored.is_signed) -
                            zero);
            out[j * 2 + i] = v;
        }
    }
}
KERNEL_3D(pack_weights, pack_weights, PACK_WEIGHTS_ARGS)

/* corr[c] = bias[c] - za' sum of b[c], mult[c] = (sa * sb[c]) / sc. Work-item: 16 columns of a block. Signs,
 * of the zero points as stored: bit 0 a, bit 2 c; c_bytes: of an element of C. */
static inline void prepare_body(const prepare_args a, const long across, const long block)
{
    const int first = across * 16, np = (a.n + 63) / 64 * 64;
    __global int *words = AT(int, a.prep) + block * a.prep_stride;
    __global const short *b = AT(short, a.packed) + block * a.packed_stride / 2;
    const long za = (a.a_zeros ? load_16(AT(ushort, a.a_zero), a.signs & 1) : 0) + a.a_shift;
    for (int col = first; col < first + 16; col++) {
        const long channel = (long)block * a.channel_step + col;
        const bool live = col < a.n;
        __global const short2 *panel =
            (__global const short2 *)b + (long)(col / NB) * a.groups * NB + col % NB;
        long sum = 0;
        for (int kg = 0; live && za && kg < a.groups; kg++)
            sum += panel[(long)kg * NB].x + panel[(long)kg * NB].y;
        const float product = live ? load_scale(AT(float, a.a_scale), a.a_scales, 0) *
                                         load_scale(AT(float, a.b_scale), a.b_scales, channel)
                                   : 0.0f;
        ((__global long *)words)[col] = (live && a.has_bias ? AT(int, a.bias)[channel] : 0) - za * sum;
        ((__global float *)words)[2 * np + col] =
            a.c_scales ? oct_div_rn(product, AT(float, a.c_scale)[0]) : product;
    }
    if (first == 0)
        words[3 * np] = a.c_zeros == 0   ? 0
                        : a.c_bytes == 1 ? load_8(AT(uchar, a.c_zero), 0, a.signs & 4)
                                         : load_16(AT(ushort, a.c_zero), a.signs & 4);
}
KERNEL_2D(prepare, prepare, PREPARE_ARGS)
