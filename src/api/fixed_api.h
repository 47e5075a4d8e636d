/* Inputs that are fixed to a value, for models, quantizers and comparisons. */
#ifndef OCT_FIXED_API_H
#define OCT_FIXED_API_H

#include "api.h"
#include "onnx.h"

/* Fix those inputs of a network that has just been loaded. there: NULL, or by fixed input; then one that the
 * network has not is no error, and those that it has are marked. Errors: INVALID_ARGUMENT (no such input; not
 * its dtype or shape). */
octet_status oct_api_fix_inputs(oct_onnx_model *file, const octet_fixed_input *fixed, size_t count,
                                bool *there);

#endif
