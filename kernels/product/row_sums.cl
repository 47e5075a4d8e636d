/* Row sums of A, for a B with zero points. Option: A_SIGNED. */
#include "product/product.clh"
#include "product/product_args.clh"

/* One work-item: one row of A; sums of a + a_shift. */
static inline void row_sums_body(const row_sums_args a, const long row, const long batch)
{
    __global const A_T *in = AT(A_T, a.a) + batch * a.a_stride + row * a.lda;
    int16 sums = 0;
    int i = 0;
    for (; i + 16 <= a.k; i += 16)
        sums += convert_int16(vload16(0, in + i));
    int lanes[16], sum = a.k * a.a_shift;
    vstore16(sums, 0, lanes);
    for (int j = 0; j < 16; j++)
        sum += lanes[j];
    for (; i < a.k; i++)
        sum += in[i];
    AT(int, a.rowsum)[batch * a.m + row] = sum;
}
KERNEL_2D(row_sums, row_sums, ROW_SUMS_ARGS)
