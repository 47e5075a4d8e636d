/* y = table[x] on AVX-512 VBMI through PoCL, 64 bytes at a time. Arguments and split: table.clh. */
#include "pointwise/table.clh"
#include "pointwise/vbmi.clh"

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void table(TABLE_ARGS)
{
    const table_part p = TABLE_PART;
    const long first = get_global_id(0) * chunk, last = min(first + chunk, p.run);
    const long top = get_global_id(1) * rows_of_item, bottom = min(top + rows_of_item, rows);
    const vbmi_table values = vbmi_load(p.values);
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, y) + row * y_row + p.start;
        long i = first;
        for (; i + 64 <= last; i += 64)
            ((__global unaligned64 *)(out + i))->v =
                vbmi_look_up(values, ((__global const unaligned64 *)(in + i))->v);
        for (; i < last; i++)
            out[i] = p.values[in[i]];
    }
}
