/* One context used from many threads, as octet.h promises: sessions of one model and GEMMs made, run and
 * destroyed at the same time give the bytes they give alone, the model can be looked at meanwhile at any
 * shapes, and each thread has its own error text. scripts/test runs this program under the thread sanitizer
 * too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "npy.h"

#include <octet/octet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"

enum { MOST_THREADS = 64, RUNS = 6, PIXELS = 64, CLASSES = 10, COUNT = 360 };
enum { GEMM_M = 5, GEMM_N = 33, GEMM_K = 17 };

static octet_context *context;
static octet_model *model;
static octet_tensor images, expected;
static uint64_t memory_limit;
static float input[COUNT * PIXELS];

/* What a thread found: CMocka's asserts belong to the main thread. */
typedef struct worker {
    pthread_t thread;
    int index, rounds;
    int runs;
    char problem[256]; /* "" when all is well */
} worker;

static int complain(worker *w, const char *what)
{
    snprintf(w->problem, sizeof w->problem, "thread %d: %s: %s", w->index, what, octet_last_error());
    return -1;
}

static int run_network(worker *w)
{
    float scores[16 * CLASSES];
    octet_session *session = NULL;
    int result = 0;
    octet_session_desc desc;
    OCTET_INIT(desc);
    bool streams = w->index % 2; /* short of memory: one picture at a time */
    desc.memory_limit = streams ? memory_limit : 0;
    if (octet_session_create(model, &desc, &session) != OCTET_OK)
        return complain(w, "session create");
    for (int run = 0; run < RUNS && result == 0; run++) {
        /* Batches of 1 to 16, from a different place in each thread and run. */
        int64_t batch = streams ? 1 : 1 + (w->index * 5 + run) % 3 * 5;
        size_t first = (size_t)(w->index * 53 + run * 29) % (COUNT - 16);
        octet_tensor in = {
            OCTET_F32, 4, {batch, 1, 8, 8}, input + first * PIXELS, (size_t)batch * PIXELS * 4};
        octet_tensor out = {OCTET_F32, 2, {batch, CLASSES}, scores, sizeof scores};
        memset(scores, 0xA5, sizeof scores);
        if (octet_session_run(session, &in, 1, &out, 1) != OCTET_OK)
            result = complain(w, "session run");
        else if (memcmp(scores, (const float *)expected.data + first * CLASSES,
                        (size_t)batch * CLASSES * sizeof(float)) != 0)
            result = complain(w, "scores differ");
        w->runs++;
    }
    octet_session_info info;
    OCTET_INIT(info);
    if (result == 0 &&
        (octet_session_get_info(session, &info) != OCTET_OK || streams != (info.streamed_bytes > 0)))
        result = complain(w, "weights are streamed where they fit, or the other way round");
    octet_session_destroy(session);
    return result;
}

static int run_gemm(worker *w)
{
    int8_t b[GEMM_K * GEMM_N];
    uint8_t a[GEMM_M * GEMM_K];
    int32_t c[GEMM_M * GEMM_N];
    octet_gemm *gemm = NULL;
    octet_gemm_desc desc;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = (uint8_t)(i * 37 + (size_t)w->index * 101);
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (int8_t)(i * 59 + (size_t)w->index * 7);
    OCTET_INIT(desc);
    desc.m = GEMM_M;
    desc.n = GEMM_N;
    desc.k = GEMM_K;
    desc.a_dtype = OCTET_U8;
    desc.b_dtype = OCTET_S8;
    octet_status status = octet_gemm_create(context, &desc, b, &gemm);
    if (status == OCTET_OK)
        status = octet_gemm_run(gemm, a, NULL, c);
    octet_gemm_destroy(gemm);
    if (status != OCTET_OK)
        return complain(w, "gemm");
    for (int m = 0; m < GEMM_M; m++)
        for (int n = 0; n < GEMM_N; n++) {
            int32_t sum = 0;
            for (int k = 0; k < GEMM_K; k++)
                sum += a[m * GEMM_K + k] * b[k * GEMM_N + n];
            if (c[m * GEMM_N + n] != sum)
                return complain(w, "gemm result differs");
        }
    return 0;
}

/* The model at this thread's own batch, while others look at theirs and run sessions of it. */
static int inspect(worker *w)
{
    int64_t macs[2] = {0};
    for (int k = 0; k < 2; k++) {
        octet_value_info image;
        octet_session_desc desc;
        octet_inspection *inspection = NULL;
        OCTET_INIT(image);
        OCTET_INIT(desc);
        if (octet_model_input(model, 0, &image) != OCTET_OK)
            return complain(w, "input");
        image.dims[0] = k ? 1 + w->index : 1;
        desc.inputs = &image;
        desc.input_count = 1;
        if (octet_inspection_create(model, &desc, &inspection) != OCTET_OK)
            return complain(w, "inspection");
        for (size_t i = 0; i < octet_inspection_node_count(inspection); i++) {
            octet_node_info node;
            OCTET_INIT(node);
            if (octet_inspection_node(inspection, i, &node) != OCTET_OK)
                return complain(w, "node");
            macs[k] += node.macs;
        }
        octet_inspection_destroy(inspection);
    }
    if (macs[0] <= 0 || macs[1] != (1 + w->index) * macs[0])
        return complain(w, "multiply-adds are not those of this thread's batch");
    return 0;
}

/* A mistake of this thread's own, and its text: the other threads make theirs at the same time. */
static int make_error(worker *w)
{
    char name[64];
    octet_model *none = NULL;
    snprintf(name, sizeof name, "no-such-model-%d.onnx", w->index);
    if (octet_model_load(context, name, NULL, &none) == OCTET_OK || none)
        return complain(w, "a missing file was loaded");
    if (!strstr(octet_last_error(), name))
        return complain(w, "the error text is not this thread's");
    return 0;
}

static void *work(void *argument)
{
    worker *w = argument;
    for (int round = 0; round < w->rounds; round++)
        if (run_network(w) != 0 || run_gemm(w) != 0 || inspect(w) != 0 || make_error(w) != 0)
            break;
    return NULL;
}

static void run_threads(int threads, int rounds)
{
    static worker workers[MOST_THREADS];
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < threads; i++) {
        workers[i].index = i;
        workers[i].rounds = rounds;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    int runs = 0;
    for (int i = 0; i < threads; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        runs += workers[i].runs;
    }
    for (int i = 0; i < threads; i++)
        if (workers[i].problem[0])
            fail_msg("%s", workers[i].problem);
    assert_int_equal(runs, threads * rounds * RUNS);
}

static void test_some_threads(void **state)
{
    (void)state;
    run_threads(6, 4);
}

/* Many more than there are processors: each waits for the others most of the time. */
static void test_64_threads(void **state)
{
    (void)state;
    run_threads(MOST_THREADS, 1);
}

static int setup(void **state)
{
    (void)state;
    if (npy_read(DIGITS "test_images.npy", &images) || npy_read(DIGITS "expected_scores.npy", &expected) ||
        octet_tensor_bytes(&images) != COUNT * PIXELS ||
        octet_tensor_bytes(&expected) != COUNT * CLASSES * sizeof(float))
        return -1;
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        input[i] = (float)((const uint8_t *)images.data)[i] / 16;
    if (octet_context_create(NULL, &context) ||
        octet_model_load(context, DIGITS "digits_int8.onnx", NULL, &model)) {
        print_error("%s\n", octet_last_error());
        return -1;
    }
    octet_session_info info;
    OCTET_INIT(info);
    if (octet_model_plan(model, NULL, &info))
        return -1;
    memory_limit = info.device_bytes - 1; /* of one picture */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    octet_model_destroy(model);
    octet_context_destroy(context);
    octet_tensor_free(&images);
    octet_tensor_free(&expected);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_some_threads),
                                       cmocka_unit_test(test_64_threads)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
