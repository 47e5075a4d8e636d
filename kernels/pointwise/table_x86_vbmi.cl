/* y = table[x] on AVX-512 VBMI through PoCL, 64 bytes at a time: two permutes look bytes up in the halves of
 * the table, the top bit of each byte chooses. Only for devices with the x86_avx512_vbmi capability: the
 * assembly is not checked at build time. Arguments and split: table.clh. */
#include "pointwise/table.clh"

typedef struct __attribute__((packed)) unaligned64 {
    int16 v;
} unaligned64;

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void table(TABLE_ARGS)
{
    const table_part p = TABLE_PART;
    const long first = get_global_id(0) * chunk, last = min(first + chunk, p.run);
    const long top = get_global_id(1) * rows_of_item, bottom = min(top + rows_of_item, rows);
    __global const unaligned64 *quarters = (__global const unaligned64 *)p.values;
    const int16 v0 = quarters[0].v, v1 = quarters[1].v, v2 = quarters[2].v, v3 = quarters[3].v;
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, y) + row * y_row + p.start;
        long i = first;
        for (; i + 64 <= last; i += 64) {
            const int16 bytes = ((__global const unaligned64 *)(in + i))->v;
            int16 low = bytes, high = bytes;
            __asm__("vpermi2b %2, %1, %0" : "+v"(low) : "v"(v0), "v"(v1));
            __asm__("vpermi2b %2, %1, %0" : "+v"(high) : "v"(v2), "v"(v3));
            __asm__("vpmovb2m %1, %%k1\n\tvmovdqu8 %2, %0%{%%k1%}"
                    : "+v"(low)
                    : "v"(bytes), "v"(high)
                    : "k1");
            ((__global unaligned64 *)(out + i))->v = low;
        }
        for (; i < last; i++)
            out[i] = p.values[in[i]];
    }
}
