/* Comparisons and logic with broadcasting, and the choice between two tensors. Options: OP, an ONNX name; T,
 * the operands' type (bool: uchar). Results are bytes, 0 or 1. */
#include "logic/logic_args.clh"
#include "pointwise/broadcast.clh"

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

static inline void logic_body(const binary_args a, const long item, const long row)
{
    BROADCAST_LOCATE
    for (long i = first; i < last; i += 16) {
        const T16 va = BROADCAST_LOAD(T, AT(T, a.a) + a_row, i, a_step, last - i);
        const T16 vb = BROADCAST_LOAD(T, AT(T, a.b) + b_row, i, b_step, last - i);
        save16_uchar(AT(uchar, a.c) + row * inner + i, convert_uchar16(HOLDS(va, vb)) & (uchar)1, last - i);
    }
}
KERNEL_2D(logic, binary, BINARY_ARGS)

static inline void not_each_body(const not_each_args a, const long item)
{
    OCT_STRETCH(item, a.chunk, a.n)
    for (long i = first; i < last; i++)
        AT(uchar, a.y)[i] = AT(uchar, a.x)[i] == 0;
}
KERNEL_1D(not_each, not_each, NOT_EACH_ARGS)

/* y = c ? a : b. A step of 0: one element for all. */
static inline void where_each_body(const where_each_args a, const long item)
{
    const choice_numbers k = a.choice;
    OCT_STRETCH(item, k.chunk, k.n)
    for (long i = first; i < last; i++)
        AT(T, a.y)[i] = AT(uchar, a.c)[i * k.c_step] ? AT(T, a.a)[i * k.a_step] : AT(T, a.b)[i * k.b_step];
}
KERNEL_1D(where_each, where_each, WHERE_EACH_ARGS)

/* QLinearWhere: the same, each operand through a table of its own. */
static inline void qwhere_body(const qwhere_args a, const long item)
{
    const choice_numbers k = a.choice;
    OCT_STRETCH(item, k.chunk, k.n)
    for (long i = first; i < last; i++) {
        const uchar x = AT(uchar, a.a_values)[AT(uchar, a.a)[i * k.a_step]],
                    y = AT(uchar, a.b_values)[AT(uchar, a.b)[i * k.b_step]];
        AT(uchar, a.y)[i] = AT(uchar, a.c)[i * k.c_step] ? x : y;
    }
}
KERNEL_1D(qwhere, qwhere, QWHERE_ARGS)
