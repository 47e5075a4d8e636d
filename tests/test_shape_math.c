/* A network whose shapes are computed from its input's shape, as PyTorch's exporter writes it: ONNX Runtime's
 * bytes for every shape, in one session, and no launch spent on shape arithmetic. tests/data/dynamic. */
#include "check.h"

#define FOLDER OCTET_SOURCE_DIR "/tests/data/dynamic/"

static const int64_t shapes[][3] = {{1, 3, 5}, {2, 4, 4}, {3, 1, 7}, {1, 8, 2}, {2, 3, 5}}; /* N, H, W */
enum { SHAPES = sizeof shapes / sizeof shapes[0], OUTPUTS = 7, IDS = 3, MOST = 3 * 4 * 8 * 8 };

static octet_context *context;
static octet_model *model;
static unsigned char expected[1 << 15];
static size_t expected_bytes;

/* Compare with what lies at `at` in expected; what follows it. */
static size_t run(octet_session *session, int shape, size_t at)
{
    const int64_t n = shapes[shape][0], h = shapes[shape][1], w = shapes[shape][2];
    static float x[MOST];
    int64_t ids[3 * IDS];
    for (int64_t i = 0; i < n * 4 * h * w; i++)
        x[i] = (float)(i * 3 % 41 - 20);
    for (int64_t i = 0; i < n * IDS; i++)
        ids[i] = i * 5 % 32 - 16; /* half of them count from the end */
    const octet_tensor in[2] = {{OCTET_F32, 4, {n, 4, h, w}, x, (size_t)(n * 4 * h * w) * 4},
                                {OCTET_S64, 2, {n, IDS}, ids, (size_t)(n * IDS) * 8}};
    octet_tensor out[OUTPUTS] = {{0}};
    CHECK_OK(octet_session_run(session, in, 2, out, OUTPUTS));
    for (int i = 0; i < OUTPUTS; i++) {
        size_t bytes = octet_tensor_bytes(&out[i]);
        assert_true(at + bytes <= expected_bytes);
        if (memcmp(out[i].data, expected + at, bytes) != 0)
            fail_msg("shape %d: output %d is not ONNX Runtime's", shape, i);
        at += bytes;
        octet_tensor_free(&out[i]);
    }
    return at;
}

static void every_shape(void **state)
{
    (void)state;
    octet_session *session;
    octet_session_info info;
    OCTET_INIT(info);
    CHECK_OK(octet_session_create(model, NULL, &session));
    for (int round = 0; round < 2; round++) {
        size_t at = 0;
        for (int i = 0; i < SHAPES; i++)
            at = run(session, i, at);
        assert_int_equal(at, expected_bytes);
    }
    CHECK_OK(octet_session_get_info(session, &info));
    /* Of 37 nodes; outputs that are constants are copied. */
    assert_in_range(info.launches, 5, 10);
    octet_session_destroy(session);
}

/* An index out of range is an error of the run, and must not read elsewhere: what it writes meanwhile is the
 * nearest row. */
static void wild_indices(void **state)
{
    (void)state;
    octet_session *session;
    CHECK_OK(octet_session_create(model, NULL, &session));
    float x[16] = {0}, row[3];
    int64_t ids[IDS] = {1, 2, 15};
    const octet_tensor in[2] = {{OCTET_F32, 4, {1, 4, 2, 2}, x, sizeof x},
                                {OCTET_S64, 2, {1, IDS}, ids, sizeof ids}};
    octet_tensor out[OUTPUTS] = {{0}};
    CHECK_OK(octet_session_run(session, in, 2, out, OUTPUTS));
    ids[0] = INT64_MAX;
    ids[1] = INT64_MIN;
    CHECK_FAILS(octet_session_run(session, in, 2, out, OUTPUTS), OCTET_INVALID_ARGUMENT,
                "Gather (node 'embedded'): element ");
    assert_non_null(strstr(octet_last_error(), "it must be from -16 to 15"));
    const float *embedded = out[2].data;
    assert_non_null(embedded); /* as it was given */
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++)
            row[k] = (float)((i == 1 ? 0 : 15) * 3 + k) / 7;
        for (int k = 0; k < 3; k++)
            assert_true(embedded[i * 3 + k] > row[k] - 1e-5f && embedded[i * 3 + k] < row[k] + 1e-5f);
    }
    for (int i = 0; i < OUTPUTS; i++)
        octet_tensor_free(&out[i]);
    octet_session_destroy(session);
}

/* Shapes that do not work out are told with the node. */
static void impossible_shapes(void **state)
{
    (void)state;
    octet_value_info in[2];
    octet_session_desc desc;
    octet_inspection *none;
    OCTET_INIT(desc);
    desc.inputs = in;
    desc.input_count = 2;
    for (size_t i = 0; i < 2; i++) {
        OCTET_INIT(in[i]);
        CHECK_OK(octet_model_input(model, i, &in[i]));
    }
    in[0].dims[0] = 2;
    in[0].dims[2] = in[0].dims[3] = 3000000; /* the enlarged one has 10^14 elements */
    in[1].dims[0] = 2;
    assert_int_equal(octet_inspection_create(model, &desc, &none), OCTET_INVALID_ARGUMENT);
    in[0].dims[2] = 1;
    in[0].dims[3] = 1 << 20; /* Range: more numbers than the host makes */
    assert_int_equal(octet_inspection_create(model, &desc, &none), OCTET_UNSUPPORTED);
    assert_null(none);
    assert_non_null(strstr(octet_last_error(), "Range (node 'positions')"));
}

static int set_up(void **state)
{
    (void)state;
    FILE *f = fopen(FOLDER "expected.bin", "rb");
    expected_bytes = f ? fread(expected, 1, sizeof expected, f) : 0;
    if (f)
        fclose(f);
    if (expected_bytes > 1000 && octet_context_create(NULL, &context) == OCTET_OK &&
        octet_model_load(context, FOLDER "dynamic.onnx", NULL, &model) == OCTET_OK)
        return 0;
    print_error("%zu bytes of expected.bin; %s\n", expected_bytes, octet_last_error());
    return 1;
}

static int tear_down(void **state)
{
    (void)state;
    octet_model_destroy(model);
    octet_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(wild_indices),
        cmocka_unit_test(impossible_shapes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
