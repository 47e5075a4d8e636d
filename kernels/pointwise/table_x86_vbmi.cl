/* y = table[x] on AVX-512 VBMI through PoCL, 64 bytes at a time. Arguments and split: table.clh. */
#include "pointwise/table.clh"
#include "x86.clh"

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void table(TABLE_ARGS)
{
    const table_part p = TABLE_PART;
    const long first = get_global_id(0) * chunk, last = min(first + chunk, p.run);
    const long top = get_global_id(1) * rows_of_item, bottom = min(top + rows_of_item, rows);
    int16 values[4];
    x86_load_table(values, p.values);
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, y) + row * y_row + p.start;
        long i = first;
        for (; i + 64 <= last; i += 64)
            ((__global x86_unaligned64 *)(out + i))->v =
                x86_look_up(values, ((__global const x86_unaligned64 *)(in + i))->v);
        for (; i < last; i++)
            out[i] = p.values[in[i]];
    }
}
