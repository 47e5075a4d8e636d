/* QLinearSoftmax over `axis` of [outer][axis][inner]: exponentials from a table of 256 floats, their float32
 * sum in the order of the axis, one exactly rounded quotient a value (docs/numerics.md). Option T: uchar or
 * char. One work-item: one row. */
#include "common.clh"
#include "div.clh"

#ifndef T
#define T     uchar
#define T_MIN 0
#define T_MAX 255
#endif

__kernel void qsoftmax(MEM(x), MEM(exponentials), MEM(y_scale), MEM(y_zero), MEM(y), const long axis,
                       const long inner, const int y_zeros)
{
    const long base = (long)get_global_id(1) * axis * inner + get_global_id(0);
    __global const T *in = AT(T, x) + base;
    __global T *out = AT(T, y) + base;
    __global const float *table = AT(float, exponentials);
    const float c = floor(oct_div_rn(1.0f, AT(float, y_scale)[0]));
    const int zero = y_zeros ? (int)AT(T, y_zero)[0] : 0;
    int largest = T_MIN;
    for (long k = 0; k < axis; k++)
        largest = max(largest, (int)in[k * inner]);
    float sum = 0.0f;
    for (long k = 0; k < axis; k++)
        sum += table[255 - largest + in[k * inner]];
    for (long k = 0; k < axis; k++)
        out[k * inner] = (T)min(oct_muldiv_rte(table[255 - largest + in[k * inner]], c, sum) + zero, T_MAX);
}
