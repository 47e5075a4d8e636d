/* Weights of 16 bits as two tensors of 8 (src/quantize/prepare/wide_product.h): the two products have the
 * parts of the weights, which their own quantization then holds in 16 bits together; one of them has the
 * bias. */
#include "check.h"
#include "insert.h"
#include "prepare.h"
#include "rewrite.h"
#include "wide_product.h"

#include <math.h>

enum { OUTPUTS = 6, DEPTH = 20 };

typedef struct form {
    oct_op op;
    bool transposed, biased;
} form;

static const form forms[] = {
    {OCT_OP_Conv, false, true}, {OCT_OP_Conv, false, false},   {OCT_OP_Gemm, true, true},
    {OCT_OP_Gemm, false, true}, {OCT_OP_MatMul, false, false},
};

/* One product: its weights are of very different sizes by row, one row is nothing, one nearly nothing. */
static void make_product(const form *f, oct_graph *g, float *weights)
{
    uint64_t seed = 3;
    const int64_t any[1] = {-1}, kernel[4] = {OUTPUTS, DEPTH / 4, 2, 2}, outputs = OUTPUTS;
    const int64_t matrix[2] = {f->transposed ? OUTPUTS : DEPTH, f->transposed ? DEPTH : OUTPUTS};
    const float sizes[OUTPUTS] = {1, 0, 1e-30f, 30, 1e-3f, 2}, bias[OUTPUTS] = {1, 2, 3, 4, 5, 6};
    bool by_row = f->op == OCT_OP_Conv || f->transposed;
    for (int i = 0; i < OUTPUTS * DEPTH; i++)
        weights[i] = sizes[by_row ? i / DEPTH : i % OUTPUTS] * (float)check_range(&seed, -1000, 1000) / 1000;
    int x = oct_add_like(g, "x", OCTET_F32, 1, any);
    bool conv = f->op == OCT_OP_Conv;
    int w = oct_add_const(g, OCTET_F32, conv ? 4 : 2, conv ? kernel : matrix, weights);
    g->values[w].name = "w";
    int b = f->biased ? oct_add_const(g, OCTET_F32, 1, &outputs, bias) : OCT_NO_VALUE;
    oct_node *n = oct_graph_add_node(g, f->op, "product", f->biased ? 3 : 2, 1);
    assert_non_null(n);
    n->inputs[0] = x;
    n->inputs[1] = w;
    if (f->biased)
        n->inputs[2] = b;
    n->outputs[0] = oct_add_like(g, "y", OCTET_F32, 1, any);
    if (f->op == OCT_OP_Gemm)
        CHECK_OK(oct_node_set_int(g, 0, "transB", f->transposed));
}

static void two_products(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const form *f = &forms[i];
        const oct_weight_options options = {.x_scale = 1e-4f};
        oct_graph graph = {0}, *g = &graph;
        oct_arena arena = {0};
        oct_quant_weights coarse, fine;
        oct_wide_product wide;
        float weights[OUTPUTS * DEPTH];
        make_product(f, g, weights);
        int y = g->nodes[0].outputs[0];
        CHECK_OK(oct_widen_product(g, 0, &options, &wide));
        assert_int_equal(g->node_count, 3);
        const oct_node *n = g->nodes;
        assert_true(n[0].op == f->op && n[1].op == f->op && n[2].op == OCT_OP_Add);
        assert_true(n[0].outputs[0] == wide.coarse && n[1].outputs[0] == wide.fine && n[2].outputs[0] == y);
        assert_true(n[2].inputs[0] == wide.coarse && n[2].inputs[1] == wide.fine);
        assert_true(n[0].inputs[0] == n[1].inputs[0] && n[1].input_count == 2);
        assert_int_equal(n[0].input_count, f->biased ? 3 : 2);
        assert_string_equal(n[1].name, "product_fine");
        assert_string_equal(n[2].name, "product_sum");
        assert_string_equal(g->values[n[1].inputs[1]].name, "w_fine");
        CHECK_OK(oct_quant_weights_open(g, &n[0], &options, &arena, &coarse));
        CHECK_OK(oct_quant_weights_open(g, &n[1], &options, &arena, &fine));
        assert_true(oct_quant_weights_are_whole(&coarse) && !oct_quant_weights_are_whole(&fine));
        oct_quant_weights_to_nearest(&coarse);
        oct_quant_weights_to_nearest(&fine);
        for (int64_t k = 0; k < OUTPUTS * DEPTH; k++) {
            int64_t c = k / coarse.inner % coarse.channels;
            double held = (double)coarse.made[k] * coarse.scales[c] + (double)fine.made[k] * fine.scales[c];
            /* Half a step of the second, which is at most 1/254 of the first's; float has 24 bits. */
            double near = coarse.scales[c] / 254.0 / 2 * 1.001 + fabs(weights[k]) * 1e-6;
            if (weights[k] != 0 && fabs(weights[k]) <= 1e-30)
                near = coarse.scales[c]; /* below it there is no float scale */
            if (!(fabs(held - weights[k]) <= near))
                fail_msg("%s %zu, weight %lld: %.9g, held as %.9g", n[0].op_type, i, (long long)k,
                         (double)weights[k], held);
        }
        oct_arena_free(&arena);
        oct_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
