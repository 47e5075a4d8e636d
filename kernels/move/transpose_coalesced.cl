/* y[b][c][r] = x[b][r][c] for GPUs: a work-group of SIDE x LINES moves a tile of SIDE x SIDE through local
 * memory, so that neighbouring work-items read and write neighbouring elements. The column that is not used
 * puts those of one column of up to 4 bytes into different banks. Options: T, an unsigned type of the
 * element's size; SIDE, LINES. */
#include "common.clh"

__attribute__((reqd_work_group_size(SIDE, LINES, 1))) __kernel void transpose(MEM(x), MEM(y), const long rows,
                                                                              const long columns)
{
    __local T tile[SIDE][SIDE + 1];
    const long c0 = (long)get_group_id(0) * SIDE, r0 = (long)get_group_id(1) * SIDE, b = get_global_id(2);
    const int lane = get_local_id(0), line = get_local_id(1);
    __global const T *in = AT(T, x) + b * rows * columns;
    __global T *out = AT(T, y) + b * rows * columns;
    for (int r = line; r < SIDE; r += LINES) {
        if (r0 + r < rows && c0 + lane < columns)
            tile[r][lane] = in[(r0 + r) * columns + c0 + lane];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int c = line; c < SIDE; c += LINES) {
        if (c0 + c < columns && r0 + lane < rows)
            out[(c0 + c) * rows + r0 + lane] = tile[lane][c];
    }
}
