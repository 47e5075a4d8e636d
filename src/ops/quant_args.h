/* Scale and zero point of an operand, as memories on the device: they may be constants or come from the graph
 * at run time, so every kernel that needs a product or quotient of them gets it from a small "prepare"
 * launch, which runs once when all of them are constants (see recipe.h). */
#ifndef OCT_QUANT_ARGS_H
#define OCT_QUANT_ARGS_H

#include "recipe.h"

typedef struct oct_quant {
    oct_mem scale;           /* f32 [scale_count]; OCT_MEM_NONE with count 0: 1.0f */
    oct_mem zero;            /* zero_dtype [zero_count]; OCT_MEM_NONE with count 0: 0 */
    int64_t scale_count;     /* 0, 1 or the number of channels */
    int64_t zero_count;      /* likewise */
    octet_dtype zero_dtype;  /* the operand's own type */
    const float *host_scale; /* the values when they are constants, else NULL */
    const void *host_zero;
} oct_quant;

/* The zero point is known to be 0 everywhere. */
bool oct_quant_zero_is_zero(const oct_quant *q);

#endif
