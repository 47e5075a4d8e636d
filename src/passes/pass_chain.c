/* What follows a QLinearConv element by element is done before its results are stored: a Table that nobody
 * else feeds on, then a QLinearAdd with a tensor of the same shape (the residual). The convolution takes
 * their operands as inputs behind its own (graph.h); all three are computed as before, to the bit. */
#include "dtype.h"
#include "passes.h"
#include "rewrite.h"

#include <string.h>

typedef struct chain_pass {
    oct_graph *g;
    oct_readers readers;
} chain_pass;

/* The node that alone reads value v, else NULL; also where another convolution has taken that node. */
static oct_node *only_reader(const chain_pass *p, int v)
{
    const oct_value *value = &p->g->values[v];
    bool alone = p->readers.count[v] == 1 && !value->is_output && oct_dtype_is_int8(value->dtype);
    oct_node *n = alone ? &p->g->nodes[p->readers.node[v]] : NULL;
    return n && n->output_count ? n : NULL;
}

static bool is_one_table(const oct_graph *g, const oct_node *n)
{
    const oct_value *table = &g->values[n->inputs[1]], *y = &g->values[n->outputs[0]];
    int64_t elems = 1;
    for (int i = 0; i < table->rank; i++)
        elems *= table->dims[i];
    return n->op == OCT_OP_Table && elems == 256 && y->dtype == g->values[n->inputs[0]].dtype;
}

static bool same_shape(const oct_value *a, const oct_value *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* A sum with another tensor of the same shape. */
static bool is_residual_sum(const oct_graph *g, const oct_node *n)
{
    return n->op == OCT_OP_QLinearAdd && n->inputs[0] != n->inputs[3] &&
           same_shape(&g->values[n->inputs[0]], &g->values[n->inputs[3]]) &&
           same_shape(&g->values[n->inputs[0]], &g->values[n->outputs[0]]);
}

/* The convolution's inputs with room for the chain's. */
static octet_status widen(oct_graph *g, oct_node *conv)
{
    int *inputs = oct_arena_alloc(&g->arena, OCT_CONV_INPUTS, sizeof *inputs);
    RETURN_IF(!inputs, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int i = 0; i < OCT_CONV_INPUTS; i++)
        inputs[i] = i < conv->input_count ? conv->inputs[i] : OCT_NO_VALUE;
    conv->inputs = inputs;
    conv->input_count = OCT_CONV_INPUTS;
    return OCTET_OK;
}

/* The convolution makes what n made. */
static void take_over(oct_graph *g, oct_node *conv, oct_node *n)
{
    conv->outputs[0] = n->outputs[0];
    g->values[n->outputs[0]].producer = (int)(conv - g->nodes);
    n->output_count = 0; /* replaced */
}

static void take_sum(oct_graph *g, oct_node *conv, oct_node *sum)
{
    static const int as_first[] = {1, 2, 3, 4, 5, 6, 7}, as_second[] = {4, 5, 0, 1, 2, 6, 7};
    bool second = sum->inputs[3] == conv->outputs[0];
    const int *from = second ? as_second : as_first;
    static const int to[] = {OCT_CONV_OWN_SCALE,      OCT_CONV_OWN_SCALE + 1,      OCT_CONV_RESIDUAL,
                             OCT_CONV_RESIDUAL_SCALE, OCT_CONV_RESIDUAL_SCALE + 1, OCT_CONV_SUM_SCALE,
                             OCT_CONV_SUM_SCALE + 1};
    for (int i = 0; i < 7; i++)
        conv->inputs[to[i]] = from[i] < sum->input_count ? sum->inputs[from[i]] : OCT_NO_VALUE;
    conv->swapped = sum->swapped != second;
    conv->sum_clamp = sum->clamp;
    take_over(g, conv, sum);
}

static octet_status extend(chain_pass *p, int node)
{
    oct_graph *g = p->g;
    oct_node *conv = &g->nodes[node], *next = only_reader(p, conv->outputs[0]);
    bool table = next && is_one_table(g, next), sum = next && is_residual_sum(g, next);
    /* One with 16-bit operands is several products (ops/product/wide.h): there is nothing that could take
     * them in. */
    if ((!table && !sum) || !oct_dtype_is_int8(g->values[conv->inputs[0]].dtype))
        return OCTET_OK;
    FORWARD(widen(g, conv));
    if (table) {
        conv->inputs[OCT_CONV_TABLE] = next->inputs[1];
        take_over(g, conv, next);
        next = only_reader(p, conv->outputs[0]);
        sum = next && is_residual_sum(g, next);
    }
    if (sum)
        take_sum(g, conv, next);
    return OCTET_OK;
}

octet_status oct_pass_chain(oct_graph *g)
{
    chain_pass p = {.g = g};
    FORWARD(oct_readers_find(g, &p.readers));
    octet_status status = OCTET_OK;
    for (int i = 0; i < g->node_count && status == OCTET_OK; i++) {
        if (g->nodes[i].op == OCT_OP_QLinearConv && g->nodes[i].output_count)
            status = extend(&p, i);
    }
    oct_readers_free(&p.readers);
    oct_drop_replaced(g);
    return status;
}
