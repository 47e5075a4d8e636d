/* ONNX Gather: y[o][k] = x[o][index[k]], rows of `inner` elements. Options T: an unsigned type of the
 * element's size; I: the indices' type. Negative indices count from the end; one that is out of range takes
 * the nearest row, so that no read is wild. */
#include "common.clh"

#ifndef T
#define T uchar
#define I long
#endif

__kernel void gather(MEM(x), MEM(indices), MEM(y), const long rows, const long per_item, const long picks,
                     const long size, const long inner)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, rows);
    for (long r = first; r < last; r++) {
        long k = AT(I, indices)[r % picks];
        k += k < 0 ? size : 0;
        k = clamp(k, 0L, size - 1);
        __global const T *in = AT(T, x) + (r / picks * size + k) * inner;
        __global T *out = AT(T, y) + r * inner;
        for (long i = 0; i < inner; i++)
            out[i] = in[i];
    }
}
