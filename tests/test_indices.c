/* Indices that are known only in a run: one that is out of range is an error of that run, with node, tensor,
 * position and number, wherever it is waited for, and the next run is as good as any. Networks:
 * tests/data/make_models.py. */
#include "check.h"

#include <limits.h>
#include <octet/opencl.h>
#include <stdbool.h>

#define DATA OCTET_SOURCE_DIR "/tests/data/"
enum { FLAG_BYTES = 24, MOST_OUTPUTS = 3 };

static octet_context *context;

static octet_session *open_session(const char *file)
{
    octet_model *model;
    octet_session *session;
    CHECK_OK(octet_model_load(context, file, NULL, &model));
    CHECK_OK(octet_session_create(model, NULL, &session));
    octet_model_destroy(model);
    return session;
}

/* A network with data x and integers that an operator takes as positions. */
static const struct network {
    const char *file, *start, *name;
    octet_dtype x_dtype, dtype;
    int x_rank, rank, outputs;
    int64_t x_dims[3], dims[2];
    int64_t low, high; /* what is in range */
} networks[] = {
    {DATA "gather.onnx", "Gather (node 'n')", "i", OCTET_F32, OCTET_S64, 2, 2, 1, {4, 3}, {2, 2}, -4, 3},
    {DATA "gather_axis.onnx", "Gather (node 'n')", "i", OCTET_U8, OCTET_S32, 3, 1, 1, {2, 5, 3}, {3}, -5, 4},
    {DATA "lstm_lengths.onnx", "LSTM (node 'n')", "l", OCTET_F32, OCTET_S32, 3, 1, 3, {5, 2, 3}, {2}, 0, 5},
    {DATA "gru_lengths.onnx", "GRU (node 'n')", "l", OCTET_F32, OCTET_S32, 3, 1, 1, {5, 2, 3}, {2}, 0, 5},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

typedef struct data {
    unsigned char x[256];
    int64_t wide[8];
    int32_t narrow[8];
    octet_tensor in[2];
    int64_t count;
} data;

static void make_data(const struct network *n, data *d)
{
    memset(d, 0, sizeof *d);
    d->in[0] = (octet_tensor){.dtype = n->x_dtype, .rank = n->x_rank, .data = d->x};
    d->in[1] = (octet_tensor){.dtype = n->dtype, .rank = n->rank};
    memcpy(d->in[0].dims, n->x_dims, sizeof n->x_dims);
    memcpy(d->in[1].dims, n->dims, sizeof n->dims);
    d->in[0].data_bytes = octet_tensor_bytes(&d->in[0]);
    d->in[1].data_bytes = octet_tensor_bytes(&d->in[1]);
    d->in[1].data = n->dtype == OCTET_S64 ? (void *)d->wide : (void *)d->narrow;
    d->count = (int64_t)(d->in[1].data_bytes / octet_dtype_bytes(n->dtype));
    assert_true(d->in[0].data_bytes <= sizeof d->x && d->count <= 8);
    for (size_t i = 0; i < d->in[0].data_bytes; i++)
        d->x[i] = (unsigned char)(n->x_dtype == OCTET_U8 ? i + 1 : 0);
    for (size_t i = 0; n->x_dtype == OCTET_F32 && i < d->in[0].data_bytes / 4; i++) {
        float f = (float)i;
        memcpy(d->x + 4 * i, &f, sizeof f);
    }
}

/* All in range, both ends among them; then one of them this. */
static void set_indices(const struct network *n, data *d, int64_t at, int64_t number)
{
    for (int64_t i = 0; i < d->count; i++) {
        int64_t good = i % 2 ? n->low : n->high;
        d->wide[i] = i == at ? number : good;
        d->narrow[i] = (int32_t)d->wide[i];
    }
}

static octet_status run(octet_session *s, const struct network *n, const data *d, octet_tensor *out)
{
    memset(out, 0, MOST_OUTPUTS * sizeof *out);
    return octet_session_run(s, d->in, 2, out, (size_t)n->outputs);
}

static void free_outputs(octet_tensor *out)
{
    for (int i = 0; i < MOST_OUTPUTS; i++)
        octet_tensor_free(&out[i]);
}

static void expect_good(octet_session *s, const struct network *n, data *d)
{
    octet_tensor out[MOST_OUTPUTS];
    set_indices(n, d, -1, 0);
    CHECK_OK(run(s, n, d, out));
    if (n->low < 0) { /* Gather: the last row of its axis, then the first */
        size_t inner = 3 * octet_dtype_bytes(n->x_dtype);
        assert_memory_equal(out[0].data, d->x + (size_t)n->high * inner, inner);
        assert_memory_equal((char *)out[0].data + inner, d->x, inner);
    }
    free_outputs(out);
}

static void expect_bad(octet_session *s, const struct network *n, data *d, int64_t at, int64_t number)
{
    octet_tensor out[MOST_OUTPUTS];
    char expected[160];
    set_indices(n, d, at, number);
    snprintf(expected, sizeof expected, "%s: element %lld of '%s' is %lld; it must be from %lld to %lld",
             n->start, (long long)at, n->name, (long long)number, (long long)n->low, (long long)n->high);
    assert_int_equal(run(s, n, d, out), OCTET_INVALID_ARGUMENT);
    assert_string_equal(octet_last_error(), expected);
    for (int i = 0; i < n->outputs; i++)
        assert_null(out[i].data);
}

static void every_place_and_number(void **state)
{
    (void)state;
    int cases = 0;
    for (int k = 0; k < NETWORKS; k++) {
        const struct network *n = &networks[k];
        octet_session *s = open_session(n->file);
        data d;
        make_data(n, &d);
        expect_good(s, n, &d);
        const bool wide = n->dtype == OCTET_S64;
        const int64_t bad[] = {n->low - 1, n->high + 1, wide ? INT64_MIN : INT32_MIN,
                               wide ? INT64_MAX : INT32_MAX};
        for (int64_t at = 0; at < d.count; at++) {
            for (int b = 0; b < 4; b++, cases++)
                expect_bad(s, n, &d, at, bad[b]);
            expect_good(s, n, &d); /* nothing is left of it */
        }
        octet_session_destroy(s);
    }
    assert_int_equal(cases, 4 * (4 + 3 + 2 + 2));
}

/* Of several, one is told. */
static void several(void **state)
{
    (void)state;
    const struct network *n = &networks[0];
    octet_session *s = open_session(n->file);
    octet_tensor out[MOST_OUTPUTS];
    data d;
    make_data(n, &d);
    for (int i = 0; i < 4; i++)
        d.wide[i] = 100 + i;
    assert_int_equal(run(s, n, &d, out), OCTET_INVALID_ARGUMENT);
    int at;
    assert_int_equal(sscanf(octet_last_error(), "Gather (node 'n'): element %d of", &at), 1);
    char expected[64];
    snprintf(expected, sizeof expected, "element %d of 'i' is %d; it must", at, 100 + at);
    assert_non_null(strstr(octet_last_error(), expected));
    expect_good(s, n, &d);
    octet_session_destroy(s);
}

static octet_counters counters_of_a_run(octet_session *s, const octet_tensor *in, size_t inputs)
{
    octet_counters c;
    octet_tensor out = {0};
    octet_context_counters_reset(context);
    CHECK_OK(octet_session_run(s, in, inputs, &out, 1));
    OCTET_INIT(c);
    CHECK_OK(octet_context_counters(context, &c));
    octet_tensor_free(&out);
    return c;
}

/* The flag comes with the outputs: no wait more, no launch more; and not at all where indices are known. */
static void what_it_costs(void **state)
{
    (void)state;
    const struct network *n = &networks[0];
    data d;
    make_data(n, &d);
    set_indices(n, &d, -1, 0);
    octet_session *s = open_session(n->file);
    octet_counters c = counters_of_a_run(s, d.in, 2);
    octet_session_destroy(s);
    assert_int_equal(c.input_bytes_up, 48 + 32);
    assert_int_equal(c.output_bytes_down, 48 + FLAG_BYTES);
    assert_int_equal(c.weight_bytes_up, 0);
    assert_int_equal(c.transfers, 4);
    assert_int_equal(c.launches, 1);
    assert_int_equal(c.waits, 1);
    s = open_session(DATA "gather_constant.onnx");
    c = counters_of_a_run(s, d.in, 1);
    octet_session_destroy(s);
    assert_int_equal(c.output_bytes_down, 24);
    assert_int_equal(c.transfers, 2);
    assert_int_equal(c.waits, 1);
}

/* What is computed once, when a session is made, fails then. */
static void made_with_the_session(void **state)
{
    (void)state;
    octet_model *model;
    octet_session *s;
    CHECK_OK(octet_model_load(context, DATA "gather_loaded.onnx", NULL, &model));
    CHECK_FAILS(octet_session_create(model, NULL, &s), OCTET_INVALID_ARGUMENT,
                "Gather (node 'n'): element 1 of 'i' is 9; it must be from -4 to 3");
    assert_null(s);
    octet_model_destroy(model);
}

/* A run that is only enqueued is told of when somebody waits. */
static void enqueued(void **state)
{
    (void)state;
    const struct network *n = &networks[0];
    octet_session *s = open_session(n->file);
    data d;
    make_data(n, &d);
    CHECK_OK(octet_session_finish(s));
    cl_int error;
    cl_context cl = octet_context_cl(context);
    for (int round = 0; round < 4; round++) {
        const bool bad = round % 2 == 1;
        set_indices(n, &d, bad ? round : -1, 4);
        cl_mem in[2];
        for (int i = 0; i < 2; i++) {
            in[i] = clCreateBuffer(cl, CL_MEM_COPY_HOST_PTR, d.in[i].data_bytes, d.in[i].data, &error);
            assert_int_equal(error, CL_SUCCESS);
        }
        cl_mem out = clCreateBuffer(cl, 0, 48, NULL, &error);
        assert_int_equal(error, CL_SUCCESS);
        CHECK_OK(octet_session_enqueue(s, NULL, in, 2, &out, 1, NULL));
        char expected[64];
        snprintf(expected, sizeof expected, "Gather (node 'n'): element %d of 'i' is 4;", round);
        if (bad)
            CHECK_FAILS(octet_session_finish(s), OCTET_INVALID_ARGUMENT, expected);
        CHECK_OK(octet_session_finish(s));
        clReleaseMemObject(in[0]);
        clReleaseMemObject(in[1]);
        clReleaseMemObject(out);
    }
    CHECK_FAILS(octet_session_finish(NULL), OCTET_INVALID_ARGUMENT, "session");
    octet_session_destroy(s);
}

static int open_context(void **state)
{
    (void)state;
    return octet_context_create(NULL, &context) != OCTET_OK;
}

static int close_context(void **state)
{
    (void)state;
    octet_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_and_number), cmocka_unit_test(several),  cmocka_unit_test(what_it_costs),
        cmocka_unit_test(made_with_the_session),  cmocka_unit_test(enqueued),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
