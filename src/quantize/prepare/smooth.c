#include "smooth.h"
#include "prepare.h"
#include "rewrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The nodes that are scaled together. */
typedef struct site {
    oct_graph *g; /* only read where a site is looked for */
    const oct_graph *shaped;
    const oct_readers *readers;
    int value;
    int64_t channels;
    int norm, factor_at, term_at; /* node with the factors: a LayerNormalization or a Mul; input of them */
    int term;                     /* node with the terms, -1: none */
    int *products, count;
    int *moved, moved_count; /* results of Reshapes on the way */
    double *numbers;         /* [channels], scratch */
} site;

/* ---- what there is ------------------------------------------------------------------------------------- */

/* Weights [channels][n] of a product, or [n][channels]. */
static bool takes_channels(const site *s, const oct_node *n)
{
    int64_t count;
    if ((n->op != OCT_OP_MatMul && n->op != OCT_OP_Gemm) || !oct_const_floats(s->g, n->inputs[1], &count) ||
        s->g->values[n->inputs[1]].rank != 2)
        return false;
    const int64_t *dims = s->g->values[n->inputs[1]].dims;
    if (n->op == OCT_OP_MatMul)
        return dims[0] == s->channels;
    return !oct_node_int(n, "transA", 0) && dims[oct_node_int(n, "transB", 0) ? 1 : 0] == s->channels;
}

static bool keeps_channels(const site *s, const oct_node *n)
{
    const oct_value *y = &s->shaped->values[n->outputs[0]];
    return n->op == OCT_OP_Reshape && y->rank > 0 && y->dims[y->rank - 1] == s->channels;
}

/* Everything that reads v is a product with constant weights, perhaps behind a Reshape. */
static bool find_products(site *s, int v)
{
    if (s->g->values[v].is_output)
        return false;
    for (int i = 0; i < s->g->node_count; i++) {
        const oct_node *n = &s->g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            if (n->inputs[j] != v)
                continue;
            if (j == 0 && takes_channels(s, n))
                s->products[s->count++] = i;
            else if (j == 0 && keeps_channels(s, n) && find_products(s, n->outputs[0]))
                s->moved[s->moved_count++] = n->outputs[0];
            else
                return false;
        }
    }
    return true;
}

/* Which operand of a Mul or Add is one number, or one a channel of the last axis; -1: none. */
static int channel_operand(const site *s, const oct_node *n, int rank)
{
    for (int j = 0; n->input_count == 2 && j < 2; j++) {
        if (oct_per_channel(s->g, n->inputs[j], rank, rank - 1, s->channels, s->numbers))
            return j;
    }
    return -1;
}

/* A tensor divided by, or times, another one: what the parts of a normalization end with. */
static bool is_normalized(const site *s, int v)
{
    int from = s->g->values[v].producer;
    const oct_node *n = from < 0 ? NULL : &s->g->nodes[from];
    return n && (n->op == OCT_OP_Div || n->op == OCT_OP_Mul) && !s->g->values[n->inputs[0]].data &&
           !s->g->values[n->inputs[1]].data;
}

static bool find_layer_norm(site *s, int node, int rank)
{
    const oct_node *n = &s->g->nodes[node];
    int64_t axis = oct_node_int(n, "axis", -1);
    bool biased = n->input_count > 2 && n->inputs[2] != OCT_NO_VALUE;
    if (n->outputs[0] != s->value || (axis != -1 && axis != rank - 1) ||
        !oct_per_channel(s->g, n->inputs[1], rank, rank - 1, s->channels, s->numbers) ||
        (biased && !oct_per_channel(s->g, n->inputs[2], rank, rank - 1, s->channels, s->numbers)))
        return false;
    s->norm = node;
    s->factor_at = 1;
    s->term = biased ? node : -1;
    s->term_at = 2;
    return true;
}

/* Add(Mul(normalized, factors), terms), or the Mul alone. */
static bool find_parts(site *s, int node, int rank)
{
    const oct_node *n = &s->g->nodes[node];
    s->term = -1;
    if (n->op == OCT_OP_Add) {
        s->term = node;
        s->term_at = channel_operand(s, n, rank);
        int x = s->term_at < 0 ? -1 : n->inputs[1 - s->term_at];
        if (x < 0 || s->g->values[x].producer < 0 || s->readers->count[x] != 1)
            return false;
        node = s->g->values[x].producer;
        n = &s->g->nodes[node];
    }
    s->norm = node;
    s->factor_at = n->op == OCT_OP_Mul ? channel_operand(s, n, rank) : -1;
    return s->factor_at >= 0 && is_normalized(s, n->inputs[1 - s->factor_at]);
}

static bool find_site(site *s, int v)
{
    const oct_value *x = &s->shaped->values[v];
    int from = s->g->values[v].producer;
    if (from < 0 || x->dtype != OCTET_F32 || x->data || x->rank < 2)
        return false;
    s->value = v;
    s->channels = x->dims[x->rank - 1];
    s->count = s->moved_count = 0;
    if (s->channels < 1)
        return false;
    double *numbers = realloc(s->numbers, (size_t)s->channels * sizeof *numbers);
    if (!numbers)
        return false;
    s->numbers = numbers;
    bool found = s->g->nodes[from].op == OCT_OP_LayerNormalization ? find_layer_norm(s, from, x->rank)
                                                                   : find_parts(s, from, x->rank);
    return found && find_products(s, v) && s->count > 0;
}

static octet_status open_site(site *s)
{
    size_t nodes = (size_t)s->g->node_count + 1;
    s->products = calloc(nodes, sizeof *s->products);
    s->moved = calloc(nodes, sizeof *s->moved);
    return s->products && s->moved ? OCTET_OK : oct_out_of_memory("quantization");
}

static void close_site(site *s)
{
    free(s->products);
    free(s->moved);
    free(s->numbers);
}

octet_status oct_smooth_find(const oct_graph *g, const oct_graph *shaped, oct_smooth_site **sites, int *count)
{
    oct_readers readers = {0};
    site s = {.g = (oct_graph *)g, .shaped = shaped, .readers = &readers};
    *count = 0;
    *sites = calloc((size_t)g->value_count + 1, sizeof **sites);
    octet_status status = *sites ? oct_readers_find(g, &readers) : oct_out_of_memory("quantization");
    if (status == OCTET_OK)
        status = open_site(&s);
    for (int v = 0; status == OCTET_OK && v < g->value_count; v++) {
        if (!find_site(&s, v))
            continue;
        oct_smooth_site *made = &(*sites)[(*count)++];
        *made = (oct_smooth_site){.value = v, .channels = s.channels};
        if (!(made->peaks = calloc((size_t)s.channels, sizeof *made->peaks)))
            status = oct_out_of_memory("quantization");
    }
    close_site(&s);
    oct_readers_free(&readers);
    return status;
}

void oct_smooth_free(oct_smooth_site *sites, int count)
{
    for (int i = 0; sites && i < count; i++)
        free(sites[i].peaks);
    free(sites);
}

/* ---- what is done -------------------------------------------------------------------------------------- */

/* Factors or terms of the normalization, divided. */
static octet_status divide(const site *s, int node, int input, const double *factors)
{
    oct_graph *g = s->g;
    int rank = s->shaped->values[s->value].rank;
    float *made = oct_arena_alloc(&g->arena, (size_t)s->channels, sizeof *made);
    if (!made || !oct_per_channel(g, g->nodes[node].inputs[input], rank, rank - 1, s->channels, s->numbers))
        return oct_out_of_memory("quantization");
    for (int64_t c = 0; c < s->channels; c++)
        made[c] = (float)(s->numbers[c] / factors[c]);
    return oct_replace_floats(g, node, input, 1, &s->channels, made);
}

static octet_status scale_all(site *s, const double *factors)
{
    FORWARD(divide(s, s->norm, s->factor_at, factors));
    if (s->term >= 0)
        FORWARD(divide(s, s->term, s->term_at, factors));
    for (int k = 0; k < s->count; k++)
        FORWARD(oct_scale_inputs(s->g, s->products[k], factors));
    FORWARD(oct_rename_changed(s->g, s->value, "smooth"));
    if (s->g->nodes[s->norm].outputs[0] != s->value)
        FORWARD(oct_rename_changed(s->g, s->g->nodes[s->norm].outputs[0], "smooth"));
    for (int k = 0; k < s->moved_count; k++)
        FORWARD(oct_rename_changed(s->g, s->moved[k], "smooth"));
    return OCTET_OK;
}

octet_status oct_smooth_apply(oct_graph *g, const oct_graph *shaped, const oct_smooth_site *which,
                              double strength)
{
    const double least = 1e-5; /* of a factor: channels that are nearly nothing stay so */
    oct_readers readers = {0};
    site s = {.g = g, .shaped = shaped, .readers = &readers};
    FORWARD(oct_readers_find(g, &readers));
    double *factors = calloc((size_t)which->channels, sizeof *factors);
    octet_status status = factors ? open_site(&s) : oct_out_of_memory("quantization");
    if (status == OCTET_OK && !find_site(&s, which->value))
        status = oct_fail(OCTET_INTERNAL, "'%s' feeds more than products", g->values[which->value].name);
    if (status == OCTET_OK) {
        for (int k = 0; k < s.count; k++)
            oct_raise_input_peaks(g, s.products[k], factors);
        for (int64_t c = 0; c < s.channels; c++) {
            bool alive = which->peaks[c] > 0 && factors[c] > 0;
            double f = pow(which->peaks[c], strength) / pow(factors[c], 1 - strength);
            factors[c] = alive && isfinite(f) ? fmax(f, least) : 1;
        }
        status = scale_all(&s, factors);
    }
    free(factors);
    close_site(&s);
    oct_readers_free(&readers);
    return status;
}
