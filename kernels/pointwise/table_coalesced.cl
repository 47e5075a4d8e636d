/* y = table[x] for GPUs: a work-item looks up one vector, neighbouring work-items neighbouring vectors.
 * `table` keeps its 256 bytes in local memory (arguments: table.clh; chunk and rows_of_item are not used,
 * there may be more work-items than rows). `table_each` has a table a channel, values_of[byte][channel], and
 * channels that change every `inner` bytes. Options: LANES, COALESCED (lanes.clh). */
#include "lanes.clh"
#include "pointwise/table.clh"

#define BYTES LANES_OF(uchar)

__kernel void table(SIGNATURE(table, TABLE_ARGS))
{
    RESOLVE(table, TABLE_ARGS)
    __local uchar values[256];
    const table_part p = table_part_of(a, get_global_id(2));
    const int items = get_local_size(0) * get_local_size(1),
              item = get_local_id(1) * get_local_size(0) + get_local_id(0);
    for (int i = item; i < 256; i += items)
        values[i] = p.values[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    const long i = (long)get_global_id(0) * LANES, row = get_global_id(1);
    if (i >= p.run || row >= a.rows)
        return;
    uchar lanes[LANES];
    OCT_PASTE(vstore, LANES)(LOAD_LANES(uchar)(p.x + row * p.run + i, p.run - i), 0, lanes);
    OCT_UNROLL
    for (int j = 0; j < LANES; j++)
        lanes[j] = values[lanes[j]];
    SAVE_LANES(uchar)
    (AT(uchar, a.y) + row * a.y_row + p.start + i, OCT_PASTE(vload, LANES)(0, lanes), p.run - i);
}

static inline void table_each_body(const table_each_args a, const long item)
{
    const long i = item * LANES;
    if (i >= a.n)
        return;
    __global const uchar *values = AT(uchar, a.values_of);
    uchar lanes[LANES];
    OCT_PASTE(vstore, LANES)(LOAD_LANES(uchar)(AT(uchar, a.x) + i, a.n - i), 0, lanes);
    long channel = i / a.inner % a.channels, left = a.inner - i % a.inner;
    OCT_UNROLL
    for (int j = 0; j < LANES; j++) {
        lanes[j] = values[lanes[j] * a.channels + channel];
        if (--left == 0) {
            left = a.inner;
            channel = channel + 1 == a.channels ? 0 : channel + 1;
        }
    }
    SAVE_LANES(uchar)(AT(uchar, a.y) + i, OCT_PASTE(vload, LANES)(0, lanes), a.n - i);
}
KERNEL_1D(table_each, table_each, TABLE_EACH_ARGS)
