/* BatchNormalization and Pad that fold into the convolution beside them: which do, what comes out, which
 * stay.
 */
#include "check.h"
#include "passes.h"
#include "rewrite.h"

#include <math.h>

enum { IN = 3, OUT = 5, SIDE = 9 };

static int input(oct_graph *g, octet_dtype dtype)
{
    const int64_t dims[4] = {2, IN, SIDE, SIDE};
    int v = oct_add_like(g, "x", dtype, 4, dims);
    g->inputs = malloc(sizeof *g->inputs);
    g->outputs = malloc(4 * sizeof *g->outputs);
    assert_true(v >= 0 && g->inputs && g->outputs);
    g->inputs[g->input_count++] = v;
    g->values[v].is_input = true;
    return v;
}

static void output(oct_graph *g, int v)
{
    g->outputs[g->output_count++] = v;
    g->values[v].is_output = true;
}

static int floats(oct_graph *g, int rank, const int64_t *dims, float middle, uint64_t seed)
{
    float numbers[OUT * IN * 9];
    int64_t count = 1;
    for (int d = 0; d < rank; d++)
        count *= dims[d];
    assert_in_range(count, 1, sizeof numbers / sizeof *numbers);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = middle + (float)check_range(&seed, -1000, 1000) * 0.0007f;
    int v = oct_add_const(g, OCTET_F32, rank, dims, numbers);
    assert_true(v >= 0);
    return v;
}

static int add(oct_graph *g, oct_op op, int opset, const int *inputs, int count)
{
    int v = oct_graph_add_value(g, "made");
    oct_node *n = oct_graph_add_node(g, op, oct_op_name(op), count, 1);
    assert_true(v >= 0 && n);
    memcpy(n->inputs, inputs, (size_t)count * sizeof *inputs);
    n->outputs[0] = v;
    n->opset = opset;
    return v;
}
#define ADD(g, op, ...)                                                                                      \
    add(g, OCT_OP_##op, 13, (const int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))

/* Of the node added last. */
static void set(oct_graph *g, oct_attr attr)
{
    assert_int_equal(oct_node_set_attr(g, g->node_count - 1, &attr), OCTET_OK);
}

static void rewrite(oct_graph *g)
{
    CHECK_OK(oct_graph_sort(g));
    CHECK_OK(oct_graph_infer(g));
    CHECK_OK(oct_graph_rewrite(g));
}

static int nodes_of(const oct_graph *g, oct_op op)
{
    int count = 0;
    for (int i = 0; i < g->node_count; i++)
        count += g->nodes[i].op == op;
    return count;
}

static const oct_node *first_of(const oct_graph *g, oct_op op)
{
    for (int i = 0; i < g->node_count; i++) {
        if (g->nodes[i].op == op)
            return &g->nodes[i];
    }
    fail_msg("no %s is left", oct_op_name(op));
    return NULL;
}

/* ---- BatchNormalization ---------------------------------------------------------------------------------
 */

typedef enum norm_case {
    BIAS,
    NO_BIAS,
    FOLDING, /* so many do */
    READ_TWICE = FOLDING,
    IS_OUTPUT,
    RUNTIME_WEIGHTS,
    BAD_VARIANCE,
    NORM_CASES
} norm_case;

static void check_folded(const oct_graph *g, const float *const p[4], const float *w, const float *b)
{
    const oct_node *conv = first_of(g, OCT_OP_Conv);
    assert_int_equal(conv->input_count, 3);
    assert_true(g->values[conv->outputs[0]].is_output);
    const float *weights = g->values[conv->inputs[1]].data, *bias = g->values[conv->inputs[2]].data;
    for (int c = 0; c < OUT; c++) {
        /* What the normalization makes of a sum of 0, and of what one weight adds to it. */
        double root = sqrt((double)p[3][c] + 0.01f);
        double at_zero = ((b ? b[c] : 0.0) - p[2][c]) / root * p[0][c] + p[1][c];
        assert_true(fabs(at_zero - bias[c]) <= 1e-6 * (1 + fabs(at_zero)));
        for (int i = 0; i < IN * 9; i++) {
            double more = w[c * IN * 9 + i] / root * p[0][c];
            if (!(fabs(more - weights[c * IN * 9 + i]) <= 1e-6 * fabs(more)))
                fail_msg("weight %d of channel %d is %.9g, want %.9g", i, c, (double)weights[c * IN * 9 + i],
                         more);
        }
    }
}

static void one_norm(norm_case which)
{
    oct_graph graph = {0}, *g = &graph;
    const int64_t wd[4] = {OUT, IN, 3, 3}, c = OUT;
    int x = input(g, OCTET_F32), w = floats(g, 4, wd, 0, 3), b = floats(g, 1, &c, 0, 4);
    const float *weights = g->values[w].data, *bias = g->values[b].data, *p[4];
    int in[5], kernel = which == RUNTIME_WEIGHTS ? ADD(g, Abs, w) : w;
    for (int i = 0; i < 4; i++) {
        float middle = which == BAD_VARIANCE && i == 3 ? -1.0f : 1.0f;
        in[i + 1] = floats(g, 1, &c, middle, 10 + (uint64_t)i);
        p[i] = g->values[in[i + 1]].data;
    }
    int y = which == NO_BIAS ? ADD(g, Conv, x, kernel) : ADD(g, Conv, x, kernel, b);
    in[0] = y;
    int z = add(g, OCT_OP_BatchNormalization, 9, in, 5);
    set(g, (oct_attr){.name = "epsilon", .kind = OCT_ATTR_FLOAT, .f = 0.01f});
    output(g, z);
    if (which == READ_TWICE)
        output(g, ADD(g, Relu, y));
    if (which == IS_OUTPUT)
        output(g, y);
    rewrite(g);
    assert_int_equal(nodes_of(g, OCT_OP_BatchNormalization), which < FOLDING ? 0 : 1);
    if (which < FOLDING)
        check_folded(g, p, weights, which == NO_BIAS ? NULL : bias);
    else
        assert_ptr_equal(g->values[first_of(g, OCT_OP_Conv)->inputs[2]].data, bias);
    oct_graph_free(g);
}

static void batch_norms(void **state)
{
    (void)state;
    for (int i = 0; i < NORM_CASES; i++)
        one_norm((norm_case)i);
}

/* ---- Pad ------------------------------------------------------------------------------------------------
 */

typedef struct pad_case {
    const char *what;
    int64_t pads[8]; /* of N, C, H, W: begins, ends */
    int value;       /* -1: the operand is absent */
    int zero;        /* QLinearConv: x's zero point */
    bool quantized;
    const char *mode, *auto_pad;
    bool folds;
    bool read_twice;
} pad_case;

static const pad_case pad_cases[] = {
    {"zeros", {0, 0, 1, 2, 0, 0, 3, 0}, 0, 0, false, "constant", "NOTSET", true, false},
    {"no value", {0, 0, 4, 4, 0, 0, 4, 4}, -1, 0, false, "constant", "NOTSET", true, false},
    {"VALID", {0, 0, 1, 1, 0, 0, 1, 1}, 0, 0, false, "constant", "VALID", true, false},
    {"read twice", {0, 0, 1, 1, 0, 0, 1, 1}, 0, 0, false, "constant", "NOTSET", true, true},
    {"zero point", {0, 0, 1, 0, 0, 0, 2, 1}, 128, 128, true, "constant", "NOTSET", true, false},
    {"zero point 0", {0, 0, 1, 1, 0, 0, 1, 1}, -1, 0, true, "constant", "NOTSET", true, false},
    {"ones", {0, 0, 1, 1, 0, 0, 1, 1}, 1, 0, false, "constant", "NOTSET", false, false},
    {"SAME", {0, 0, 1, 1, 0, 0, 1, 1}, 0, 0, false, "constant", "SAME_UPPER", false, false},
    {"edge", {0, 0, 1, 1, 0, 0, 1, 1}, 0, 0, false, "edge", "NOTSET", false, false},
    {"batch", {1, 0, 1, 1, 0, 0, 1, 1}, 0, 0, false, "constant", "NOTSET", false, false},
    {"cut", {0, 0, -1, 1, 0, 0, 1, 1}, 0, 0, false, "constant", "NOTSET", false, false},
    {"not its zero point", {0, 0, 1, 1, 0, 0, 1, 1}, 127, 128, true, "constant", "NOTSET", false, false},
    {"0, not its zero point", {0, 0, 1, 1, 0, 0, 1, 1}, -1, 128, true, "constant", "NOTSET", false, false},
};

static int pad_of(oct_graph *g, int x, const pad_case *k)
{
    const int64_t eight = 8;
    unsigned char byte = (unsigned char)k->value;
    float number = (float)k->value;
    int pads = oct_add_const(g, OCTET_S64, 1, &eight, k->pads), value = OCT_NO_VALUE;
    if (k->value >= 0)
        value = k->quantized ? oct_add_const(g, OCTET_U8, 0, NULL, &byte)
                             : oct_add_const(g, OCTET_F32, 0, NULL, &number);
    int y = ADD(g, Pad, x, pads, value);
    set(g, (oct_attr){.name = "mode", .kind = OCT_ATTR_STRING, .s = k->mode});
    return y;
}

static int conv_of(oct_graph *g, int x, const pad_case *k)
{
    const int64_t wd[4] = {OUT, IN, 3, 3};
    if (!k->quantized)
        return ADD(g, Conv, x, floats(g, 4, wd, 0, 3));
    static const unsigned char weights[OUT * IN * 9] = {1, 2, 3};
    const float scale = 0.5f;
    unsigned char zero = (unsigned char)k->zero;
    int s = oct_add_const(g, OCTET_F32, 0, NULL, &scale), z = oct_add_const(g, OCTET_U8, 0, NULL, &zero);
    int w = oct_add_const(g, OCTET_U8, 4, wd, weights);
    int y = ADD(g, QLinearConv, x, s, z, w, s, z, s, z);
    g->nodes[g->node_count - 1].opset = 10;
    return y;
}

static void one_pad(const pad_case *k)
{
    static const int64_t own[4] = {1, 0, 2, 1};
    oct_graph graph = {0}, *g = &graph;
    int x = input(g, k->quantized ? OCTET_U8 : OCTET_F32), padded = pad_of(g, x, k);
    int y = conv_of(g, padded, k);
    set(g, (oct_attr){.name = "auto_pad", .kind = OCT_ATTR_STRING, .s = k->auto_pad});
    bool adds = strcmp(k->auto_pad, "NOTSET") == 0;
    if (adds)
        set(g, (oct_attr){.name = "pads", .kind = OCT_ATTR_INTS, .ints = own, .count = 4});
    output(g, y);
    if (k->read_twice)
        output(g, ADD(g, Relu, padded));
    rewrite(g);
    const oct_node *conv = first_of(g, k->quantized ? OCT_OP_QLinearConv : OCT_OP_Conv);
    if ((conv->inputs[0] == x) != k->folds || nodes_of(g, OCT_OP_Pad) != (!k->folds || k->read_twice))
        fail_msg("%s: %s", k->what, k->folds ? "did not fold" : "folded");
    const oct_attr *pads = oct_node_attr(conv, "pads");
    for (int i = 0; k->folds && i < 4; i++) {
        int64_t want = (adds ? own[i] : 0) + k->pads[i < 2 ? 2 + i : 4 + i];
        if (!pads || pads->count != 4 || pads->ints[i] != want)
            fail_msg("%s: pads[%d] is not %lld", k->what, i, (long long)want);
    }
    oct_graph_free(g);
}

static void pads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pad_cases / sizeof pad_cases[0]; i++)
        one_pad(&pad_cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(batch_norms), cmocka_unit_test(pads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
