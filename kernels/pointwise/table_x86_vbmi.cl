/* y = table[x] on AVX-512 VBMI through PoCL, 64 bytes at a time. Arguments and split: table.clh. */
#include "pointwise/table.clh"
#include "x86.clh"

static inline void table_body(const table_args a, const long item, const long rows, const long input)
{
    const table_part p = table_part_of(a, input);
    const long first = item * a.chunk, last = min(first + a.chunk, p.run);
    const long top = rows * a.rows_of_item, bottom = min(top + a.rows_of_item, a.rows);
    int16 values[4];
    x86_load_table(values, p.values);
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, a.y) + row * a.y_row + p.start;
        long i = first;
        for (; i + 64 <= last; i += 64)
            ((__global x86_unaligned64 *)(out + i))->v =
                x86_look_up(values, ((__global const x86_unaligned64 *)(in + i))->v);
        for (; i < last; i++)
            out[i] = p.values[in[i]];
    }
}
__attribute__((reqd_work_group_size(1, 1, 1))) KERNEL_3D(table, table, TABLE_ARGS)
