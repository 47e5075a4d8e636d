/* BatchNormalization(Conv(x)) in float, everything but x constant: a Conv with other weights and another
 * bias, w'[o] = w[o] * f[o],  b'[o] = (b[o] - mean[o]) * f[o] + shift[o],  f = scale / sqrt(variance +
 * epsilon). Only when nobody else reads the Conv's own output. Float results are not defined to the last bit,
 * and ONNX Runtime does the same. octet quantize folds more kinds, on graphs without shapes
 * (quantize/prepare_fold.c). */
#include "passes.h"
#include "rewrite.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

/* An f32 constant of `count` elements. */
static bool is_const(const oct_graph *g, int v, int64_t count)
{
    const oct_value *c = &g->values[v];
    return c->data && c->dtype == OCTET_F32 && c->data_bytes == (size_t)count * sizeof(float);
}

/* A file may put numbers anywhere. */
static float number(const oct_graph *g, int v, int64_t i)
{
    float f;
    memcpy(&f, (const char *)g->values[v].data + (size_t)i * sizeof f, sizeof f);
    return f;
}

static int bias_of(const oct_node *conv)
{
    return conv->input_count > 2 ? conv->inputs[2] : OCT_NO_VALUE;
}

static bool folds(const oct_graph *g, const oct_node *conv, const oct_node *norm)
{
    const oct_value *w = &g->values[conv->inputs[1]];
    int64_t elems, channels = w->dims[0];
    if (!oct_shape_elems(w->dims, w->rank, &elems) || !elems || !is_const(g, conv->inputs[1], elems) ||
        (bias_of(conv) != OCT_NO_VALUE && !is_const(g, bias_of(conv), channels)))
        return false;
    for (int i = 1; i < 5; i++) {
        if (!is_const(g, norm->inputs[i], channels))
            return false;
    }
    return true;
}

/* What each channel is multiplied with, and the new bias; false where a number is not finite. */
static bool factors_of(const oct_graph *g, const oct_node *conv, const oct_node *norm, int64_t channels,
                       double *factor, float *bias)
{
    const int *p = norm->inputs;
    for (int64_t c = 0; c < channels; c++) {
        double b = bias_of(conv) == OCT_NO_VALUE ? 0 : number(g, bias_of(conv), c);
        factor[c] = number(g, p[1], c) /
                    sqrt((double)number(g, p[4], c) + (double)oct_node_float(norm, "epsilon", 1e-5f));
        bias[c] = (float)((b - number(g, p[3], c)) * factor[c] + number(g, p[2], c));
        if (!isfinite(factor[c]) || !isfinite(bias[c]))
            return false;
    }
    return true;
}

static octet_status fold(oct_graph *g, int conv, int norm)
{
    const oct_value w = g->values[g->nodes[conv].inputs[1]];
    int64_t channels = w.dims[0], elems = (int64_t)(w.data_bytes / sizeof(float)), each = elems / channels;
    double *factor = oct_arena_alloc(&g->arena, (size_t)channels, sizeof *factor);
    float *bias = oct_arena_alloc(&g->arena, (size_t)channels, sizeof *bias);
    int *inputs = oct_arena_alloc(&g->arena, 3, sizeof *inputs);
    RETURN_IF(!factor || !bias || !inputs, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    if (!factors_of(g, &g->nodes[conv], &g->nodes[norm], channels, factor, bias))
        return OCTET_OK;
    float *weights = oct_arena_alloc(&g->arena, (size_t)elems, sizeof *weights);
    RETURN_IF(!weights, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int64_t i = 0; i < elems; i++)
        weights[i] = (float)(number(g, g->nodes[conv].inputs[1], i) * factor[i / each]);
    inputs[0] = g->nodes[conv].inputs[0];
    inputs[1] = oct_add_const_kept(g, OCTET_F32, w.rank, w.dims, weights);
    inputs[2] = oct_add_const_kept(g, OCTET_F32, 1, &channels, bias);
    if (inputs[1] < 0 || inputs[2] < 0)
        return OCTET_OUT_OF_MEMORY;
    oct_node *c = &g->nodes[conv], *n = &g->nodes[norm];
    c->inputs = inputs;
    c->input_count = 3;
    c->outputs[0] = n->outputs[0];
    g->values[n->outputs[0]].producer = conv;
    n->output_count = 0; /* replaced */
    return OCTET_OK;
}

octet_status oct_pass_batch_norm(oct_graph *g)
{
    oct_readers readers = {0};
    octet_status status = OCTET_OK;
    FORWARD(oct_readers_find(g, &readers));
    for (int i = 0; status == OCTET_OK && i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        if (n->op != OCT_OP_BatchNormalization)
            continue;
        int conv = oct_producer_of(g, n->inputs[0], OCT_OP_Conv);
        if (conv >= 0 && readers.count[n->inputs[0]] == 1 && folds(g, &g->nodes[conv], n))
            status = fold(g, conv, i);
    }
    oct_readers_free(&readers);
    oct_drop_replaced(g);
    return status;
}
