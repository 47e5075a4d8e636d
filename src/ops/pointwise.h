/* Operators that look at one place at a time: float and int32 arithmetic; of 8 bits tables, QLinearAdd, -Mul
 * and -Sub, QLinearConcat. */
#ifndef OCT_POINTWISE_H
#define OCT_POINTWISE_H

#include "caps.h"
#include "quant_args.h"

typedef enum oct_float_op {
    OCT_FLOAT_ADD,
    OCT_FLOAT_SUB,
    OCT_FLOAT_MUL,
    OCT_FLOAT_DIV,
    OCT_FLOAT_MIN,
    OCT_FLOAT_MAX,
    OCT_FLOAT_POW,  /* f32 only */
    OCT_FLOAT_PRELU /* f32 only: a < 0 ? a * b : a */
} oct_float_op;

/* numpy broadcasting; f32 or s32, all three the same. Division is correctly rounded. */
octet_status oct_float_binary(oct_recipe *r, const oct_caps *caps, oct_float_op op, const oct_operand *a,
                              const oct_operand *b, const oct_operand *y);

/* Do lookups use instructions of x86 processors here, which a driver may not understand? Then they are a
 * variant of this name, in this file. */
#define OCT_TABLE_X86      "table__x86_vbmi"
#define OCT_TABLE_X86_FILE "pointwise/table_x86_vbmi.cl"
bool oct_table_is_x86(const oct_caps *caps);

/* y byte = table[x byte]; the table is copied. */
octet_status oct_table_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                          const uint8_t table[256]);

/* y byte = table[x byte], the table a memory: [256], or [256, channels] with the channel from dimension
 * `axis` of x. */
octet_status oct_lookup(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *table,
                        int axis, const oct_operand *y);

/* The table [256] from one scale and zero point to another of this type (u8, s8), as oct_lut_requantize: made
 * on the device, since they may come at run time. */
oct_mem oct_requantize_table(oct_recipe *r, octet_dtype dtype, const oct_quant *x_q, const oct_quant *y_q);

typedef enum oct_qbinary_kind { OCT_QBINARY_ADD, OCT_QBINARY_MUL, OCT_QBINARY_SUB } oct_qbinary_kind;

typedef struct oct_qbinary_request {
    oct_qbinary_kind kind;
    bool swapped; /* sums: which term is added first (docs/numerics.md), decided on the ONNX shapes */
    oct_operand a, b, c;
    oct_quant a_q, b_q, c_q;
    int32_t clamp_min, clamp_max; /* of c */
} oct_qbinary_request;

/* The parameters kernels/pointwise/qsum.clh wants, of a sum into `dtype`. */
oct_mem oct_qbinary_params(oct_recipe *r, octet_dtype dtype, oct_qbinary_kind kind, bool swapped,
                           const oct_quant *a_q, const oct_quant *b_q, const oct_quant *c_q);

octet_status oct_qbinary(oct_recipe *r, const oct_caps *caps, const oct_qbinary_request *q);

/* y along `axis` is the inputs one after the other, each requantized to y's parameters. */
octet_status oct_qconcat(oct_recipe *r, const oct_caps *caps, const oct_operand *inputs,
                         const oct_quant *input_q, int count, int axis, const oct_operand *y,
                         const oct_quant *y_q);

#endif
