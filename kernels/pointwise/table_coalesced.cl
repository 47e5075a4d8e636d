/* y = table[x] for GPUs: a work-item looks up one vector, neighbouring work-items neighbouring vectors.
 * `table` keeps its 256 bytes in local memory (arguments: table.clh; chunk and rows_of_item are not used,
 * there may be more work-items than rows). `table_each` has a table a channel, values_of[byte][channel], and
 * channels that change every `inner` bytes. Options: LANES, COALESCED (lanes.clh). */
#include "lanes.clh"
#include "pointwise/table.clh"

#define BYTES LANES_OF(uchar)

__kernel void table(TABLE_ARGS)
{
    __local uchar values[256];
    const table_part p = TABLE_PART;
    const int items = get_local_size(0) * get_local_size(1),
              item = get_local_id(1) * get_local_size(0) + get_local_id(0);
    for (int i = item; i < 256; i += items)
        values[i] = p.values[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    const long i = (long)get_global_id(0) * LANES, row = get_global_id(1);
    if (i >= p.run || row >= rows)
        return;
    uchar lanes[LANES];
    OCT_PASTE(vstore, LANES)(LOAD_LANES(uchar)(p.x + row * p.run + i, p.run - i), 0, lanes);
    OCT_UNROLL
    for (int j = 0; j < LANES; j++)
        lanes[j] = values[lanes[j]];
    SAVE_LANES(uchar)(AT(uchar, y) + row * y_row + p.start + i, OCT_PASTE(vload, LANES)(0, lanes), p.run - i);
}

__kernel void table_each(MEM(x), MEM(values_of), MEM(y), const long n, const long inner, const long channels)
{
    const long i = (long)get_global_id(0) * LANES;
    if (i >= n)
        return;
    __global const uchar *values = AT(uchar, values_of);
    uchar lanes[LANES];
    OCT_PASTE(vstore, LANES)(LOAD_LANES(uchar)(AT(uchar, x) + i, n - i), 0, lanes);
    long channel = i / inner % channels, left = inner - i % inner;
    OCT_UNROLL
    for (int j = 0; j < LANES; j++) {
        lanes[j] = values[lanes[j] * channels + channel];
        if (--left == 0) {
            left = inner;
            channel = channel + 1 == channels ? 0 : channel + 1;
        }
    }
    SAVE_LANES(uchar)(AT(uchar, y) + i, OCT_PASTE(vload, LANES)(0, lanes), n - i);
}
