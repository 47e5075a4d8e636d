/* A box of elements from here to there: y[y0 + sum i_d ys_d] = x[x0 + sum i_d xs_d]. Slices, parts of a
 * concatenation, permutations and repetitions (a step of 0) are all this. Option T: an unsigned type of the
 * element's size. */
#include "lanes.clh"
#include "move/move_args.clh"

#ifndef T
#define T uchar
#endif

#define OUTER_DIM(i)                                                                                         \
    {                                                                                                        \
        const long at = rest % a.dims[i];                                                                    \
        from += at * a.xs[i], to += at * a.ys[i], rest /= a.dims[i];                                         \
    }

/* One work-item: `per_item` rows of `inner` elements. */
static inline void strided_body(const strided_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.rows);
    for (long row = first; row < last; row++) {
        long rest = row, from = a.x0, to = a.y0;
        OUTER_DIM(6)
        OUTER_DIM(5)
        OUTER_DIM(4)
        OUTER_DIM(3)
        OUTER_DIM(2)
        OUTER_DIM(1)
        from += rest * a.xs[0], to += rest * a.ys[0];
        __global const T *in = AT(T, a.x) + from;
        __global T *out = AT(T, a.y) + to;
        if (a.inner_xs == 1 && a.inner_ys == 1) {
            const long bytes = a.inner * (long)sizeof(T);
            for (long i = 0; i < bytes; i += 16)
                save16_uchar((__global uchar *)out + i,
                             load16_uchar((__global const uchar *)in + i, bytes - i), bytes - i);
        } else {
            for (long i = 0; i < a.inner; i++)
                out[i * a.inner_ys] = in[i * a.inner_xs];
        }
    }
}
KERNEL_1D(strided, strided, STRIDED_ARGS)
