/* A float function of each element. Option OP: an operator by its ONNX name. */
#include "float/unary.clh"

#ifndef OP
#define OP Abs
#endif

__kernel void unary(MEM(x), MEM(y), const long n, const long chunk, const float a, const float b)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16)
        save16_float(AT(float, y) + i, OCT_PASTE(apply_, OP)(load16_float(AT(float, x) + i, last - i), a, b),
                     last - i);
}
