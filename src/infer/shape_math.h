/* Shape arithmetic: what an exporter writes so that a network takes any batch or size (Shape, Gather, Concat,
 * Reshape ...). Once the shapes of the inputs are known it is done here, on the host, while shapes are
 * inferred; such nodes are gone afterwards. Small tensors only, and only what descends from a shape or is
 * made of integers: all other arithmetic on constants is the device's (ops/recipe.h). */
#ifndef OCT_SHAPE_MATH_H
#define OCT_SHAPE_MATH_H

#include "infer.h"

/* Can node c->n be evaluated: its operands known, its kind one of the table's? */
bool oct_shape_math_can(const infer_ctx *c);
/* Evaluate it: its output has shape and data on return. rule: its shape rule, which runs first. Values that
 * cannot be had here (a division by zero, a result too large) leave *done false and the output as the rule
 * made it. */
octet_status oct_shape_math_do(infer_ctx *c, infer_fn *rule, bool *done);

#endif
