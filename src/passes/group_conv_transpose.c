/* ConvTranspose of 8-bit data: one convolution of all phases, whose channels go to their places. */
#include "dtype.h"
#include "groups.h"

#include <string.h>

/* The geometry of a ConvTranspose that becomes a convolution: equal strides, no dilation, one group. */
typedef struct upsampling {
    int64_t in, out, ci, co, kernel[2], stride, pad[2], taps[2], made[2], size[2];
} upsampling;

static bool read_upsampling(const oct_group *s, const oct_quantized *w, upsampling *u)
{
    const oct_node *n = oct_group_node(s);
    const oct_value *wv = &s->g->values[w->value], *x = &s->g->values[n->inputs[0]],
                    *y = &s->g->values[n->outputs[0]];
    const oct_attr *strides = oct_node_attr(n, "strides"), *pads = oct_node_attr(n, "pads"),
                   *dilations = oct_node_attr(n, "dilations");
    if (x->rank != 4 || !wv->data || oct_node_int(n, "group", 1) != 1)
        return false;
    for (size_t i = 0; dilations && i < dilations->count; i++) {
        if (dilations->ints[i] != 1)
            return false;
    }
    u->stride = strides ? strides->ints[0] : 1;
    if (strides && strides->ints[1] != u->stride)
        return false;
    u->ci = wv->dims[0];
    u->co = wv->dims[1];
    for (int d = 0; d < 2; d++) {
        u->kernel[d] = wv->dims[2 + d];
        u->pad[d] = pads ? pads->ints[d] : 0;
        u->taps[d] = (u->kernel[d] + u->stride - 1) / u->stride;
        u->made[d] =
            (y->dims[2 + d] - 1 + u->pad[d]) / u->stride + 1; /* rows of phases that the output needs */
        u->size[d] = y->dims[2 + d];
        if (u->made[d] < x->dims[2 + d]) /* the convolution would have to cut its input */
            u->made[d] = x->dims[2 + d];
    }
    const int64_t most = 1 << 28;
    return u->stride <= 16 && u->ci * u->co <= most / (u->stride * u->taps[0]) / (u->stride * u->taps[1]);
}

/* y[q s + r - pad] = sum over j of x[q - j] w[r + s j]: for each phase r a convolution with taps of every
 * s-th weight, last first. W'[(r, c, co)][ci][t, u]; where the kernel has no weight, the zero point. */
static int phase_weights(oct_graph *g, const oct_quantized *w, const upsampling *u)
{
    int64_t s = u->stride, dims[4] = {s * s * u->co, u->ci, u->taps[0], u->taps[1]}, at = 0;
    const uint8_t *from = g->values[w->value].data,
                  *zeros = w->zero == OCT_NO_VALUE ? NULL : g->values[w->zero].data;
    int64_t zero_count = zeros ? (int64_t)g->values[w->zero].data_bytes : 0;
    uint8_t *to = oct_arena_alloc(&g->arena, (size_t)(dims[0] * dims[1] * dims[2] * dims[3]), 1);
    if (!to) {
        (void)oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
        return -1;
    }
    for (int64_t m = 0; m < dims[0]; m++) {
        int64_t r = m / u->co / s, c = m / u->co % s, co = m % u->co;
        uint8_t zero = zero_count ? zeros[zero_count > 1 ? co : 0] : 0;
        for (int64_t ci = 0; ci < u->ci; ci++) {
            for (int64_t t = 0; t < dims[2] * dims[3]; t++) {
                int64_t ky = r + s * (u->taps[0] - 1 - t / dims[3]),
                        kx = c + s * (u->taps[1] - 1 - t % dims[3]);
                bool inside = ky < u->kernel[0] && kx < u->kernel[1];
                to[at++] = inside ? from[((ci * u->co + co) * u->kernel[0] + ky) * u->kernel[1] + kx] : zero;
            }
        }
    }
    return oct_add_const_kept(g, w->dtype, 4, dims, to);
}

/* A parameter of one per output channel, once for each phase; those of one for all, and none, stay. */
static int for_each_phase(oct_graph *g, int v, const upsampling *u)
{
    const oct_value *p = v == OCT_NO_VALUE ? NULL : &g->values[v];
    if (!p || p->rank == 0 || p->dims[0] != u->co || !p->data)
        return v;
    int64_t count = u->stride * u->stride * u->co;
    size_t bytes = p->data_bytes;
    char *copy = oct_arena_alloc(&g->arena, bytes, (size_t)(u->stride * u->stride));
    if (!copy) {
        (void)oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
        return -2;
    }
    for (int64_t i = 0; i < u->stride * u->stride; i++)
        memcpy(copy + (size_t)i * bytes, p->data, bytes);
    octet_dtype dtype = p->dtype;
    int made = oct_add_const_kept(g, dtype, 1, &count, copy);
    return made < 0 ? -2 : made;
}

/* The phases, in the channels, go to their places; what padding and unequal sizes cut off goes too. */
static octet_status interleave(oct_graph *g, int node, int deep, const upsampling *u, int y)
{
    int64_t n = g->values[y].dims[0], s = u->stride;
    int64_t dims[4] = {n, u->co, u->made[0] * s, u->made[1] * s}, two = 2;
    bool cut = u->pad[0] || u->pad[1] || dims[2] != u->size[0] || dims[3] != u->size[1];
    int wide = cut ? oct_add_like(g, g->values[y].name, g->values[y].dtype, 4, dims) : y;
    int block = wide < 0 ? -1 : oct_add_node_like(g, node, OCT_OP_DepthToSpace, &deep, 1, wide);
    if (block < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[block].attr_count = 0;
    FORWARD(oct_node_set_int(g, block, "blocksize", s));
    if (!cut)
        return OCTET_OK;
    const int64_t ends[2] = {u->pad[0] + u->size[0], u->pad[1] + u->size[1]}, axes[2] = {2, 3};
    int in[4] = {wide, oct_add_const(g, OCTET_S64, 1, &two, u->pad),
                 oct_add_const(g, OCTET_S64, 1, &two, ends), oct_add_const(g, OCTET_S64, 1, &two, axes)};
    if (in[1] < 0 || in[2] < 0 || in[3] < 0)
        return OCTET_OUT_OF_MEMORY;
    int slice = oct_add_node_like(g, node, OCT_OP_Slice, in, 4, y);
    if (slice < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[slice].attr_count = 0;
    g->nodes[slice].opset = 13;
    return OCTET_OK;
}

/* ConvTranspose of stride s is one convolution that makes all s x s phases of the output, and DepthToSpace.
 */
octet_status oct_group_conv_transpose(oct_group *s, bool *done)
{
    oct_graph *g = s->g;
    oct_quantized x, w;
    upsampling u;
    int in[9], bias;
    bool fits;
    if (s->quantize < 0 || !oct_dtype_is_int8(s->y.dtype) || !oct_group_tensor(s, 0, &x) ||
        !oct_group_weights(s, 1, 1, &w) || !read_upsampling(s, &w, &u))
        return OCTET_OK;
    FORWARD(oct_group_bias(s, 2, &x, &w, u.co, &bias, &fits));
    if (!fits || (bias != OCT_NO_VALUE && !g->values[bias].data))
        return OCTET_OK;
    FORWARD(oct_group_operand(s, &x, in));
    FORWARD(oct_group_operand(s, &w, in + 3));
    FORWARD(oct_group_result(s, in, 6));
    in[3] = phase_weights(g, &w, &u);
    in[4] = for_each_phase(g, in[4], &u);
    in[5] = for_each_phase(g, in[5], &u);
    in[8] = for_each_phase(g, bias, &u);
    if (in[3] < 0 || in[4] == -2 || in[5] == -2 || in[8] == -2)
        return OCTET_OUT_OF_MEMORY;
    int y = s->y.value;
    const oct_value *xv = &g->values[x.value];
    const int64_t dims[4] = {xv->dims[0], u.stride * u.stride * u.co, u.made[0], u.made[1]};
    const int64_t pads[4] = {u.taps[0] - 1, u.taps[1] - 1, u.made[0] - xv->dims[2], u.made[1] - xv->dims[3]};
    int deep = oct_add_like(g, g->values[y].name, s->y.dtype, 4, dims);
    if (deep < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(oct_group_replace(s, OCT_OP_QLinearConv, in, bias == OCT_NO_VALUE ? 8 : 9));
    int made = s->made;
    g->nodes[made].outputs[0] = deep;
    g->values[deep].producer = made;
    g->nodes[made].attr_count = 0;
    FORWARD(oct_node_set_ints(g, made, "pads", pads, 4));
    *done = true;
    return interleave(g, made, deep, &u, y);
}
