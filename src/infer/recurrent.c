#include "recurrent.h"
#include "moves.h"

#include <string.h>

/* The operators: their gates, and what their functions are where the node names none. */
static const struct cell {
    oct_op op;
    int gates, functions;
    const char *usual[OCT_MOST_GATE_FUNCTIONS];
} cells[] = {{OCT_OP_LSTM, 4, 3, {"Sigmoid", "Tanh", "Tanh"}}, {OCT_OP_GRU, 3, 2, {"Sigmoid", "Tanh"}}};

static const struct cell *cell_of(oct_op op)
{
    const struct cell *c = cells;
    while (c->op != op)
        c++;
    return c;
}

/* Which numbers a function takes, and what they are where the node gives none: those of the operator of its
 * name. */
static const struct known {
    const char *name;
    int numbers; /* 1: alpha, 2: alpha and beta */
    float alpha, beta;
} known[] = {
    {"Sigmoid", 0, 0, 0},         {"Tanh", 0, 0, 0},       {"Relu", 0, 0, 0},
    {"Affine", 2, 1, 0},          {"ScaledTanh", 2, 1, 1}, {"LeakyRelu", 1, 0.01f, 0},
    {"ThresholdedRelu", 1, 1, 0}, {"Elu", 1, 1, 0},        {"HardSigmoid", 2, 0.2f, 0.5f},
    {"Softsign", 0, 0, 0},        {"Softplus", 0, 0, 0},
};

static const struct known *find_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    }
    return NULL;
}

/* Numbers are given one after the other to the functions that take one. */
static float next(const oct_attr *a, size_t *at, float otherwise)
{
    return a && *at < a->count ? a->floats[(*at)++] : otherwise;
}

static octet_status read_functions(const oct_node *n, oct_recurrent *r)
{
    const char *const *usual = cell_of(n->op)->usual;
    const oct_attr *names = oct_node_attr(n, "activations"), *alphas = oct_node_attr(n, "activation_alpha"),
                   *betas = oct_node_attr(n, "activation_beta");
    size_t alpha = 0, beta = 0, each = (size_t)r->function_count, wanted = (size_t)r->directions * each;
    RETURN_IF(names && names->count != wanted, OCTET_INVALID_ARGUMENT,
              "it has %zu activations; %d directions have %zu", names->count, r->directions, wanted);
    for (size_t i = 0; i < wanted; i++) {
        const char *name = names ? names->strings[i] : usual[i % each];
        const struct known *k = find_known(name);
        RETURN_IF(!k, OCTET_UNSUPPORTED, "activation '%.40s' is not supported", name);
        oct_activation *f = &r->functions[i / each][i % each];
        f->name = k->name;
        f->alpha = k->numbers > 0 ? next(alphas, &alpha, k->alpha) : k->alpha;
        f->beta = k->numbers > 1 ? next(betas, &beta, k->beta) : k->beta;
    }
    return OCTET_OK;
}

static octet_status read_direction(const oct_node *n, oct_recurrent *r)
{
    const char *direction = oct_node_string(n, "direction", "forward");
    r->directions = strcmp(direction, "bidirectional") == 0 ? 2 : 1;
    r->reverse = strcmp(direction, "reverse") == 0;
    RETURN_IF(r->directions == 1 && !r->reverse && strcmp(direction, "forward") != 0, OCTET_INVALID_ARGUMENT,
              "direction '%.40s' is none of forward, reverse and bidirectional", direction);
    return OCTET_OK;
}

static octet_status check_operand(const oct_graph *g, const oct_node *n, int i, octet_dtype dtype, int rank,
                                  const int64_t *dims)
{
    if (i >= n->input_count || n->inputs[i] == OCT_NO_VALUE)
        return OCTET_OK;
    const oct_value *v = &g->values[n->inputs[i]];
    bool fits = v->dtype == dtype && v->rank == rank;
    for (int d = 0; fits && d < rank; d++)
        fits = v->dims[d] == dims[d];
    RETURN_IF(!fits, OCTET_INVALID_ARGUMENT,
              "input %d ('%s') has another dtype or shape than the others ask for", i, v->name);
    return OCTET_OK;
}

static octet_status check_operands(const oct_graph *g, const oct_node *n, const oct_recurrent *r)
{
    int64_t d = r->directions, h = r->hidden;
    const int64_t state[] = {r->batch_first ? r->batch : d, r->batch_first ? d : r->batch, h};
    FORWARD(check_operand(g, n, 1, OCTET_F32, 3, (int64_t[]){d, r->gates * h, r->inputs}));
    FORWARD(check_operand(g, n, 2, OCTET_F32, 3, (int64_t[]){d, r->gates * h, h}));
    FORWARD(check_operand(g, n, 3, OCTET_F32, 2, (int64_t[]){d, 2 * r->gates * h}));
    FORWARD(check_operand(g, n, 4, OCTET_S32, 1, (int64_t[]){r->batch}));
    FORWARD(oct_const_in_range(g, n, 4, 0, r->steps));
    FORWARD(check_operand(g, n, 5, OCTET_F32, 3, state));
    FORWARD(check_operand(g, n, 6, OCTET_F32, 3, state));
    return check_operand(g, n, 7, OCTET_F32, 2, (int64_t[]){d, 3 * h});
}

octet_status oct_recurrent_resolve(const oct_graph *g, const oct_node *n, oct_recurrent *r)
{
    const oct_value *x[3];
    for (int i = 0; i < 3; i++) {
        RETURN_IF(n->inputs[i] == OCT_NO_VALUE, OCTET_CORRUPT_FILE, "input %d is missing", i);
        x[i] = &g->values[n->inputs[i]];
        RETURN_IF(x[i]->dtype != OCTET_F32 || x[i]->rank != 3, OCTET_INVALID_ARGUMENT,
                  "input %d ('%s') is not f32 of three dimensions", i, x[i]->name);
    }
    *r = (oct_recurrent){.gates = cell_of(n->op)->gates,
                         .function_count = cell_of(n->op)->functions,
                         .batch_first = oct_node_int(n, "layout", 0) != 0,
                         .input_forget = oct_node_int(n, "input_forget", 0) != 0,
                         .linear_before_reset =
                             n->op == OCT_OP_GRU && oct_node_int(n, "linear_before_reset", 0) != 0,
                         .clip = oct_node_float(n, "clip", 0.0f)};
    r->steps = x[0]->dims[r->batch_first];
    r->batch = x[0]->dims[!r->batch_first];
    r->inputs = x[0]->dims[2];
    r->hidden = x[2]->dims[2];
    RETURN_IF(r->hidden < 1 || r->hidden > INT32_MAX / 16 ||
                  oct_node_int(n, "hidden_size", r->hidden) != r->hidden,
              OCTET_INVALID_ARGUMENT, "hidden_size is %lld and the recurrence weights have %lld",
              (long long)oct_node_int(n, "hidden_size", r->hidden), (long long)r->hidden);
    RETURN_IF(!(r->clip >= 0), OCTET_INVALID_ARGUMENT, "clip is %g; it must be 0 or more", (double)r->clip);
    FORWARD(read_direction(n, r));
    FORWARD(check_operands(g, n, r));
    return read_functions(n, r);
}
