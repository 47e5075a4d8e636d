/* Float arithmetic (and int32 where said) element by element, and minima and maxima over axes. */
#ifndef OCT_FLOATS_H
#define OCT_FLOATS_H

#include "device.h"
#include "recipe.h"

typedef enum oct_float_op {
    OCT_FLOAT_ADD,
    OCT_FLOAT_SUB,
    OCT_FLOAT_MUL,
    OCT_FLOAT_DIV,
    OCT_FLOAT_MIN,
    OCT_FLOAT_MAX
} oct_float_op;

/* numpy broadcasting; f32 or s32, all three the same. Division is correctly rounded. */
octet_status oct_float_binary(oct_recipe *r, const oct_caps *caps, oct_float_op op, const oct_operand *a,
                              const oct_operand *b, const oct_operand *y);
octet_status oct_float_round(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);
/* NaN stays NaN. */
octet_status oct_float_clip(oct_recipe *r, const oct_caps *caps, const oct_operand *x, float lo, float hi,
                            const oct_operand *y);
/* Over one run of neighbouring axes: [outer][axis][inner] -> [outer][inner]. axis > 0. */
octet_status oct_float_reduce(oct_recipe *r, const oct_caps *caps, bool maximum, oct_mem x, int64_t outer,
                              int64_t axis, int64_t inner, oct_mem y);

#endif
