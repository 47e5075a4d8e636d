#include "passes.h"

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

octet_status oct_graph_rewrite(oct_graph *g)
{
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        octet_status status = passes[i].run(g);
        if (status == OCTET_OK)
            status = oct_graph_sort(g);
        if (status == OCTET_OK)
            status = oct_graph_verify(g);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "pass '%s'", passes[i].name);
    }
    return OCTET_OK;
}

octet_status oct_graph_lay_out(oct_graph *g)
{
    FORWARD(oct_pass_channels_last(g));
    return oct_graph_sort(g);
}
