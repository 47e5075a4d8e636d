#include "comparison.h"
#include "correspond.h"
#include "dtype.h"
#include "prepare.h"
#include "taps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void forget_pairs(octet_comparison *c)
{
    for (int i = 0; i < 2; i++) {
        oct_taps_destroy(c->taps[i]);
        c->taps[i] = NULL;
        oct_graph_free(&c->graphs[i]);
    }
    free(c->names);
    free(c->sums);
    c->names = NULL;
    c->sums = NULL;
    oct_pairs_free(&c->pairs);
}

octet_status oct_comparison_open(oct_device *device, oct_onnx_model *const files[2],
                                 const char *const paths[2], uint64_t memory_limit,
                                 octet_comparison **comparison)
{
    octet_comparison *c = *comparison = calloc(1, sizeof *c);
    for (int i = 0; !c && i < 2; i++)
        oct_onnx_free(files[i]);
    if (!c)
        return oct_out_of_memory("a comparison");
    c->device = device;
    c->memory_limit = memory_limit;
    oct_device_retain(device);
    memcpy(c->files, files, sizeof c->files);
    for (int i = 0; i < 2; i++)
        c->paths[i] = oct_arena_strdup(&c->arena, paths[i]);
    if (c->paths[0] && c->paths[1])
        return OCTET_OK;
    oct_comparison_close(c);
    *comparison = NULL;
    return oct_out_of_memory("a comparison");
}

void oct_comparison_close(octet_comparison *c)
{
    forget_pairs(c);
    for (int i = 0; i < 2; i++)
        oct_onnx_free(c->files[i]);
    oct_arena_free(&c->arena);
    oct_device_release(c->device);
    free(c);
}

static octet_status find_pairs(octet_comparison *c, const octet_tensor *inputs)
{
    oct_graph shaped[2];
    memset(shaped, 0, sizeof shaped);
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < 2; i++) {
        status = oct_taken_copy(oct_onnx_graph(c->files[i]), inputs, &c->graphs[i]);
        if (status == OCTET_OK)
            status = oct_shaped_copy(&c->graphs[i], inputs, &shaped[i]);
    }
    if (status == OCTET_OK)
        status = oct_pairs_find(&c->graphs[0], &shaped[0], &c->graphs[1], &shaped[1], &c->pairs);
    oct_graph_free(&shaped[0]);
    oct_graph_free(&shaped[1]);
    FORWARD(status);
    RETURN_IF(!c->pairs.count, OCTET_INVALID_ARGUMENT,
              "no tensor of %s has a counterpart in %s: they are matched by name and shape", c->paths[0],
              c->paths[1]);
    return OCTET_OK;
}

static octet_status name_pairs(octet_comparison *c)
{
    c->names = calloc((size_t)c->pairs.count, sizeof *c->names);
    if (!c->names)
        return oct_out_of_memory("a comparison");
    for (int i = 0; i < c->pairs.count; i++) {
        const oct_shown *s = &c->pairs.a[i];
        if (!(c->names[i] = oct_arena_strndup(&c->arena, s->name, s->length)))
            return oct_out_of_memory("a comparison");
    }
    return OCTET_OK;
}

static octet_status make_taps(octet_comparison *c)
{
    int count = c->pairs.count;
    int *values = calloc((size_t)count, sizeof *values);
    c->sums = calloc((size_t)count, sizeof *c->sums);
    octet_status status = values && c->sums ? name_pairs(c) : oct_out_of_memory("a comparison");
    for (int side = 0; status == OCTET_OK && side < 2; side++) {
        for (int i = 0; i < count; i++)
            values[i] = (side ? c->pairs.b : c->pairs.a)[i].value;
        status = oct_taps_make(&c->graphs[side], c->device, c->memory_limit, values, count, &c->taps[side]);
    }
    free(values);
    return status;
}

static double element(const oct_shown *s, const octet_tensor *t, size_t i)
{
    int32_t q = 0;
    switch (t->dtype) {
    case OCTET_U8:
        q = ((const uint8_t *)t->data)[i];
        break;
    case OCTET_S8:
        q = ((const int8_t *)t->data)[i];
        break;
    case OCTET_U16:
        q = ((const uint16_t *)t->data)[i];
        break;
    case OCTET_S16:
        q = ((const int16_t *)t->data)[i];
        break;
    default:
        return ((const float *)t->data)[i];
    }
    return (double)s->scale * (q - s->zero);
}

static octet_status add_pair(void *user, int index, const octet_tensor *a, const octet_tensor *b)
{
    octet_comparison *c = user;
    oct_agreement *s = &c->sums[index];
    const oct_shown *x = &c->pairs.a[index], *y = &c->pairs.b[index];
    size_t count = octet_tensor_bytes(a) / octet_dtype_bytes(a->dtype);
    RETURN_IF(octet_tensor_bytes(b) / octet_dtype_bytes(b->dtype) != count, OCTET_INVALID_ARGUMENT,
              "tensor '%s': the networks give it different shapes", c->names[index]);
    for (size_t i = 0; i < count; i++) {
        double p = element(x, a, i), q = element(y, b, i), off = fabs(p - q);
        s->a2 += p * p;
        s->b2 += q * q;
        s->dot += p * q;
        s->noise += off * off;
        s->worst = fmax(s->worst, off);
    }
    s->elements += count;
    return OCTET_OK;
}

octet_status oct_comparison_add(octet_comparison *c, const octet_tensor *inputs)
{
    if (!c->sums) {
        octet_status status = find_pairs(c, inputs);
        if (status == OCTET_OK)
            status = make_taps(c);
        if (status != OCTET_OK) {
            forget_pairs(c);
            return status;
        }
    }
    for (int i = 0; i < 2; i++)
        FORWARD(oct_check_branches(oct_onnx_graph(c->files[i]), inputs, &c->graphs[i]));
    return oct_taps_run_both(c->taps[0], c->taps[1], inputs, add_pair, c);
}

void oct_comparison_tensor(const octet_comparison *c, size_t index, octet_compared_info *info)
{
    const oct_graph *g = &c->graphs[0];
    const oct_shown *a = &c->pairs.a[index];
    const oct_agreement *s = &c->sums[index];
    double length = sqrt(s->a2) * sqrt(s->b2);
    info->tensor = c->names[index];
    info->node = a->node < 0 ? "" : g->nodes[a->node].name;
    info->op_type = a->node < 0 ? "" : g->nodes[a->node].op_type;
    info->snr_db = s->noise > 0 ? 10 * log10(s->a2 / s->noise) : INFINITY;
    info->cosine = length > 0 ? s->dot / length : 1;
    info->max_error = s->worst;
    info->elements = s->elements;
}
