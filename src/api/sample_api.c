#include "sample_api.h"

octet_status oct_api_check_sample(const oct_graph *g, const octet_tensor *inputs, size_t count)
{
    RETURN_IF(count != (size_t)g->input_count, OCTET_INVALID_ARGUMENT, "%zu inputs given; the model has %d",
              count, g->input_count);
    for (size_t i = 0; i < count; i++) {
        const oct_value *want = &g->values[g->inputs[i]];
        const octet_tensor *t = &inputs[i];
        RETURN_IF(t->dtype != want->dtype, OCTET_INVALID_ARGUMENT,
                  "input '%s': its dtype is %s; the model wants %s", want->name, octet_dtype_name(t->dtype),
                  octet_dtype_name(want->dtype));
        RETURN_IF(want->rank >= 0 && t->rank != want->rank, OCTET_INVALID_ARGUMENT,
                  "input '%s': it has %d dimensions; the model wants %d", want->name, t->rank, want->rank);
        for (int d = 0; d < t->rank; d++)
            RETURN_IF(t->dims[d] < 0 ||
                          (want->rank >= 0 && want->dims[d] >= 0 && t->dims[d] != want->dims[d]),
                      OCTET_INVALID_ARGUMENT, "input '%s': dimension %d is %lld; the model wants %lld",
                      want->name, d, (long long)t->dims[d], (long long)want->dims[d]);
        size_t bytes = octet_tensor_bytes(t);
        RETURN_IF(!bytes || t->data_bytes < bytes || !t->data, OCTET_INVALID_ARGUMENT,
                  "input '%s': its data has %zu bytes; the shape needs %zu", want->name, t->data_bytes,
                  bytes);
    }
    return OCTET_OK;
}
