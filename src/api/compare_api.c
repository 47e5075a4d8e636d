/* octet_comparison: two networks on the same samples, tensor by tensor. */
#include "api.h"
#include "correspond.h"
#include "dtype.h"
#include "fixed_api.h"
#include "onnx.h"
#include "prepare.h"
#include "sample_api.h"
#include "taps.h"

#include <math.h>
#include <octet/compare.h>
#include <stdlib.h>
#include <string.h>

typedef struct agreement {
    double a2, b2, dot, noise, worst;
    uint64_t elements;
} agreement;

struct octet_comparison {
    oct_device *device;
    char *paths[2];
    oct_onnx_model *files[2];
    oct_graph graphs[2]; /* theirs, with the branches that the first sample takes */
    oct_pairs pairs;     /* none until then */
    char **names;        /* by pair */
    agreement *sums;     /* by pair */
    oct_taps *taps[2];
};

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a comparison");
}

static octet_status open_files(octet_comparison *c, const char *a, const char *b,
                               const octet_comparison_desc *d)
{
    bool *there = calloc(d->fixed_count + 1, sizeof *there);
    octet_status status = there ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < 2; i++) {
        const char *path = i ? b : a;
        c->paths[i] = malloc(strlen(path) + 1);
        status = c->paths[i] ? oct_onnx_load(path, false, &c->files[i]) : no_memory();
        if (status == OCTET_OK)
            status = oct_api_fix_inputs(c->files[i], d->fixed, d->fixed_count, there);
        if (status == OCTET_OK)
            strcpy(c->paths[i], path);
    }
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
    octet_comparison *c = calloc(1, sizeof *c);
    if (!c)
        return no_memory();
    c->device = context->device;
    oct_device_retain(c->device);
    octet_status status = open_files(c, a, b, &d);
    if (status != OCTET_OK) {
        octet_comparison_destroy(c);
        return status;
    }
    *comparison = c;
    return OCTET_OK;
}

static void forget_pairs(octet_comparison *c)
{
    for (int i = 0; i < 2; i++) {
        oct_taps_destroy(c->taps[i]);
        c->taps[i] = NULL;
        oct_graph_free(&c->graphs[i]);
    }
    for (int i = 0; c->names && i < c->pairs.count; i++)
        free(c->names[i]);
    free(c->names);
    free(c->sums);
    c->names = NULL;
    c->sums = NULL;
    oct_pairs_free(&c->pairs);
}

void octet_comparison_destroy(octet_comparison *c)
{
    if (!c)
        return;
    forget_pairs(c);
    for (int i = 0; i < 2; i++) {
        oct_onnx_free(c->files[i]);
        free(c->paths[i]);
    }
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
    for (int i = 0; c->names && i < c->pairs.count; i++) {
        const oct_shown *s = &c->pairs.a[i];
        if (!(c->names[i] = calloc(s->length + 1, 1)))
            return no_memory();
        memcpy(c->names[i], s->name, s->length);
    }
    return c->names ? OCTET_OK : no_memory();
}

static octet_status make_taps(octet_comparison *c)
{
    int count = c->pairs.count;
    int *values = calloc((size_t)count, sizeof *values);
    c->sums = calloc((size_t)count, sizeof *c->sums);
    octet_status status = values && c->sums ? name_pairs(c) : no_memory();
    for (int side = 0; status == OCTET_OK && side < 2; side++) {
        for (int i = 0; i < count; i++)
            values[i] = (side ? c->pairs.b : c->pairs.a)[i].value;
        status = oct_taps_make(&c->graphs[side], c->device, values, count, &c->taps[side]);
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
    agreement *s = &c->sums[index];
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

octet_status octet_comparison_add(octet_comparison *c, const octet_tensor *inputs, size_t input_count)
{
    CHECK_ARG(c);
    RETURN_IF(!inputs && input_count, OCTET_INVALID_ARGUMENT, "octet_comparison_add: inputs is NULL");
    for (int i = 0; i < 2; i++) {
        octet_status status = oct_api_check_sample(oct_onnx_graph(c->files[i]), inputs, input_count);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s", c->paths[i]);
    }
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

size_t octet_comparison_tensor_count(const octet_comparison *c)
{
    return c ? (size_t)c->pairs.count : 0;
}

octet_status octet_comparison_tensor(const octet_comparison *c, size_t index, octet_compared_info *info)
{
    CHECK_ARG(c);
    RETURN_IF(index >= (size_t)c->pairs.count, OCTET_INVALID_ARGUMENT,
              "octet_comparison_tensor: index %zu of %d", index, c->pairs.count);
    const oct_graph *g = &c->graphs[0];
    const oct_shown *a = &c->pairs.a[index];
    const agreement *s = &c->sums[index];
    double length = sqrt(s->a2) * sqrt(s->b2);
    octet_compared_info mine;
    OCTET_INIT(mine);
    mine.tensor = c->names[index];
    mine.node = a->node < 0 ? "" : g->nodes[a->node].name;
    mine.op_type = a->node < 0 ? "" : g->nodes[a->node].op_type;
    mine.snr_db = s->noise > 0 ? 10 * log10(s->a2 / s->noise) : INFINITY;
    mine.cosine = length > 0 ? s->dot / length : 1;
    mine.max_error = s->worst;
    mine.elements = s->elements;
    return GIVE_INFO(info, mine, octet_compared_info);
}
