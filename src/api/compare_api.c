/* octet_comparison: arguments are checked here; the work is in src/quantize. */
#include "api.h"
#include "comparison.h"
#include "fixed_api.h"
#include "sample_api.h"

#include <stdlib.h>

static octet_status fix_inputs(oct_onnx_model *const files[2], const octet_comparison_desc *d)
{
    bool *there = calloc(d->fixed_count + 1, sizeof *there);
    if (!there)
        return oct_out_of_memory("a comparison");
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < 2; i++)
        status = oct_api_fix_inputs(files[i], d->fixed, d->fixed_count, there);
    for (size_t k = 0; status == OCTET_OK && k < d->fixed_count; k++) {
        if (!there[k])
            status = oct_fail(OCTET_INVALID_ARGUMENT, "neither network has an input '%s' to fix",
                              d->fixed[k].name);
    }
    free(there);
    return status;
}

octet_status octet_comparison_create(octet_context *context, const char *a, const char *b,
                                     const octet_comparison_desc *desc, octet_comparison **comparison)
{
    CHECK_ARG(comparison);
    *comparison = NULL;
    CHECK_ARG(context);
    CHECK_ARG(a);
    CHECK_ARG(b);
    octet_comparison_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_comparison_desc));
    oct_onnx_model *files[2] = {NULL, NULL};
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < 2; i++) {
        const char *path = i ? b : a;
        status = oct_onnx_load(path, false, &files[i]);
        status = status == OCTET_OK ? OCTET_OK : oct_fail_prefix(status, "%s", path);
    }
    if (status == OCTET_OK)
        status = fix_inputs(files, &d);
    if (status == OCTET_OK)
        return oct_comparison_open(context->device, files, (const char *const[2]){a, b}, d.memory_limit,
                                   comparison);
    oct_onnx_free(files[0]);
    oct_onnx_free(files[1]);
    return status;
}

void octet_comparison_destroy(octet_comparison *c)
{
    if (c)
        oct_comparison_close(c);
}

octet_status octet_comparison_add(octet_comparison *c, const octet_tensor *inputs, size_t input_count)
{
    CHECK_ARG(c);
    RETURN_IF(!inputs && input_count, OCTET_INVALID_ARGUMENT, "octet_comparison_add: inputs is NULL");
    for (int i = 0; i < 2; i++) {
        octet_status status = oct_api_check_sample(oct_onnx_graph(c->files[i]), inputs, input_count);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s", c->paths[i]);
    }
    return oct_comparison_add(c, inputs);
}

size_t octet_comparison_tensor_count(const octet_comparison *c)
{
    return c ? (size_t)c->pairs.count : 0;
}

octet_status octet_comparison_tensor(const octet_comparison *c, size_t index, octet_compared_info *info)
{
    CHECK_ARG(c);
    RETURN_IF(index >= (size_t)c->pairs.count, OCTET_INVALID_ARGUMENT,
              "octet_comparison_tensor: index %zu of %zu", index, (size_t)c->pairs.count);
    octet_compared_info mine;
    OCTET_INIT(mine);
    oct_comparison_tensor(c, index, &mine);
    return GIVE_INFO(info, mine, octet_compared_info);
}
