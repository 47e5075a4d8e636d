/* A float function of each element. Option OP: an operator by its ONNX name. */
#include "lanes.clh"
#include "unary/unary.clh"
#include "unary/unary_args.clh"

#ifndef OP
#define OP Abs
#endif

static inline void unary_body(const unary_args a, const long item)
{
    OCT_STRETCH(item, a.chunk, a.n)
    for (long i = first; i < last; i += 16)
        save16_float(AT(float, a.y) + i,
                     OCT_PASTE(apply_, OP)(load16_float(AT(float, a.x) + i, last - i), a.p, a.q), last - i);
}
KERNEL_1D(unary, unary, UNARY_ARGS)
