/* Float (and int32) arithmetic element by element. Options: T float or int; OP an operator by its ONNX name.
 */
#include "pointwise/arith.clh"
#include "pointwise/broadcast.clh"

#ifndef T
#define T  float
#define OP Add
#endif
#define APPLY OCT_PASTE(OCT_PASTE(OCT_PASTE(apply_, T), _), OP)

static inline void binary_body(const binary_args a, const long item, const long row)
{
    BROADCAST_LOCATE
    for (long i = first; i < last; i += 16) {
        const OCT_PASTE(T, 16) va = BROADCAST_LOAD(T, AT(T, a.a) + a_row, i, a_step, last - i);
        const OCT_PASTE(T, 16) vb = BROADCAST_LOAD(T, AT(T, a.b) + b_row, i, b_step, last - i);
        OCT_PASTE(save16_, T)(AT(T, a.c) + row * inner + i, APPLY(va, vb), last - i);
    }
}
KERNEL_2D(binary, binary, BINARY_ARGS)
