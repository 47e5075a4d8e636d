/* Float functions of one element. */
#ifndef OCT_UNARY_H
#define OCT_UNARY_H

#include "caps.h"
#include "recipe.h"

/* y = the operator of this ONNX name (kernels/unary/unary.clh), f32, with its attributes a and b; of Clip the
 * bounds: NaN stays NaN. */
octet_status oct_float_unary(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *x,
                             float a, float b, const oct_operand *y);

#endif
