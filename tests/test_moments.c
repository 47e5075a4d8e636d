/* Adaptive rounding: means and covariances of a product's input against ones counted directly, for every
 * layout of weights; weights that, rounded by them, leave less error on such input than the nearest numbers
 * do, and that take back what is wrong with the input. */
#include "check.h"
#include "moments.h"
#include "prepare.h"
#include "rewrite.h"
#include "round_product.h"

#include <math.h>

typedef struct problem {
    oct_op op;
    int64_t batch, channels, height, width, outputs, kernel, stride, pad, dilation, groups; /* Conv */
    int64_t depth; /* others: outputs x depth */
    bool transposed;
} problem;

typedef struct setup {
    oct_graph graph;
    int w;
    const oct_node *node;
    oct_moments *moments;
} setup;

static const problem problems[] = {
    {OCT_OP_Conv, 2, 4, 9, 7, 6, 3, 1, 1, 1, 1, 0, false},
    {OCT_OP_Conv, 1, 6, 10, 11, 12, 3, 2, 0, 2, 3, 0, false},
    {OCT_OP_Conv, 3, 5, 8, 8, 5, 5, 1, 2, 1, 5, 0, false},
    {OCT_OP_Conv, 1, 96, 12, 12, 9, 3, 1, 1, 1, 1, 0, false},
    {OCT_OP_Gemm, 300, 0, 0, 0, 10, 0, 0, 0, 0, 0, 33, true},
    {OCT_OP_Gemm, 300, 0, 0, 0, 9, 0, 0, 0, 0, 0, 20, false},
    {OCT_OP_MatMul, 400, 0, 0, 0, 17, 0, 0, 0, 0, 0, 41, false},
};

static float *random_floats(uint64_t *s, size_t count)
{
    float *x = malloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)check_range(s, -1000, 1000) / 1000;
    return x;
}

static void set_ints(oct_graph *g, const char *name, const int64_t *ints, size_t count)
{
    int64_t *kept = oct_arena_alloc(&g->arena, count, sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, ints, count * sizeof *kept);
    const oct_attr attr = {.name = name, .kind = OCT_ATTR_INTS, .ints = kept, .count = count};
    CHECK_OK(oct_node_set_attr(g, 0, &attr));
}

static void set_up(const problem *p, uint64_t *s, setup *t)
{
    bool conv = p->op == OCT_OP_Conv;
    const int64_t kernel[4] = {p->outputs, conv ? p->channels / p->groups : 0, p->kernel, p->kernel};
    const int64_t matrix[2] = {p->transposed ? p->outputs : p->depth, p->transposed ? p->depth : p->outputs};
    const int64_t *dims = conv ? kernel : matrix;
    size_t count = 1;
    for (int d = 0; d < (conv ? 4 : 2); d++)
        count *= (size_t)dims[d];
    *t = (setup){.w = -1};
    float *weights = random_floats(s, count);
    const int64_t any[1] = {-1};
    int x = oct_add_like(&t->graph, "x", OCTET_F32, 1, any);
    t->w = oct_add_const(&t->graph, OCTET_F32, conv ? 4 : 2, dims, weights);
    free(weights);
    oct_node *n = oct_graph_add_node(&t->graph, p->op, "product", 2, 1);
    assert_non_null(n);
    n->inputs[0] = x;
    n->inputs[1] = t->w;
    n->outputs[0] = oct_add_like(&t->graph, "y", OCTET_F32, 1, any);
    if (conv) {
        const int64_t pads[4] = {p->pad, p->pad, p->pad, p->pad}, strides[2] = {p->stride, p->stride},
                      dilations[2] = {p->dilation, p->dilation};
        set_ints(&t->graph, "pads", pads, 4);
        set_ints(&t->graph, "strides", strides, 2);
        set_ints(&t->graph, "dilations", dilations, 2);
        CHECK_OK(oct_node_set_int(&t->graph, 0, "group", p->groups));
    } else if (p->op == OCT_OP_Gemm) {
        CHECK_OK(oct_node_set_int(&t->graph, 0, "transB", p->transposed));
    }
    t->node = &t->graph.nodes[0];
    CHECK_OK(oct_moments_make(&t->graph, t->node, &t->moments));
    assert_non_null(t->moments);
}

static void tear_down(setup *t)
{
    oct_moments_free(t->moments);
    oct_graph_free(&t->graph);
}

/* Neighbours go together, as in pictures and in features: a random walk along the last dimension. */
static octet_tensor make_input(const problem *p, uint64_t *s)
{
    octet_tensor x = {OCTET_F32, 2, {p->batch, p->depth}, NULL, 0};
    if (p->op == OCT_OP_Conv)
        x = (octet_tensor){OCTET_F32, 4, {p->batch, p->channels, p->height, p->width}, NULL, 0};
    CHECK_OK(octet_tensor_alloc(&x));
    float level = 0.3f, *to = x.data;
    for (size_t i = 0; i < octet_tensor_bytes(&x) / sizeof(float); i++) {
        level = 0.95f * level + 0.05f + (float)check_range(s, -100, 100) / 1000;
        to[i] = level;
    }
    return x;
}

/* Number k that row r meets at one place of the output, or of row `place` of a matrix. */
static float meets(const problem *p, const octet_tensor *x, int64_t r, int64_t place, int64_t k)
{
    const float *data = x->data;
    if (p->op != OCT_OP_Conv)
        return data[place * p->depth + k];
    int64_t span = p->dilation * (p->kernel - 1) + 1, taps = p->kernel * p->kernel;
    int64_t high = (p->height + 2 * p->pad - span) / p->stride + 1,
            wide = (p->width + 2 * p->pad - span) / p->stride + 1;
    int64_t image = place / (high * wide), channels = p->channels / p->groups;
    int64_t c = r / (p->outputs / p->groups) * channels + k / taps;
    int64_t y = place / wide % high * p->stride - p->pad + k % taps / p->kernel * p->dilation;
    int64_t at = place % wide * p->stride - p->pad + k % p->kernel * p->dilation;
    if (y < 0 || y >= p->height || at < 0 || at >= p->width)
        return 0;
    return data[((image * p->channels + c) * p->height + y) * p->width + at];
}

static int64_t places(const problem *p)
{
    if (p->op != OCT_OP_Conv)
        return p->batch;
    int64_t span = p->dilation * (p->kernel - 1) + 1;
    return p->batch * ((p->height + 2 * p->pad - span) / p->stride + 1) *
           ((p->width + 2 * p->pad - span) / p->stride + 1);
}

/* Sums of products, and of differences with numbers, against ones counted directly; all rows are multiplied.
 */
static void check_products(const problem *p, const setup *t, const octet_tensor *wanted,
                           const octet_tensor *x)
{
    const oct_moments *m = t->moments;
    int64_t last = m->depth - 1, pairs[][2] = {{0, 0}, {last, 0}, {last, last}, {last / 2, last / 3}};
    for (int64_t r = 0; r < m->rows; r += m->rows / m->groups) {
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            int64_t a = pairs[i][0], b = pairs[i][1], group = r / (m->rows / m->groups);
            double products = 0, crossed = 0;
            for (int64_t place = 0; place < places(p); place++) {
                double lost = (double)meets(p, wanted, r, place, a) - meets(p, x, r, place, a);
                products += (double)meets(p, x, r, place, a) * meets(p, x, r, place, b);
                crossed += lost * meets(p, x, r, place, b);
            }
            int64_t at = oct_moments_block_at(m, group, 0) + a * m->pitch + b;
            double near = 1e-4 * (double)places(p);
            if (fabs(m->products[at] - products) > near || fabs(m->crossed[at] - crossed) > near)
                fail_msg("%s, row %lld, numbers %lld and %lld: %g and %g, not %g and %g", t->node->op_type,
                         (long long)r, (long long)a, (long long)b, m->products[at], m->crossed[at], products,
                         crossed);
        }
    }
}

/* Variance of sum over k of (made * scale - weight) * met, over all places and rows. */
static double error_of(const problem *p, const setup *t, const octet_tensor *x, const int8_t *made,
                       const float *scales)
{
    const oct_moments *m = t->moments;
    const float *w = t->graph.values[t->w].data;
    double all = 0;
    for (int64_t r = 0; r < m->rows; r++) {
        double sum = 0, squares = 0;
        for (int64_t place = 0; place < places(p); place++) {
            double e = 0;
            for (int64_t k = 0; k < m->depth; k++) {
                int64_t i = r * m->row_step + k * m->step;
                e += ((double)made[i] * scales[r] - w[i]) * meets(p, x, r, place, k);
            }
            sum += e;
            squares += e * e;
        }
        double mean = sum / (double)places(p);
        all += squares / (double)places(p) - mean * mean;
    }
    return all;
}

static void check_means(const problem *p, const setup *t, const octet_tensor *x)
{
    const oct_moments *m = t->moments;
    for (int64_t r = 0; r < m->rows; r += m->rows / m->groups) {
        for (int64_t k = 0; k < m->depth; k++) {
            double sum = 0;
            for (int64_t place = 0; place < places(p); place++)
                sum += meets(p, x, r, place, k);
            double want = sum / (double)places(p);
            double got = m->sums[r / (m->rows / m->groups) * m->depth + k] / m->seen;
            if (fabs(got - want) > 1e-6)
                fail_msg("%s, row %lld, number %lld: mean %g, not %g", t->node->op_type, (long long)r,
                         (long long)k, got, want);
        }
    }
}

static void nearest_of(const oct_moments *m, const float *w, const float *scales, int top, int8_t *made)
{
    for (int64_t r = 0; r < m->rows; r++) {
        for (int64_t k = 0; k < m->depth; k++) {
            int64_t at = r * m->row_step + k * m->step;
            made[at] = (int8_t)fmax(fmin(rint((double)w[at] / scales[r]), top), -top);
        }
    }
}

/* With scales that are given and with some that may be chosen. */
static void less_error_than_the_nearest(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof problems / sizeof *problems); i++) {
        const problem *p = &problems[i / 2];
        const bool fixed_scales = i % 2 == 0;
        uint64_t seed = 100 + i;
        setup t;
        set_up(p, &seed, &t);
        octet_tensor x = make_input(p, &seed);
        CHECK_OK(oct_moments_add(t.moments, &t.graph, t.node, &x, &x, INT64_MAX));
        check_means(p, &t, &x);
        check_products(p, &t, &x, &x);
        const float *w = t.graph.values[t.w].data;
        size_t count = (size_t)(t.moments->rows * t.moments->depth);
        const int top = i / 2 % 2 ? 127 : 15;
        float scales[64], least[64], given[64];
        double shift[64];
        int8_t *made = malloc(count), *nearest = malloc(count);
        for (int r = 0; r < t.moments->rows; r++) {
            given[r] = scales[r] = (0.9f + 0.02f * (float)(r % 5)) / (float)top; /* some weights are beyond */
            least[r] = 0.95f * scales[r];
        }
        nearest_of(t.moments, w, scales, top, nearest);
        const oct_round_options how = {w, NULL, least, top, fixed_scales};
        CHECK_OK(oct_moments_round(t.moments, &how, scales, made, shift));
        for (size_t k = 0; k < count; k++)
            assert_in_range(made[k] + top, 0, 2 * top);
        for (int r = 0; r < t.moments->rows; r++)
            assert_true(fixed_scales ? scales[r] == given[r] : scales[r] >= least[r]);
        double before = error_of(p, &t, &x, nearest, given), after = error_of(p, &t, &x, made, scales);
        if (!(after < 0.7 * before))
            fail_msg("%s %zu: error %g, of the nearest %g", t.node->op_type, i, after, before);
        free(made);
        free(nearest);
        octet_tensor_free(&x);
        tear_down(&t);
    }
}

/* Squares of what the product of `given` with the rounded weights, and the shift, is off from that of
 * `wanted` with the weights. */
static double squares_of(const setup *t, const octet_tensor *wanted, const octet_tensor *given,
                         const int8_t *made, const float *scales, const double *shift)
{
    const oct_moments *m = t->moments;
    const float *w = t->graph.values[t->w].data, *a = wanted->data, *b = given->data;
    double all = 0;
    for (int64_t r = 0; r < m->rows; r++) {
        for (int64_t row = 0; row < wanted->dims[0]; row++) {
            double e = -shift[r];
            for (int64_t k = 0; k < m->depth; k++) {
                int64_t at = r * m->row_step + k * m->step;
                e += (double)w[at] * a[row * m->depth + k] -
                     (double)made[at] * scales[r] * b[row * m->depth + k];
            }
            all += e * e;
        }
    }
    return all;
}

/* Input that has lost something which can be told from it (one number in two is a tenth too small, and off by
 * a constant): the weights take it back. Those that do not know of it, nearly all of its error remains. */
static void takes_back_what_the_input_lost(void **state)
{
    (void)state;
    static const problem many = {OCT_OP_MatMul, 4000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 41, false};
    const problem *p = &many;
    double squares[2];
    for (int knows = 0; knows < 2; knows++) {
        uint64_t seed = 77;
        setup t;
        set_up(p, &seed, &t);
        octet_tensor wanted = make_input(p, &seed), given = make_input(p, &seed);
        size_t count = (size_t)(t.moments->rows * t.moments->depth);
        for (int64_t i = 0; i < wanted.dims[0] * p->depth; i++)
            ((float *)given.data)[i] = ((float *)wanted.data)[i] * (i % 2 ? 0.9f : 1) + (i % 2 ? 0.05f : 0);
        CHECK_OK(oct_moments_add(t.moments, &t.graph, t.node, knows ? &wanted : &given, &given, INT64_MAX));
        if (knows)
            check_products(p, &t, &wanted, &given);
        float scales[32], least[32] = {0};
        double shift[32];
        int8_t *made = malloc(count);
        for (int r = 0; r < t.moments->rows; r++)
            scales[r] = 1.0f / 127;
        const oct_round_options how = {t.graph.values[t.w].data, NULL, least, 127, false};
        CHECK_OK(oct_moments_round(t.moments, &how, scales, made, shift));
        squares[knows] = squares_of(&t, &wanted, &given, made, scales, shift);
        free(made);
        octet_tensor_free(&wanted);
        octet_tensor_free(&given);
        tear_down(&t);
    }
    if (!(squares[1] < 0.05 * squares[0]))
        fail_msg("error %g, and %g where the loss is not known", squares[1], squares[0]);
}

/* Input that is always the same tells nothing: the nearest numbers. */
static void constant_input_rounds_to_the_nearest(void **state)
{
    (void)state;
    static const problem p = {OCT_OP_MatMul, 50, 0, 0, 0, 3, 0, 0, 0, 0, 0, 8, false};
    uint64_t seed = 5;
    setup t;
    float zeros[400] = {0}, scales[3] = {0.01f, 0.02f, 0.03f};
    double shift[3];
    int8_t made[24];
    const octet_tensor x = {OCTET_F32, 2, {50, 8}, zeros, sizeof zeros};
    set_up(&p, &seed, &t);
    const float *w = t.graph.values[t.w].data;
    CHECK_OK(oct_moments_add(t.moments, &t.graph, t.node, &x, &x, 7));
    const oct_round_options how = {w, NULL, scales, 127, true};
    CHECK_OK(oct_moments_round(t.moments, &how, scales, made, shift));
    for (int i = 0; i < 24; i++)
        assert_int_equal(made[i], (int)fmax(fmin(rint((double)w[i] / scales[i % 3]), 127), -127));
    tear_down(&t);
}

/* Of a long sample some rows are multiplied, all make the mean. */
static void parts_of_samples(void **state)
{
    (void)state;
    const problem *p = &problems[6];
    uint64_t seed = 9;
    setup t;
    set_up(p, &seed, &t);
    octet_tensor x = make_input(p, &seed);
    CHECK_OK(oct_moments_add(t.moments, &t.graph, t.node, &x, &x, 100));
    assert_true(t.moments->seen == 400 && t.moments->count == 100);
    check_means(p, &t, &x);
    octet_tensor_free(&x);
    tear_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_error_than_the_nearest),
        cmocka_unit_test(takes_back_what_the_input_lost),
        cmocka_unit_test(constant_input_rounds_to_the_nearest),
        cmocka_unit_test(parts_of_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
