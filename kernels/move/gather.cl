/* ONNX Gather: y[o][k] = x[o][index[k]], rows of `inner` elements. Options T: an unsigned type of the
 * element's size; I: the indices' type. Negative indices count from the end; one that is out of range
 * raises the flag, and takes the nearest row, so that no read is wild. */
#include "flag.clh"
#include "move/move_args.clh"

#ifndef T
#define T uchar
#define I long
#endif

static inline void gather_body(const gather_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.rows);
    for (long r = first; r < last; r++) {
        const long given = AT(I, a.indices)[r % a.picks];
        const long k = clamp(given < 0 ? given + a.size : given, 0L, a.size - 1);
        if (given < -a.size || given >= a.size)
            raise_flag(a.flag, a.check, r % a.picks, given);
        __global const T *in = AT(T, a.x) + (r / a.picks * a.size + k) * a.inner;
        __global T *out = AT(T, a.y) + r * a.inner;
        for (long i = 0; i < a.inner; i++)
            out[i] = in[i];
    }
}
KERNEL_1D(gather, gather, GATHER_ARGS)
