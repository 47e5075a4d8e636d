/* The digits network from the file to the scores: the same bytes as ONNX Runtime's CPU provider
 * (examples/digits holds them) in every batch size, what the pictures show, and what crosses the bus for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "npy.h"
#include "picture.h"

#include <octet/octet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"

enum { CLASSES = 10, COUNT = 360 };

/* Weights, and output channels of the four layers that have any (examples/digits/README.md). */
enum { WEIGHTS = 3 * 3 * 16 + 3 * 3 * 16 * 32 + 3 * 3 * 32 * 64 + 64 * 10, CHANNELS = 16 + 32 + 64 + 10 };

static octet_context *context;
static octet_model *model;
static octet_session *session;
static octet_tensor images, labels, expected;
static float input[COUNT * PICTURE_PIXELS];
static size_t count = COUNT; /* images to run; OCTET_TEST_IMAGES lowers it for slow devices */

static void need(octet_status status, const char *what)
{
    if (status != OCTET_OK)
        fail_msg("%s: %s: %s", what, octet_status_name(status), octet_last_error());
}

static int setup(void **state)
{
    (void)state;
    const char *images_wanted = getenv("OCTET_TEST_IMAGES");
    if (images_wanted && atoi(images_wanted) > 0 && atoi(images_wanted) < COUNT)
        count = (size_t)atoi(images_wanted);
    if (npy_read(DIGITS "test_images.npy", &images) || npy_read(DIGITS "test_labels.npy", &labels) ||
        npy_read(DIGITS "expected_scores.npy", &expected) ||
        octet_tensor_bytes(&images) != COUNT * PICTURE_PIXELS || octet_tensor_bytes(&labels) != COUNT ||
        octet_tensor_bytes(&expected) != COUNT * CLASSES * sizeof(float))
        return -1;
    for (size_t i = 0; i < COUNT * PICTURE_PIXELS; i++)
        input[i] = (float)((const uint8_t *)images.data)[i] / 16;
    if (octet_context_create(NULL, &context) ||
        octet_model_load(context, DIGITS "digits_int8.onnx", NULL, &model) ||
        octet_session_create(model, NULL, &session)) {
        print_error("%s\n", octet_last_error());
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    octet_session_destroy(session);
    octet_model_destroy(model);
    octet_context_destroy(context);
    octet_tensor_free(&images);
    octet_tensor_free(&labels);
    octet_tensor_free(&expected);
    return 0;
}

static void score(const float *from, size_t batch, float *scores)
{
    octet_tensor in = {OCTET_F32, 4, {(int64_t)batch, 1, PICTURE_SIDE, PICTURE_SIDE}, (float *)from, 0};
    octet_tensor out = {OCTET_F32, 2, {(int64_t)batch, CLASSES}, scores, batch * CLASSES * sizeof(float)};
    in.data_bytes = octet_tensor_bytes(&in);
    need(octet_session_run(session, &in, 1, &out, 1), "run");
    assert_int_equal(out.dims[0], batch);
    assert_int_equal(out.dims[1], CLASSES);
}

static int best(const float *scores)
{
    int digit = 0;
    for (int i = 1; i < CLASSES; i++)
        if (scores[i] > scores[digit])
            digit = i;
    return digit;
}

static void compare(const float *scores, size_t first, size_t part, size_t batch)
{
    const float *right = (const float *)expected.data + first * CLASSES;
    for (size_t i = 0; i < part * CLASSES; i++)
        if (memcmp(&scores[i], &right[i], sizeof(float)) != 0)
            fail_msg("batch %zu, image %zu, class %zu: %.9g, not %.9g", batch, first + i / CLASSES,
                     i % CLASSES, (double)scores[i], (double)right[i]);
}

static void test_bytes_of_every_batch(void **state)
{
    (void)state;
    static const size_t batches[] = {COUNT, 1, 2, 7, 64, 359};
    static float scores[COUNT * CLASSES];
    size_t ran = 0;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (size_t first = 0; first < count; first += batches[b]) {
            size_t part = count - first < batches[b] ? count - first : batches[b];
            memset(scores, 0xA5, sizeof scores);
            score(input + first * PICTURE_PIXELS, part, scores);
            compare(scores, first, part, batches[b]);
            ran += part;
        }
    assert_int_equal(ran, count * sizeof batches / sizeof *batches);
}

static void test_accuracy(void **state)
{
    (void)state;
    static float scores[COUNT * CLASSES];
    int right = 0;
    score(input, count, scores);
    for (size_t i = 0; i < count; i++)
        right += best(scores + i * CLASSES) == ((const uint8_t *)labels.data)[i];
    assert_true(right * 100 >= 97 * (int)count);
}

/* The pictures are held-out images enlarged, so their scores are among the expected ones, byte for byte. */
static void test_pictures(void **state)
{
    (void)state;
    static const int digits[] = {0, 2, 3, 5, 6, 9};
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        char path[512];
        float pixels[PICTURE_PIXELS], scores[CLASSES];
        snprintf(path, sizeof path, DIGITS "pictures/digit_%d.png", digits[i]);
        assert_int_equal(picture_read(path, pixels), 0);
        score(pixels, 1, scores);
        assert_int_equal(best(scores), digits[i]);
        int found = 0;
        for (size_t j = 0; j < COUNT && !found; j++)
            found = memcmp(scores, (const float *)expected.data + j * CLASSES, sizeof scores) == 0;
        if (!found)
            fail_msg("%s: its scores are none of the expected", path);
    }
}

static void test_traffic(void **state)
{
    (void)state;
    static float scores[COUNT * CLASSES];
    octet_session *shared = session;
    octet_counters counters;
    OCTET_INIT(counters);

    octet_context_counters_reset(context);
    need(octet_session_create(model, NULL, &session), "session");
    score(input, count, scores);
    need(octet_context_counters(context, &counters), "counters");
    print_message("weights up: %llu bytes for %d weights in %d channels\n",
                  (unsigned long long)counters.weight_bytes_up, WEIGHTS, CHANNELS);
    assert_true(counters.weight_bytes_up >= WEIGHTS);
    assert_true(counters.weight_bytes_up <= WEIGHTS + 12 * CHANNELS);

    octet_context_counters_reset(context);
    score(input, count, scores);
    need(octet_context_counters(context, &counters), "counters");
    assert_int_equal(counters.weight_bytes_up, 0);
    octet_device_info device;
    OCTET_INIT(device);
    need(octet_context_device(context, &device), "device");
    /* Where memory is not shared the host quantizes: bytes move, not floats. */
    const size_t each = device.unified_memory ? sizeof(float) : 1;
    assert_int_equal(counters.input_bytes_up, count * PICTURE_PIXELS * each);
    assert_int_equal(counters.output_bytes_down, count * CLASSES * each);
    assert_int_equal(counters.transfers, 2);
    assert_int_equal(counters.programs_built, 0);
    assert_true(counters.waits <= 1);

    /* A shape never seen before plans anew, and still moves no weights. */
    octet_context_counters_reset(context);
    score(input, 11, scores);
    need(octet_context_counters(context, &counters), "counters");
    assert_int_equal(counters.weight_bytes_up, 0);
    octet_session_destroy(session);
    session = shared;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_every_batch),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_traffic),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
