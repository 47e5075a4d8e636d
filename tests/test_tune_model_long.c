/* Every convolution and product of the digits network tuned on the device that is here: the tuned network
 * gives the bytes it gave before, at the shapes that were tuned and at others. Long for the kernels it
 * compiles. */
#include "check.h"
#include "npy.h"

#include <octet/experimental.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"

enum { PIXELS = 64, CLASSES = 10, COUNT = 360, BATCH = 3 };

static char folder[] = "/tmp/octet-tune-model-XXXXXX";
static octet_tensor images, expected;
static float input[COUNT * PIXELS];

static octet_context *open_context(octet_model **model)
{
    octet_context_desc desc;
    octet_context *context = NULL;
    OCTET_INIT(desc);
    desc.cache_dir = folder;
    CHECK_OK(octet_context_create(&desc, &context));
    CHECK_OK(octet_model_load(context, DIGITS "digits_int8.onnx", NULL, model));
    return context;
}

static void check_network(octet_model *model)
{
    static const int64_t batches[] = {1, BATCH, 17, COUNT};
    static float scores[COUNT * CLASSES];
    octet_session *session = NULL;
    CHECK_OK(octet_session_create(model, NULL, &session));
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        octet_tensor in = {OCTET_F32, 4, {batches[i], 1, 8, 8}, input, 0};
        octet_tensor out = {.data = scores, .data_bytes = sizeof scores};
        in.data_bytes = octet_tensor_bytes(&in);
        CHECK_OK(octet_session_run(session, &in, 1, &out, 1));
        assert_memory_equal(scores, expected.data, octet_tensor_bytes(&out));
    }
    octet_session_destroy(session);
}

static int count(void *user, const octet_tune_result *result)
{
    print_message("%s: %s in %lld, %zu tried\n", result->problem, result->variant, (long long)result->spread,
                  result->tried);
    if (*result->dropped)
        fail_msg("dropped: %s", result->dropped);
    ++*(int *)user;
    return 0;
}

static void a_tuned_network_gives_the_same_bytes(void **state)
{
    (void)state;
    octet_model *model = NULL;
    octet_context *context = open_context(&model);
    octet_tune_desc tune;
    octet_session_desc session;
    octet_value_info shape;
    int tuned = 0, known = 0;
    check_network(model);
    OCTET_INIT(tune);
    OCTET_INIT(session);
    OCTET_INIT(shape);
    CHECK_OK(octet_model_input(model, 0, &shape));
    shape.dims[0] = BATCH;
    session.inputs = &shape;
    session.input_count = 1;
    tune.found = count;
    tune.user = &tuned;
    CHECK_OK(octet_tune_model(model, &session, &tune));
    assert_int_equal(tuned, 4); /* three convolutions and a product */
    octet_model_destroy(model);
    octet_context_destroy(context);
    context = open_context(&model);
    CHECK_OK(octet_tuning_list(context, count, &known));
    assert_int_equal(known, tuned);
    check_network(model);
    octet_model_destroy(model);
    octet_context_destroy(context);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || npy_read(DIGITS "test_images.npy", &images) ||
        npy_read(DIGITS "expected_scores.npy", &expected) || octet_tensor_bytes(&images) != COUNT * PIXELS)
        return -1;
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        input[i] = (float)((const uint8_t *)images.data)[i] / 16;
    return 0;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    octet_tensor_free(&images);
    octet_tensor_free(&expected);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_tuned_network_gives_the_same_bytes)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
