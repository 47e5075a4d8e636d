/* Float arithmetic (and int32 where said) element by element, and BatchNormalization. */
#ifndef OCT_FLOATS_H
#define OCT_FLOATS_H

#include "caps.h"
#include "recipe.h"

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
/* A function of one element by its ONNX name (kernels/unary/unary.cl) with two attributes. */
octet_status oct_float_unary(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *x,
                             float a, float b, const oct_operand *y);
/* NaN stays NaN. */
octet_status oct_float_clip(oct_recipe *r, const oct_caps *caps, const oct_operand *x, float lo, float hi,
                            const oct_operand *y);
/* x and y [..., c]; parameters scale, B, mean, var, each f32 [c]. */
octet_status oct_batch_norm(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                            const oct_mem parameters[4], float epsilon, const oct_operand *y);

#endif
