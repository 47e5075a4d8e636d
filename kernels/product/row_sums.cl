/* Row sums of A, for a B with zero points. Option: A_SIGNED. */
#include "product/product.clh"

/* One work-item: one row of A; sums of a + a_shift. */
__kernel void row_sums(MEM(a), MEM(rowsum), const int m, const int k, const long lda, const long a_stride,
                       const int a_shift)
{
    const int row = get_global_id(0);
    const long batch = get_global_id(1);
    __global const A_T *in = AT(A_T, a) + batch * a_stride + row * lda;
    int16 sums = 0;
    int i = 0;
    for (; i + 16 <= k; i += 16)
        sums += convert_int16(vload16(0, in + i));
    int lanes[16], sum = k * a_shift;
    vstore16(sums, 0, lanes);
    for (int j = 0; j < 16; j++)
        sum += lanes[j];
    for (; i < k; i++)
        sum += in[i];
    AT(int, rowsum)[batch * m + row] = sum;
}
