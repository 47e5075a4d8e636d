/* What a product needs besides its operands: B packed, corrections and multipliers. Run once where the
 * operands are constants. Options: NB, KB the packing; B_SIGNED if b' is signed. What needs other options is
 * in other files, so that there are few programs to compile. */
#include "div.clh"
#include "product/product.clh"
#include "product/product_args.clh"

#ifndef NB
#define NB 16
#endif
#ifndef KB
#define KB 1
#endif

/* B from a matrix, rows of n (or, transposed, of k). One work-item: one k group of one panel. flip: 0x80 to
 * change the signedness of B; groups: k groups of packed B, of which this launch makes the first or, with an
 * offset of packed, later ones. */
static inline void pack_matrix_body(const pack_matrix_args a, const long kg, const long panel,
                                    const long block)
{
    __global const uchar *in = AT(uchar, a.b) + block * a.b_stride;
    __global uchar *out =
        AT(uchar, a.packed) + block * a.packed_stride + ((long)panel * a.groups + kg) * (NB * KB);
    for (int j = 0; j < NB; j++) {
        const int col = panel * NB + j;
        for (int i = 0; i < KB; i++) {
            const int row = kg * KB + i;
            uchar v = 0;
            if (col < a.n && row < a.k)
                v = in[a.transposed ? col * a.ldb + row : row * a.ldb + col] ^ (uchar)a.stored.flip;
            out[j * KB + i] = v;
        }
    }
}
KERNEL_3D(pack_matrix, pack_matrix, PACK_MATRIX_ARGS)

/* B from convolution weights [block][n][channels][taps]. k runs over steps of `span` neighbouring taps,
 * within a step over its taps and their channels in groups of KB. One work-item: one k group of one panel. */
static inline void pack_weights_body(const pack_weights_args a, const long kg, const long panel,
                                     const long block)
{
    const int per_step = a.groups / (a.taps / a.span), tap = kg / per_step * a.span,
              first = kg % per_step * KB;
    __global const uchar *in = AT(uchar, a.w) + block * a.n * a.channels * a.taps + tap;
    __global uchar *out =
        AT(uchar, a.packed) + block * a.packed_stride + ((long)panel * a.groups + kg) * (NB * KB);
    for (int j = 0; j < NB; j++) {
        const long col = panel * NB + j;
        for (int i = 0; i < KB; i++) {
            const int at = first + i;
            out[j * KB + i] = col < a.n && at < a.channels * a.span
                                  ? in[(col * a.channels + at % a.channels) * a.taps + at / a.channels] ^
                                        (uchar)a.stored.flip
                                  : (uchar)0;
        }
    }
}
KERNEL_3D(pack_weights, pack_weights, PACK_WEIGHTS_ARGS)

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
static inline void prepare_body(const prepare_args a, const long across, const long block)
{
    const int col = across * 16, np = (a.n + 63) / 64 * 64;
    __global int *corr = AT(int, a.prep) + block * a.prep_stride;
    __global float *mult = (__global float *)corr + np;
    const uint za = (uint)(load_zero(AT(uchar, a.a_zero), a.a_zeros, 0, a.signs & 1) + a.a_shift);
    int16 sums = 0;
    if (za != 0 && col < a.n)
        sums = column_sums(AT(uchar, a.packed) + block * a.packed_stride +
                               (long)(col / NB) * a.groups * (NB * KB) + col % NB * KB,
                           a.groups);
    int lanes[16];
    vstore16(sums, 0, lanes);
    const float sa = a.a_scales > 1 ? 1.0f : load_scale(AT(float, a.a_scale), a.a_scales, 0);
    const float sc = load_scale(AT(float, a.c_scale), a.c_scales, 0);
    for (int j = 0; j < 16; j++) {
        const int i = col + j, channel = block * a.channel_step + i;
        const int live = i < a.n;
        const uint zb =
            live ? (uint)(load_zero(AT(uchar, a.b_zero), a.b_zeros, channel, a.signs & 2) + a.b_shift) : 0u;
        const uint bias_value = live && a.has_bias ? (uint)AT(int, a.bias)[channel] : 0u;
        const float product = live ? sa * load_scale(AT(float, a.b_scale), a.b_scales, channel) : 0.0f;
        corr[i] = (int)(bias_value - za * (uint)lanes[j] + (uint)a.k * za * zb);
        mult[i] = a.c_scales ? oct_div_rn(product, sc) : product;
        corr[2 * np + i] = (int)zb;
    }
    if (col == 0)
        corr[3 * np] = load_zero(AT(uchar, a.c_zero), a.c_zeros, 0, a.signs & 4);
}
KERNEL_2D(prepare, prepare, PREPARE_ARGS)
