/* ConvTranspose between DequantizeLinear and QuantizeLinear whose weights the file has in float: they are
 * quantized, as ONNX Runtime's optimizer does when it loads the model (docs/numerics.md). Quantizers that
 * write QOperator nodes leave them so, having no integer ConvTranspose to write. Conv and Gemm are left as
 * they are: their integer forms exist, so float weights are what the file's author wants. */
#include "dtype.h"
#include "op_facts.h"
#include "passes.h"
#include "quant.h"
#include "rewrite.h"
#include "sizes.h"

#include <math.h>

typedef struct range {
    float min, max;
} range;

/* Of the weights and 0; false if one is not finite. */
static bool range_of(const float *w, int64_t count, range *r)
{
    *r = (range){0.0f, 0.0f};
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(w[i]))
            return false;
        r->min = fminf(r->min, w[i]);
        r->max = fmaxf(r->max, w[i]);
    }
    return isfinite(r->max - r->min);
}

/* Does v, which one node reads, reach a QuantizeLinear through Relu and Clip alone? */
static bool is_quantized_later(const oct_graph *g, const oct_readers *readers, int v)
{
    while (readers->count[v] == 1 && !g->values[v].is_output) {
        const oct_node *n = &g->nodes[readers->node[v]];
        if (n->op == OCT_OP_QuantizeLinear)
            return true;
        if (oct_op_facts(n->op)->clamp != OCT_CLAMP_IS)
            return false;
        v = n->outputs[0];
    }
    return false;
}

static bool is_wanted(const oct_graph *g, const oct_readers *readers, const oct_node *n, int64_t *count)
{
    oct_quantized x;
    if (n->op != OCT_OP_ConvTranspose || !oct_dequantized_from(g, n->inputs[0], &x) || x.channels != 1)
        return false;
    const oct_value *w = &g->values[n->inputs[1]];
    int bias = n->input_count > 2 ? n->inputs[2] : OCT_NO_VALUE;
    return w->data && w->dtype == OCTET_F32 && oct_shape_elems(w->dims, w->rank, count) &&
           (bias == OCT_NO_VALUE || g->values[bias].data) && is_quantized_later(g, readers, n->outputs[0]);
}

/* Input 1 becomes DequantizeLinear of 8-bit weights: one scale, asymmetric, 0 is in the range. */
static octet_status quantize(oct_graph *g, int node, int64_t count)
{
    const oct_value w = g->values[g->nodes[node].inputs[1]]; /* a copy: new values move the old ones */
    const float *values = w.data;
    range r;
    if (!range_of(values, count, &r))
        return OCTET_OK;
    float scale = r.max == r.min ? 1.0f : (r.max - r.min) / 255.0f;
    int8_t zero = (int8_t)rintf(fmaxf(-128.0f, fminf(127.0f, -128.0f - r.min / scale)));
    int8_t *bytes = oct_arena_alloc(&g->arena, (size_t)count, 1);
    RETURN_IF(!bytes, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (int8_t)oct_quantize_f32(values[i], scale, zero, -128, 127);
    int in[3] = {oct_add_const_kept(g, OCTET_S8, w.rank, w.dims, bytes)};
    in[1] = oct_add_const(g, OCTET_F32, 0, NULL, &scale);
    in[2] = oct_add_const(g, OCTET_S8, 0, NULL, &zero);
    int y = oct_add_like(g, w.name, OCTET_F32, w.rank, w.dims);
    int dq = in[0] < 0 || in[1] < 0 || in[2] < 0 || y < 0
                 ? -1
                 : oct_add_node_like(g, node, OCT_OP_DequantizeLinear, in, 3, y);
    RETURN_IF(dq < 0, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    g->nodes[dq].attr_count = 0;
    g->nodes[node].inputs[1] = y;
    return OCTET_OK;
}

octet_status oct_pass_float_weights(oct_graph *g)
{
    oct_readers readers = {0};
    FORWARD(oct_readers_find(g, &readers));
    octet_status status = OCTET_OK;
    for (int i = 0, last = g->node_count; i < last && status == OCTET_OK; i++) {
        int64_t count = 0;
        if (is_wanted(g, &readers, &g->nodes[i], &count))
            status = quantize(g, i, count);
    }
    oct_readers_free(&readers);
    return status;
}
