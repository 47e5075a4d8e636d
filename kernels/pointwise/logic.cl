/* Comparisons and logic with broadcasting, and the choice between two tensors. Options: OP, an ONNX name; T,
 * the operands' type (bool: uchar). Results are bytes, 0 or 1. */
#include "broadcast.clh"

OCT_LANES_OF(long, 16, ulong16)

#define OP_Equal          0
#define OP_Less           1
#define OP_LessOrEqual    2
#define OP_Greater        3
#define OP_GreaterOrEqual 4
#define OP_And            5
#define OP_Or             6
#define OP_Xor            7

#ifndef T
#define T uchar
#endif
#ifndef OP
#define OP Equal
#endif
#define OP_IS OCT_PASTE(OP_, OP)
#define T16   OCT_PASTE(T, 16)

#if OP_IS == OP_Equal
#define HOLDS(a, b) ((a) == (b))
#elif OP_IS == OP_Less
#define HOLDS(a, b) ((a) < (b))
#elif OP_IS == OP_LessOrEqual
#define HOLDS(a, b) ((a) <= (b))
#elif OP_IS == OP_Greater
#define HOLDS(a, b) ((a) > (b))
#elif OP_IS == OP_GreaterOrEqual
#define HOLDS(a, b) ((a) >= (b))
#elif OP_IS == OP_And
#define HOLDS(a, b) (((a) != (T)0) & ((b) != (T)0))
#elif OP_IS == OP_Or
#define HOLDS(a, b) (((a) != (T)0) | ((b) != (T)0))
#else
#define HOLDS(a, b) (((a) != (T)0) ^ ((b) != (T)0))
#endif

__kernel void logic(MEM(a), MEM(b), MEM(c), BROADCAST_ARGS)
{
    BROADCAST_LOCATE
    for (long i = first; i < last; i += 16) {
        const T16 va = BROADCAST_LOAD(T, AT(T, a) + a_row, i, a_step, last - i);
        const T16 vb = BROADCAST_LOAD(T, AT(T, b) + b_row, i, b_step, last - i);
        save16_uchar(AT(uchar, c) + row * inner + i, convert_uchar16(HOLDS(va, vb)) & (uchar)1, last - i);
    }
}

__kernel void not_each(MEM(x), MEM(y), const long n, const long chunk)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i++)
        AT(uchar, y)[i] = AT(uchar, x)[i] == 0;
}

/* y = c ? a : b. A step of 0: one element for all. */
__kernel void where_each(MEM(c), MEM(a), MEM(b), MEM(y), const long n, const long chunk, const int c_step,
                         const int a_step, const int b_step)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i++)
        AT(T, y)[i] = AT(uchar, c)[i * c_step] ? AT(T, a)[i * a_step] : AT(T, b)[i * b_step];
}
