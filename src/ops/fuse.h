/* Operators that compute element by element in float, one behind the other, become one launch
 * (kernels/pointwise/fused.cl): what they hand on stays in registers. The numbers are those of the single
 * launches. Done on a finished recipe, so that it sees what was lowered from whatever node: the pieces of a
 * HardSwish, conversions at its border, a residual add. */
#ifndef OCT_FUSE_H
#define OCT_FUSE_H

#include "caps.h"
#include "quant_args.h"
#include "recipe.h"

/* y = call(in[0], in[1], f[0], f[1]), f32. call: an ONNX operator of kernels/pointwise/arith.clh or
 * unary/unary.clh; or "quantize", with y of 8 or 16 bits, or "dequantize", with in[0] of those, and one scale
 * in q. */
struct oct_elementwise {
    const char *call; /* kept by the caller */
    int count;        /* of `in` */
    oct_operand in[2], y;
    float f[2];
    oct_quant q;
};

/* Say that launch l (NULL: failed before) is this, and nothing else. Copied. */
void oct_elementwise_mark(oct_recipe *r, oct_launch *l, const oct_elementwise *e);

/* Fuse what can be. Launches that depend on constants alone stay: they are done once. */
octet_status oct_recipe_fuse(oct_recipe *r, const oct_caps *caps);

#endif
