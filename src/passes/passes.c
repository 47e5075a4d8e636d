#include "passes.h"
#include "hash.h"

static const struct {
    const char *name;
    octet_status (*run)(oct_graph *g);
} passes[] = {
    {"sink dequantize", oct_pass_sink_dequantize},
    {"float weights", oct_pass_float_weights},
    {"integer groups", oct_pass_integer_groups},
    {"cancel pairs", oct_pass_cancel_pairs},
    {"batch norm", oct_pass_batch_norm},
    {"pad", oct_pass_pad},
    {"operand order", oct_pass_operand_order},
    {"fuse clamp", oct_pass_fuse_clamp},
    {"tables", oct_pass_tables},
    {"chain", oct_pass_chain},
};

enum { PASSES = sizeof passes / sizeof passes[0] };

const char *oct_pass_name(size_t pass)
{
    return pass < PASSES ? passes[pass].name : NULL;
}

/* Of what a pass may change in a node. */
static uint64_t fingerprint(const oct_graph *g)
{
    uint64_t hash = OCT_HASH_START;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        const int32_t facts[] = {(int32_t)n->op, n->swapped,      n->clamp.set,
                                 n->clamp.min,   n->clamp.max,    n->sum_clamp.set,
                                 n->input_count, n->output_count, (int32_t)n->attr_count};
        hash = oct_hash(hash, facts, sizeof facts);
        hash = oct_hash(hash, &n->attrs, sizeof n->attrs);
        hash = oct_hash(hash, n->inputs, (size_t)n->input_count * sizeof *n->inputs);
        hash = oct_hash(hash, n->outputs, (size_t)n->output_count * sizeof *n->outputs);
    }
    return hash;
}

octet_status oct_graph_rewrite(oct_graph *g)
{
    uint64_t before = fingerprint(g);
    g->rewritten = 0;
    for (size_t i = 0; i < PASSES; i++) {
        octet_status status = passes[i].run(g);
        if (status == OCTET_OK)
            status = oct_graph_sort(g);
        if (status == OCTET_OK)
            status = oct_graph_verify(g);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "pass '%s'", passes[i].name);
        uint64_t after = fingerprint(g);
        g->rewritten |= (unsigned)(after != before) << i;
        before = after;
    }
    return OCTET_OK;
}

octet_status oct_graph_lay_out(oct_graph *g)
{
    FORWARD(oct_pass_channels_last(g));
    return oct_graph_sort(g);
}
