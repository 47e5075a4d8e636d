#include "dtype.h"
#include "graph.h"
#include "sizes.h"

#include <string.h>

static octet_status check_value(const oct_value *want, const octet_tensor *t)
{
    size_t bytes = octet_tensor_bytes(t);
    bool fits = t->rank >= 0 && t->rank <= OCTET_MAX_RANK && (want->rank < 0 || want->rank == t->rank);
    RETURN_IF(t->dtype != want->dtype, OCTET_INVALID_ARGUMENT,
              "its dtype is %s; the value to fix it to is %s", oct_dtype_name(want->dtype),
              oct_dtype_name(t->dtype));
    for (int d = 0; fits && d < t->rank; d++)
        fits = t->dims[d] >= 0 && (want->rank < 0 || want->dims[d] < 0 || want->dims[d] == t->dims[d]);
    RETURN_IF(!fits, OCTET_INVALID_ARGUMENT, "the value to fix it to has another shape");
    RETURN_IF(!bytes || !t->data || t->data_bytes < bytes, OCTET_INVALID_ARGUMENT,
              "the value to fix it to has %zu bytes; its shape needs %zu", t->data ? t->data_bytes : 0,
              bytes);
    return OCTET_OK;
}

octet_status oct_graph_fix_input(oct_graph *g, const char *name, const octet_tensor *t)
{
    int at = 0;
    while (at < g->input_count && strcmp(g->values[g->inputs[at]].name, name) != 0)
        at++;
    RETURN_IF(at == g->input_count, OCTET_INVALID_ARGUMENT,
              "there is no input '%s' to fix; the first of %d is '%s'", name, g->input_count,
              g->input_count ? g->values[g->inputs[0]].name : "");
    oct_value *v = &g->values[g->inputs[at]];
    octet_status status = check_value(v, t);
    if (status != OCTET_OK)
        return oct_fail_prefix(status, "input '%s'", name);
    size_t bytes = octet_tensor_bytes(t);
    void *data = oct_arena_alloc(&g->arena, bytes, 1);
    RETURN_IF(!data, OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
    memcpy(data, t->data, bytes);
    v->rank = t->rank;
    memcpy(v->dims, t->dims, sizeof v->dims);
    v->data = data;
    v->data_bytes = bytes;
    v->made = v->fixed = true; /* made: what follows from it is computed as shapes are */
    v->is_input = false;
    g->input_count--;
    memmove(&g->inputs[at], &g->inputs[at + 1], (size_t)(g->input_count - at) * sizeof *g->inputs);
    return OCTET_OK;
}
