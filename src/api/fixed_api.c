#include "fixed_api.h"

#include <string.h>

static bool has_input(const oct_graph *g, const char *name)
{
    for (int i = 0; i < g->input_count; i++) {
        if (strcmp(g->values[g->inputs[i]].name, name) == 0)
            return true;
    }
    return false;
}

octet_status oct_api_fix_inputs(oct_onnx_model *file, const octet_fixed_input *fixed, size_t count,
                                bool *there)
{
    RETURN_IF(!fixed && count, OCTET_INVALID_ARGUMENT, "the list of fixed inputs is NULL");
    for (size_t i = 0; i < count; i++) {
        RETURN_IF(!fixed[i].name, OCTET_INVALID_ARGUMENT, "fixed input %zu has no name", i);
        if (there && !has_input(oct_onnx_graph(file), fixed[i].name))
            continue;
        FORWARD(oct_onnx_fix_input(file, fixed[i].name, &fixed[i].value));
        if (there)
            there[i] = true;
    }
    return OCTET_OK;
}
