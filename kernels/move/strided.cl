/* A box of elements from here to there: y[y0 + sum i_d ys_d] = x[x0 + sum i_d xs_d]. Slices, parts of a
 * concatenation, permutations and repetitions (a step of 0) are all this. Option T: an unsigned type of the
 * element's size. */
#include "lanes.clh"

#ifndef T
#define T uchar
#endif

#define OUTER_DIM(d, i)                                                                                      \
    {                                                                                                        \
        const long at = rest % d;                                                                            \
        from += at * xs##i, to += at * ys##i, rest /= d;                                                     \
    }

/* One work-item: `per_item` rows of `inner` elements. The other dimensions d0..d6, slowest first. */
__kernel void strided(MEM(x), MEM(y), const long rows, const long per_item, const long inner,
                      const long inner_xs, const long inner_ys, const long x0, const long y0, const long d1,
                      const long d2, const long d3, const long d4, const long d5, const long d6,
                      const long xs0, const long xs1, const long xs2, const long xs3, const long xs4,
                      const long xs5, const long xs6, const long ys0, const long ys1, const long ys2,
                      const long ys3, const long ys4, const long ys5, const long ys6)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, rows);
    for (long row = first; row < last; row++) {
        long rest = row, from = x0, to = y0;
        OUTER_DIM(d6, 6)
        OUTER_DIM(d5, 5)
        OUTER_DIM(d4, 4)
        OUTER_DIM(d3, 3)
        OUTER_DIM(d2, 2)
        OUTER_DIM(d1, 1)
        from += rest * xs0, to += rest * ys0;
        __global const T *in = AT(T, x) + from;
        __global T *out = AT(T, y) + to;
        if (inner_xs == 1 && inner_ys == 1) {
            const long bytes = inner * (long)sizeof(T);
            for (long i = 0; i < bytes; i += 16)
                save16_uchar((__global uchar *)out + i,
                             load16_uchar((__global const uchar *)in + i, bytes - i), bytes - i);
        } else {
            for (long i = 0; i < inner; i++)
                out[i * inner_ys] = in[i * inner_xs];
        }
    }
}
