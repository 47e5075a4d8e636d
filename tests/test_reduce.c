/* Reductions, ArgMax and ArgMin, Softmax on the device against src/ref. */
#include "harness.h"
#include "quant.h"
#include "reduce.h"
#include "ref.h"
#include "softmax.h"

#include <math.h>

typedef struct shape {
    int64_t outer, axis, inner;
} shape;

static const shape shapes[] = {{1, 1, 1}, {3, 5, 17}, {2, 1000, 1}, {1, 7, 300}, {4, 49, 16}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MOST = 4 * 49 * 16 };

static float x[MOST], want[MOST], y[MOST + 4];

static void fill(const shape *s, float least)
{
    uint64_t seed = 3;
    for (int64_t i = 0; i < s->outer * s->axis * s->inner; i++)
        x[i] = least + (float)(check_random(&seed) % 1000) / 400.0f;
}

static void compare(const char *what, const shape *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabsf(y[i] - want[i]) <= fabsf(want[i]) * 2e-5f + 1e-6f)) {
            print_error("%s [%lld][%lld][%lld]: y[%lld] is %.9g, not %.9g\n", what, (long long)s->outer,
                        (long long)s->axis, (long long)s->inner, (long long)i, (double)y[i], (double)want[i]);
            fail();
        }
    }
}

static void reductions(void **state)
{
    (void)state;
    static const struct {
        oct_ref_reduction ref;
        oct_combine combine;
        oct_before before;
        oct_after after;
    } ops[] = {{OCT_REF_SUM, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
               {OCT_REF_MEAN, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_SCALE},
               {OCT_REF_PROD, OCT_COMBINE_PROD, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
               {OCT_REF_L1, OCT_COMBINE_SUM, OCT_BEFORE_ABS, OCT_AFTER_NOTHING},
               {OCT_REF_L2, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_SQRT},
               {OCT_REF_SUM_SQUARE, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_NOTHING},
               {OCT_REF_LOG_SUM, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_LOG}};
    for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            if (ops[k].ref == OCT_REF_PROD && s->axis > 100)
                continue;
            fill(s, ops[k].ref == OCT_REF_LOG_SUM || ops[k].ref == OCT_REF_PROD ? 0.1f : -1.0f);
            int64_t nx = s->outer * s->axis * s->inner, ny = s->outer * s->inner;
            oct_ref_reduce(ops[k].ref, x, s->outer, s->axis, s->inner, want);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &nx, x, true),
                        ty = harness_output(&r, OCTET_F32, 1, &ny);
            octet_status built =
                oct_reduce(&r, oct_device_caps(device), ops[k].combine, ops[k].before, ops[k].after,
                           1.0f / (float)s->axis, tx.mem, s->outer, s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "reduce");
            compare("reduce", s, ny);
        }
    }
}

/* Which axes of four are reduced, by bit. */
static const struct {
    int64_t dims[4];
    unsigned axes;
} q_shapes[] = {{{1, 1, 1, 1}, 15},  {{3, 5, 17, 1}, 2},  {{2, 3, 1, 1000}, 8}, {{1, 7, 300, 1}, 2},
                {{2, 16, 7, 7}, 12}, {{2, 16, 7, 7}, 10}, {{3, 4, 5, 33}, 5},   {{3, 4, 5, 33}, 15},
                {{2, 3, 5, 16}, 0},  {{40, 3, 2, 15}, 8}, {{1, 64, 31, 32}, 2}, {{0, 3, 2, 2}, 2}};

/* The elements of each result side by side: [results][total], for the reference. */
static void gather(const int64_t *dims, unsigned axes, size_t elem, const unsigned char *from,
                   unsigned char *to)
{
    int64_t n = dims[0] * dims[1] * dims[2] * dims[3], results = 1, total = 1;
    for (int d = 0; d < 4; d++)
        *(axes >> d & 1 ? &total : &results) *= dims[d];
    for (int64_t e = 0; e < n; e++) {
        int64_t rest = e, at[4], row = 0, column = 0;
        for (int d = 3; d >= 0; d--) {
            at[d] = rest % dims[d];
            rest /= dims[d];
        }
        for (int d = 0; d < 4; d++) {
            int64_t *index = axes >> d & 1 ? &column : &row;
            *index = *index * dims[d] + at[d];
        }
        memcpy(to + (size_t)(row * total + column) * elem, from + (size_t)e * elem, elem);
    }
}

static void q_case(size_t which, oct_ref_q_reduction op, octet_dtype t, uint64_t seed)
{
    static _Alignas(2) unsigned char in[1 << 18], sorted[1 << 18], out[1 << 18], expected[1 << 18];
    size_t elem = oct_dtype_bytes(t);
    const int64_t *dims = q_shapes[which].dims;
    int64_t n = dims[0] * dims[1] * dims[2] * dims[3], kept[4], results = 1;
    uint64_t s = seed;
    float scales[2] = {check_scale(&s), check_random(&s) & 1 ? 0.5f : check_scale(&s)};
    _Alignas(2) unsigned char zeros[2][2];
    check_fill(&s, t, zeros[0], sizeof zeros, 0);
    check_fill(&s, t, in, (size_t)n * elem, elem > 1 ? 0 : (int)(seed % 3));
    memset(in, 0xff, elem > 1 && seed % 3 == 1 ? (size_t)n * elem : 0); /* the largest number of u16 */
    oct_recipe r;
    oct_recipe_init(&r);
    oct_q_reduce_request q = {.combine = op == OCT_REF_Q_MIN   ? OCT_COMBINE_MIN
                                         : op == OCT_REF_Q_MAX ? OCT_COMBINE_MAX
                                                               : OCT_COMBINE_SUM,
                              .mean = op == OCT_REF_Q_MEAN,
                              .x = harness_operand(&r, t, 4, dims, in, true),
                              .x_q = harness_quant(&r, t, &scales[0], 1, zeros[0], seed % 5 != 0),
                              .y_q = harness_quant(&r, t, &scales[1], 1, zeros[1], seed % 7 != 0)};
    for (int d = 0; d < 4; d++) {
        q.reduced[d] = q_shapes[which].axes >> d & 1;
        results *= kept[d] = q.reduced[d] ? 1 : dims[d];
    }
    q.y = harness_output(&r, t, 4, kept);
    oct_ref_q_parameters p = {t, scales[0], scales[1], 0, 0};
    if (q.x_q.zero_count)
        p.x_zero = oct_ref_load(t, zeros[0], 0);
    if (q.y_q.zero_count)
        p.y_zero = oct_ref_load(t, zeros[1], 0);
    gather(dims, q_shapes[which].axes, elem, in, sorted);
    oct_ref_q_reduce(op, &p, sorted, results, results ? n / results : 1, 1, expected);
    char what[96];
    snprintf(what, sizeof what, "reduction %d of shape %zu, %s, seed %llu", (int)op, which, oct_dtype_name(t),
             (unsigned long long)seed);
    octet_status built = oct_q_reduce(&r, oct_device_caps(device), &q);
    harness_run(&r, built, &(harness_io){q.x.mem, in}, 1, &(harness_io){q.y.mem, out}, 1, what);
    harness_compare(out, expected, (size_t)results * elem, what);
}

static void reductions_of_integers_are_exact(void **state)
{
    (void)state;
    static const octet_dtype types[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16};
    for (size_t which = 0; which < sizeof q_shapes / sizeof *q_shapes; which++) {
        for (int op = OCT_REF_Q_MIN; op <= OCT_REF_Q_MEAN; op++) {
            for (uint64_t k = 0; k < 8; k++)
                q_case(which, (oct_ref_q_reduction)op, types[k % 4], 1 + k + which * 31 + (uint64_t)op * 7);
        }
    }
}

static void sums_that_could_wrap_are_refused(void **state)
{
    (void)state;
    const int64_t dims[] = {oct_sum_most(OCTET_U8) + 1}, one[] = {1};
    const float scale = 1.0f;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_q_reduce_request q = {.combine = OCT_COMBINE_SUM,
                              .reduced = {true},
                              .x = harness_operand(&r, OCTET_U8, 1, dims, NULL, true),
                              .y = harness_output(&r, OCTET_U8, 1, one),
                              .x_q = harness_quant(&r, OCTET_U8, &scale, 1, NULL, 0),
                              .y_q = harness_quant(&r, OCTET_U8, &scale, 1, NULL, 0)};
    assert_int_equal(oct_q_reduce(&r, oct_device_caps(device), &q), OCTET_UNSUPPORTED);
    oct_recipe_free(&r);
}

static void extremes(void **state)
{
    (void)state;
    static int64_t at[MOST], best[MOST];
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            fill(s, -1.0f); /* a thousand values: equal ones are frequent */
            int64_t nx = s->outer * s->axis * s->inner, ny = s->outer * s->inner;
            bool largest = k & 1, last = k & 2;
            oct_ref_arg_best(largest, last, x, s->outer, s->axis, s->inner, best);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &nx, x, true),
                        ty = harness_output(&r, OCTET_S64, 1, &ny);
            octet_status built = oct_arg_best(&r, oct_device_caps(device), largest, last, &tx, s->outer,
                                              s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, at}, 1, "arg");
            harness_compare((unsigned char *)at, (unsigned char *)best, (size_t)ny * 8, "arg");
        }
    }
}

static void softmaxes(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            fill(s, -1.0f);
            int64_t n = s->outer * s->axis * s->inner;
            oct_ref_softmax(k, x, s->outer, s->axis, s->inner, want);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                        ty = harness_output(&r, OCTET_F32, 1, &n);
            octet_status built =
                oct_softmax(&r, oct_device_caps(device), k, tx.mem, s->outer, s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "softmax");
            compare("softmax", s, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reductions), cmocka_unit_test(extremes),
                                       cmocka_unit_test(softmaxes),
                                       cmocka_unit_test(reductions_of_integers_are_exact),
                                       cmocka_unit_test(sums_that_could_wrap_are_refused)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
