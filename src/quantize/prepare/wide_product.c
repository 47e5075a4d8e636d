#include "wide_product.h"
#include "prepare.h"
#include "quant_weights.h"
#include "rewrite.h"

#include <float.h>
#include <math.h>

/* What is left counts from so many times the least number of a float on: it needs a scale yet. */
static const float least_steps = 65536;

static octet_status replace_weights(oct_graph *g, int node, const oct_value *like, const char *what,
                                    const float *data)
{
    FORWARD(oct_replace_floats(g, node, 1, like->rank, like->dims, data));
    return oct_rename_changed(g, g->nodes[node].inputs[1], what);
}

static octet_status rename_node(oct_graph *g, int node, const char *what)
{
    g->nodes[node].name = oct_name_after(g, g->nodes[node].name, what);
    return g->nodes[node].name ? OCTET_OK : oct_out_of_memory("quantization");
}

static int add_value_like(oct_graph *g, int v, const char *what)
{
    const oct_value like = g->values[v];
    int made = oct_add_like(g, like.name, like.dtype, like.rank, like.dims);
    return made < 0 || oct_rename_changed(g, made, what) != OCTET_OK ? -1 : made;
}

octet_status oct_widen_product(oct_graph *g, int node, const oct_weight_options *options,
                               oct_wide_product *made)
{
    int y = g->nodes[node].outputs[0];
    const oct_value value = g->values[g->nodes[node].inputs[1]];
    oct_quant_weights w;
    FORWARD(oct_quant_weights_open(g, &g->nodes[node], options, &g->arena, &w));
    oct_quant_weights_to_nearest(&w);
    float *coarse = oct_arena_alloc(&g->arena, (size_t)w.elems, sizeof *coarse);
    float *fine = oct_arena_alloc(&g->arena, (size_t)w.elems, sizeof *fine);
    if (!coarse || !fine)
        return oct_out_of_memory("quantization");
    for (int64_t i = 0; i < w.elems; i++) {
        coarse[i] = (float)w.made[i] * w.scales[i / w.inner % w.channels];
        float left = w.data[i] - coarse[i];
        fine[i] = fabsf(left) * fminf(options->x_scale, 1) > FLT_MIN * least_steps ? left : 0;
    }
    int parts[2] = {add_value_like(g, y, "coarse"), add_value_like(g, y, "fine")};
    int second = parts[0] < 0 || parts[1] < 0 ? -1 : oct_copy_node(g, node, parts[1]);
    int sum = second < 0 ? -1 : oct_add_node_like(g, node, OCT_OP_Add, parts, 2, y);
    if (sum < 0)
        return oct_out_of_memory("quantization");
    g->nodes[sum].attr_count = 0;
    g->nodes[node].outputs[0] = parts[0];
    if (g->nodes[second].input_count > 2)
        g->nodes[second].input_count = 2; /* one bias is enough */
    FORWARD(replace_weights(g, node, &value, "coarse", coarse));
    FORWARD(replace_weights(g, second, &value, "fine", fine));
    FORWARD(rename_node(g, second, "fine"));
    *made = (oct_wide_product){parts[0], parts[1]};
    return rename_node(g, sum, "sum");
}
