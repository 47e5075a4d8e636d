/* y = table[x] on AVX-512 VBMI through PoCL, 64 bytes at a time: two permutes look bytes up in the halves of
 * the table, the top bit of each byte chooses. Only for devices with the x86_avx512_vbmi capability: the
 * assembly is not checked at build time. Arguments and split as in table.cl. */
#include "common.clh"

typedef struct __attribute__((packed)) unaligned64 {
    int16 v;
} unaligned64;

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void
table(MEM(x), MEM(values_of), MEM(y), const long run, const long y_row, const long y_start, const long chunk)
{
    const long row = get_global_id(1), first = get_global_id(0) * chunk, last = min(first + chunk, run);
    __global const uchar *in = AT(uchar, x) + row * run, *values = AT(uchar, values_of);
    __global uchar *out = AT(uchar, y) + row * y_row + y_start;
    __global const unaligned64 *quarters = (__global const unaligned64 *)values;
    const int16 t0 = quarters[0].v, t1 = quarters[1].v, t2 = quarters[2].v, t3 = quarters[3].v;
    long i = first;
    for (; i + 64 <= last; i += 64) {
        const int16 bytes = ((__global const unaligned64 *)(in + i))->v;
        int16 low = bytes, high = bytes;
        __asm__("vpermi2b %2, %1, %0" : "+v"(low) : "v"(t0), "v"(t1));
        __asm__("vpermi2b %2, %1, %0" : "+v"(high) : "v"(t2), "v"(t3));
        __asm__("vpmovb2m %1, %%k1\n\tvmovdqu8 %2, %0%{%%k1%}" : "+v"(low) : "v"(bytes), "v"(high) : "k1");
        ((__global unaligned64 *)(out + i))->v = low;
    }
    for (; i < last; i++)
        out[i] = values[in[i]];
}
