/* y[b][c][r] = x[b][r][c] for GPUs: a work-group of SIDE x LINES moves a tile of SIDE x SIDE through local
 * memory, so that neighbouring work-items read and write neighbouring elements. The column that is not used
 * puts those of one column of up to 4 bytes into different banks. Options: T, an unsigned type of the
 * element's size; SIDE, LINES. */
#include "move/move_args.clh"

__attribute__((reqd_work_group_size(SIDE, LINES, 1))) __kernel void transpose(SIGNATURE(transpose,
                                                                                        TRANSPOSE_ARGS))
{
    RESOLVE(transpose, TRANSPOSE_ARGS)
    __local T tile[SIDE][SIDE + 1];
    const long c0 = (long)get_group_id(0) * SIDE, r0 = (long)get_group_id(1) * SIDE, b = get_global_id(2);
    const int lane = get_local_id(0), line = get_local_id(1);
    __global const T *in = AT(T, a.x) + b * a.rows * a.columns;
    __global T *out = AT(T, a.y) + b * a.rows * a.columns;
    for (int r = line; r < SIDE; r += LINES) {
        if (r0 + r < a.rows && c0 + lane < a.columns)
            tile[r][lane] = in[(r0 + r) * a.columns + c0 + lane];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int c = line; c < SIDE; c += LINES) {
        if (c0 + c < a.columns && r0 + lane < a.rows)
            out[(c0 + c) * a.rows + r0 + lane] = tile[lane][c];
    }
}
