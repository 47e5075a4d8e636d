/* Float (and int32) arithmetic element by element. Options: T float or int; OP an operator by its ONNX name.
 */
#include "broadcast.clh"
#include "float/arith.clh"

#ifndef T
#define T  float
#define OP Add
#endif
#define APPLY OCT_PASTE(OCT_PASTE(OCT_PASTE(apply_, T), _), OP)

__kernel void binary(MEM(a), MEM(b), MEM(c), BROADCAST_ARGS)
{
    BROADCAST_LOCATE
    for (long i = first; i < last; i += 16) {
        const OCT_PASTE(T, 16) va = BROADCAST_LOAD(T, AT(T, a) + a_row, i, a_step, last - i);
        const OCT_PASTE(T, 16) vb = BROADCAST_LOAD(T, AT(T, b) + b_row, i, b_step, last - i);
        OCT_PASTE(save16_, T)(AT(T, c) + row * inner + i, APPLY(va, vb), last - i);
    }
}

__kernel void clip(MEM(x), MEM(y), const long n, const long chunk, const float lo, const float hi)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16)
        save16_float(AT(float, y) + i, apply_Clip(load16_float(AT(float, x) + i, last - i), lo, hi),
                     last - i);
}
