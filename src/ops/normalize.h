/* LayerNormalization, InstanceNormalization, GroupNormalization, LRN, BatchNormalization: float. */
#ifndef OCT_NORMALIZE_H
#define OCT_NORMALIZE_H

#include "caps.h"
#include "recipe.h"

typedef struct oct_normalize_request {
    int64_t rows, length; /* each row has a mean and a variance of its own */
    /* Scale and bias: run 0, [length], by element of the row; else one for each `run` elements of x,
     * [scales], repeating. run divides length. */
    int64_t run, scales;
    float epsilon;
    oct_mem x, scale, bias, y; /* bias: or OCT_MEM_NONE */
    oct_mem mean, inverse;     /* [rows] each: mean and 1 / sqrt(variance + epsilon), or OCT_MEM_NONE */
} oct_normalize_request;
octet_status oct_normalize(oct_recipe *r, const oct_normalize_request *q);

/* x, y [..., c]; ONNX's attributes. */
octet_status oct_lrn(oct_recipe *r, const oct_caps *caps, const oct_operand *x, int64_t size, float alpha,
                     float beta, float bias, const oct_operand *y);

/* x and y [..., c]; parameters scale, B, mean, var, each f32 [c]. */
octet_status oct_batch_norm(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                            const oct_mem parameters[4], float epsilon, const oct_operand *y);

#endif
