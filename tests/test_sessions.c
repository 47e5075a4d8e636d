/* One batch over several devices: the parts of the default device that OCTET_SPLIT makes, where its driver
 * can, else several contexts on it. Whatever the batch, the shares and who allocates, the bytes are those of
 * one session; what cannot be split is refused with the reason. */
#include "check.h"
#include "npy.h"

#include <pthread.h>
#include <stdbool.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"
#define DATA   OCTET_SOURCE_DIR "/tests/data/"

enum { MEMBERS = 3, PIXELS = 64, CLASSES = 10, COUNT = 360 };

static octet_context *contexts[MEMBERS];
static octet_model *models[MEMBERS];
static octet_session *sessions[MEMBERS];
static size_t parts; /* devices that are parts of one */
static octet_tensor images, expected;
static float input[COUNT * PIXELS];

/* Rows of the digits, from `first` on. */
static octet_tensor rows(int64_t first, int64_t count)
{
    return (octet_tensor){
        OCTET_F32, 4, {count, 1, 8, 8}, input + first * PIXELS, (size_t)count * PIXELS * sizeof(float)};
}

static void check_scores(const float *scores, int64_t first, int64_t count)
{
    const float *want = (const float *)expected.data + first * CLASSES;
    for (int64_t i = 0; i < count * CLASSES; i++) {
        if (memcmp(&scores[i], &want[i], sizeof *want) != 0)
            fail_msg("batch of %lld from %lld: row %lld, class %lld is %g, not %g", (long long)count,
                     (long long)first, (long long)(i / CLASSES), (long long)(i % CLASSES), (double)scores[i],
                     (double)want[i]);
    }
}

static void every_batch_gives_the_bytes_of_one_session(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 2, 3, 4, 5, 7, 32, 97, 360, 1, 0};
    static float scores[(COUNT + 1) * CLASSES];
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        int64_t count = batches[i], first = (int64_t)i * 13 % (COUNT - count + 1);
        octet_tensor in = rows(first, count);
        octet_tensor out = {.data = scores, .data_bytes = sizeof scores};
        memset(scores, GUARD, sizeof scores);
        CHECK_OK(octet_sessions_run(sessions, MEMBERS, NULL, &in, 1, &out, 1));
        assert_true(out.dtype == OCTET_F32 && out.rank == 2 && out.dims[0] == count &&
                    out.dims[1] == CLASSES);
        check_scores(scores, first, count);
        for (size_t b = (size_t)count * CLASSES * sizeof(float); b < sizeof scores; b++)
            assert_int_equal(((unsigned char *)scores)[b], GUARD);
        octet_tensor made = {0};
        CHECK_OK(octet_sessions_run(sessions, MEMBERS, NULL, &in, 1, &made, 1));
        assert_int_equal(made.data_bytes, (size_t)count * CLASSES * sizeof(float));
        check_scores(made.data, first, count);
        octet_tensor_free(&made);
    }
}

/* Rows that each context has been sent since the last look. */
static void take_rows(int64_t taken[MEMBERS])
{
    for (int i = 0; i < MEMBERS; i++) {
        octet_counters c;
        OCTET_INIT(c);
        CHECK_OK(octet_context_counters(contexts[i], &c));
        taken[i] = (int64_t)(c.input_bytes_up / (PIXELS * sizeof(float)));
        octet_context_counters_reset(contexts[i]);
    }
}

static void shares_divide_the_rows(void **state)
{
    (void)state;
    static const struct {
        double shares[MEMBERS];
        int64_t rows, taken[MEMBERS];
    } cases[] = {
        {{1, 1, 1}, 12, {4, 4, 4}},        {{1, 1, 1}, 2, {1, 0, 1}}, {{2, 1, 1}, 40, {20, 10, 10}},
        {{0, 1, 0}, 9, {0, 9, 0}},         {{1, 0, 3}, 8, {2, 0, 6}}, {{1e-9, 1, 1e-9}, 5, {0, 5, 0}},
        {{0.5, 0.25, 0.25}, 4, {2, 1, 1}},
    };
    static float scores[COUNT * CLASSES];
    int64_t taken[MEMBERS];
    take_rows(taken);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        octet_tensor in = rows(5, cases[i].rows), out = {.data = scores, .data_bytes = sizeof scores};
        CHECK_OK(octet_sessions_run(sessions, MEMBERS, cases[i].shares, &in, 1, &out, 1));
        check_scores(scores, 5, cases[i].rows);
        take_rows(taken);
        for (int m = 0; m < MEMBERS; m++) {
            if (taken[m] != cases[i].taken[m])
                fail_msg("case %zu: device %d took %lld rows, not %lld", i, m, (long long)taken[m],
                         (long long)cases[i].taken[m]);
        }
    }
}

static octet_status run_wrong(octet_session *const *who, size_t count, const double *shares,
                              const octet_tensor *in)
{
    octet_tensor out = {0};
    octet_status status = octet_sessions_run(who, count, shares, in, 1, &out, 1);
    assert_null(out.data);
    return status;
}

#define REFUSED(status, part, call)                                                                          \
    do {                                                                                                     \
        assert_int_equal(call, status);                                                                      \
        if (!strstr(octet_last_error(), part))                                                               \
            fail_msg("%s: %s", #call, octet_last_error());                                                   \
    } while (0)

static void mistakes_are_refused_with_the_reason(void **state)
{
    (void)state;
    octet_tensor in = rows(0, 8), wrong = in;
    octet_session *twice[] = {sessions[0], sessions[0]}, *missing[] = {sessions[0], NULL};
    const double negative[] = {1, -1, 1}, none[MEMBERS] = {0}, odd[] = {1, 0.0 / 0.0, 1};
    REFUSED(OCTET_INVALID_ARGUMENT, "are the same", run_wrong(twice, 2, NULL, &in));
    REFUSED(OCTET_INVALID_ARGUMENT, "session 1 is NULL", run_wrong(missing, 2, NULL, &in));
    REFUSED(OCTET_INVALID_ARGUMENT, "no sessions", run_wrong(sessions, 0, NULL, &in));
    REFUSED(OCTET_INVALID_ARGUMENT, "shares[1] is -1", run_wrong(sessions, MEMBERS, negative, &in));
    REFUSED(OCTET_INVALID_ARGUMENT, "shares[1]", run_wrong(sessions, MEMBERS, odd, &in));
    REFUSED(OCTET_INVALID_ARGUMENT, "all shares are 0", run_wrong(sessions, MEMBERS, none, &in));
    wrong.data_bytes--;
    REFUSED(OCTET_INVALID_ARGUMENT, "its data has", run_wrong(sessions, MEMBERS, NULL, &wrong));
    wrong = in;
    wrong.dims[3] = 7;
    REFUSED(OCTET_INVALID_ARGUMENT, "rows 0 to 2, on '", run_wrong(sessions, MEMBERS, NULL, &wrong));
    wrong = in;
    wrong.dtype = OCTET_U8;
    REFUSED(OCTET_INVALID_ARGUMENT, "its dtype is u8", run_wrong(sessions, MEMBERS, NULL, &wrong));
    float few[CLASSES];
    octet_tensor out = {.data = few, .data_bytes = sizeof few};
    REFUSED(OCTET_INVALID_ARGUMENT, "bytes given",
            octet_sessions_run(sessions, MEMBERS, NULL, &in, 1, &out, 1));
    REFUSED(OCTET_INVALID_ARGUMENT, "inputs and 2 outputs",
            octet_sessions_run(sessions, MEMBERS, NULL, &in, 1, &out, 2));
}

/* Two sessions of another network refuse this input. */
static void refused_network(const char *path, const octet_tensor *in, size_t outputs, octet_status status,
                            const char *part)
{
    octet_model *model = NULL;
    octet_session *pair[2] = {NULL, NULL};
    octet_tensor out[3] = {{0}};
    CHECK_OK(octet_model_load(contexts[0], path, NULL, &model));
    for (int i = 0; i < 2; i++)
        CHECK_OK(octet_session_create(model, NULL, &pair[i]));
    REFUSED(status, part, octet_sessions_run(pair, 2, NULL, in, 1, out, outputs));
    octet_session *mixed[] = {pair[0], sessions[0]};
    REFUSED(OCTET_INVALID_ARGUMENT, "of another network",
            octet_sessions_run(mixed, 2, NULL, in, 1, out, outputs));
    octet_session_destroy(pair[0]);
    octet_session_destroy(pair[1]);
    octet_model_destroy(model);
}

static void networks_that_cannot_be_split_are_refused(void **state)
{
    (void)state;
    static unsigned char bytes[4096];
    octet_tensor two = {OCTET_F32, 2, {4, 3}, bytes, 48}, fixed = {OCTET_U8, 4, {1, 3, 8, 8}, bytes, 192};
    refused_network(DATA "batch_dynamic_quantize.onnx", &two, 3, OCTET_UNSUPPORTED, "DynamicQuantizeLinear");
    refused_network(DATA "batch_max.onnx", &two, 1, OCTET_UNSUPPORTED, "does not have a row for each row");
    refused_network(DATA "conv.onnx", &fixed, 1, OCTET_INVALID_ARGUMENT, "no batch to split");
}

/* Several batches at the same time, each on sessions of its own. */
static void *run_often(void *argument)
{
    static const char problem[] = "a batch differs or failed";
    octet_session *mine[2] = {NULL, NULL};
    float scores[24 * CLASSES];
    const char *result = NULL;
    int which = *(const int *)argument;
    for (int i = 0; i < 2 && !result; i++)
        result = octet_session_create(models[(which + i) % MEMBERS], NULL, &mine[i]) ? problem : NULL;
    for (int run = 0; run < 6 && !result; run++) {
        int64_t first = which * 40 + run * 5, count = 1 + run * 4;
        octet_tensor in = rows(first, count), out = {.data = scores, .data_bytes = sizeof scores};
        bool right = octet_sessions_run(mine, 2, NULL, &in, 1, &out, 1) == OCTET_OK &&
                     memcmp(scores, (const float *)expected.data + first * CLASSES,
                            (size_t)count * CLASSES * sizeof(float)) == 0;
        result = right ? NULL : problem;
    }
    octet_session_destroy(mine[0]);
    octet_session_destroy(mine[1]);
    return (void *)(uintptr_t)result;
}

static void batches_of_different_sessions_run_at_once(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int which[THREADS];
    for (int i = 0; i < THREADS; i++) {
        which[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &which[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *problem;
        assert_int_equal(pthread_join(threads[i], &problem), 0);
        assert_null(problem);
    }
}

static int set_up(void **state)
{
    (void)state;
    size_t before = 0;
    if (npy_read(DIGITS "test_images.npy", &images) || npy_read(DIGITS "expected_scores.npy", &expected) ||
        octet_tensor_bytes(&images) != COUNT * PIXELS)
        return -1;
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        input[i] = (float)((const uint8_t *)images.data)[i] / 16;
    bool named = getenv("OCTET_DEVICE") && *getenv("OCTET_DEVICE");
    if (octet_device_count(&before) || before == 0)
        return -1;
    setenv("OCTET_SPLIT", "2", 1);
    size_t after = 0;
    if (octet_device_count(&after))
        return -1;
    parts = after > before ? 2 : 1;
    print_message("%zu devices of %zu\n", after, before);
    for (size_t i = 0; i < MEMBERS; i++) {
        octet_context_desc desc;
        octet_session_desc session;
        OCTET_INIT(desc);
        OCTET_INIT(session);
        session.border = OCTET_BORDER_DEVICE; /* so that rows can be counted by bytes */
        desc.device = named ? NULL : i % parts ? "1" : "0";
        if (octet_context_create(&desc, &contexts[i]) ||
            octet_model_load(contexts[i], DIGITS "digits_int8.onnx", NULL, &models[i]) ||
            octet_session_create(models[i], &session, &sessions[i])) {
            print_error("%s\n", octet_last_error());
            return -1;
        }
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        octet_session_destroy(sessions[i]);
        octet_model_destroy(models[i]);
        octet_context_destroy(contexts[i]);
    }
    octet_tensor_free(&images);
    octet_tensor_free(&expected);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_batch_gives_the_bytes_of_one_session),
        cmocka_unit_test(shares_divide_the_rows),
        cmocka_unit_test(mistakes_are_refused_with_the_reason),
        cmocka_unit_test(networks_that_cannot_be_split_are_refused),
        cmocka_unit_test(batches_of_different_sessions_run_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
