/* NCHW <-> NHWC of bytes with a few channels (pictures), 16 pixels at a time. Option PLANES: 2 to 4. One
 * work-item: a chunk of the pixels of one image. */
#include "lanes.clh"
#include "move/move_args.clh"

#ifndef PLANES
#define PLANES 3
#endif

/* Three vectors as shuffles of three: element j of an interleaved row is element j / 3 of plane j % 3. */
#define INTERLEAVE3(p, q, r, to)                                                                             \
    do {                                                                                                     \
        (to)[0] = (uchar16)(p.s0, q.s0, r.s0, p.s1, q.s1, r.s1, p.s2, q.s2, r.s2, p.s3, q.s3, r.s3, p.s4,    \
                            q.s4, r.s4, p.s5);                                                               \
        (to)[1] = (uchar16)(q.s5, r.s5, p.s6, q.s6, r.s6, p.s7, q.s7, r.s7, p.s8, q.s8, r.s8, p.s9, q.s9,    \
                            r.s9, p.sa, q.sa);                                                               \
        (to)[2] = (uchar16)(r.sa, p.sb, q.sb, r.sb, p.sc, q.sc, r.sc, p.sd, q.sd, r.sd, p.se, q.se, r.se,    \
                            p.sf, q.sf, r.sf);                                                               \
    } while (0)
#define SEPARATE3(p, q, r, to)                                                                               \
    do {                                                                                                     \
        (to)[0] = (uchar16)(p.s0, p.s3, p.s6, p.s9, p.sc, p.sf, q.s2, q.s5, q.s8, q.sb, q.se, r.s1, r.s4,    \
                            r.s7, r.sa, r.sd);                                                               \
        (to)[1] = (uchar16)(p.s1, p.s4, p.s7, p.sa, p.sd, q.s0, q.s3, q.s6, q.s9, q.sc, q.sf, r.s2, r.s5,    \
                            r.s8, r.sb, r.se);                                                               \
        (to)[2] = (uchar16)(p.s2, p.s5, p.s8, p.sb, p.se, q.s1, q.s4, q.s7, q.sa, q.sd, r.s0, r.s3, r.s6,    \
                            r.s9, r.sc, r.sf);                                                               \
    } while (0)

/* y[b][i][p] = x[b][p][i] */
static inline void interleave_body(const picture_args a, const long item, const long image)
{
    OCT_STRETCH(item, a.chunk, a.pixels)
    __global const uchar *in = AT(uchar, a.x) + image * a.pixels * PLANES;
    __global uchar *out = AT(uchar, a.y) + image * a.pixels * PLANES;
    long i = first;
    for (; OCT_VECTOR_STORES && i + 16 <= last; i += 16) {
        uchar16 v[PLANES], lanes[PLANES];
#pragma unroll
        for (int p = 0; p < PLANES; p++)
            v[p] = vload16(0, in + p * a.pixels + i);
#if PLANES == 3
        INTERLEAVE3(v[0], v[1], v[2], lanes);
#else
#pragma unroll
        for (int j = 0; j < 16 * PLANES; j++)
            ((uchar *)lanes)[j] = ((const uchar *)v)[j % PLANES * 16 + j / PLANES];
#endif
#pragma unroll
        for (int p = 0; p < PLANES; p++)
            save16_uchar(out + i * PLANES + p * 16, lanes[p], 16);
    }
    for (; i < last; i++) {
        for (int p = 0; p < PLANES; p++)
            out[i * PLANES + p] = in[p * a.pixels + i];
    }
}
KERNEL_2D(interleave, picture, PICTURE_ARGS)

/* y[b][p][i] = x[b][i][p] */
static inline void separate_body(const picture_args a, const long item, const long image)
{
    OCT_STRETCH(item, a.chunk, a.pixels)
    __global const uchar *in = AT(uchar, a.x) + image * a.pixels * PLANES;
    __global uchar *out = AT(uchar, a.y) + image * a.pixels * PLANES;
    long i = first;
    for (; OCT_VECTOR_STORES && i + 16 <= last; i += 16) {
        uchar16 v[PLANES], lanes[PLANES];
#pragma unroll
        for (int p = 0; p < PLANES; p++)
            lanes[p] = vload16(p, in + i * PLANES);
#if PLANES == 3
        SEPARATE3(lanes[0], lanes[1], lanes[2], v);
#else
#pragma unroll
        for (int j = 0; j < 16 * PLANES; j++)
            ((uchar *)v)[j % PLANES * 16 + j / PLANES] = ((const uchar *)lanes)[j];
#endif
#pragma unroll
        for (int p = 0; p < PLANES; p++)
            save16_uchar(out + p * a.pixels + i, v[p], 16);
    }
    for (; i < last; i++) {
        for (int p = 0; p < PLANES; p++)
            out[p * a.pixels + i] = in[i * PLANES + p];
    }
}
KERNEL_2D(separate, picture, PICTURE_ARGS)
