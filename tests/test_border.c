/* Who quantizes the input and dequantizes the output: host and device give the same bytes, the host moves a
 * quarter of them, and buffers of the caller hold the model's own dtypes either way. */
#include "check.h"
#include "quant.h"

#include <math.h>
#include <octet/opencl.h>

#define FOLDER OCTET_SOURCE_DIR "/tests/data/shapes/"
enum { SCORES = 20, H = 17, W = 23, MOST = 3, PIXELS = 3 * H * W };

static octet_context *context;
static octet_model *model;
static float pixels[MOST * PIXELS];

/* Ties, what saturates, what is no number, and random bits; lengths around a block's. */
static void rows_are_as_defined(void **state)
{
    (void)state;
    static const float special[] = {0,      -0.0f,  0.5f,    1.5f,   2.5f,    -0.5f,    -1.5f,
                                    126.5f, 127.5f, -128.5f, 1e9,    -1e9,    INFINITY, -INFINITY,
                                    NAN,    1e-40f, 254.5f,  255.5f, -255.5f, 3e38f};
    static const int32_t zeros[2][3] = {{0, 128, 255}, {-128, 0, 127}};
    enum { LONGEST = 53 };
    float x[LONGEST], back[LONGEST];
    unsigned char y[LONGEST + 1];
    uint64_t seed = 3;
    int cases = 0;
    for (int round = 0; round < 3000; round++) {
        octet_dtype dtype = round % 2 ? OCTET_S8 : OCTET_U8;
        int32_t lo = dtype == OCTET_S8 ? -128 : 0, zero = zeros[round % 2][round / 2 % 3];
        float scale = round % 3 ? check_scale(&seed) : round % 5 ? 1.0f : 1e-38f;
        size_t count = check_random(&seed) % (LONGEST + 1);
        for (size_t i = 0; i < count; i++) {
            uint32_t bits = check_random(&seed);
            memcpy(&x[i], &bits, sizeof bits);
            if (check_random(&seed) % 4)
                x[i] = special[check_random(&seed) % (sizeof special / sizeof *special)] * scale;
        }
        memset(y, GUARD, sizeof y);
        oct_quantize_row(x, count, scale, zero, dtype, y);
        assert_int_equal(y[count], GUARD);
        oct_dequantize_row(y, count, scale, zero, dtype, back);
        for (size_t i = 0; i < count; i++, cases++) {
            int32_t got = dtype == OCTET_S8 ? (int8_t)y[i] : y[i];
            int32_t want = oct_quantize_f32(x[i], scale, zero, lo, lo + 255);
            float value = oct_dequantize(want, scale, zero);
            if (got != want || memcmp(&back[i], &value, sizeof value) != 0)
                fail_msg("%a / %a + %d: %d, not %d; back %a", (double)x[i], (double)scale, zero, got, want,
                         (double)back[i]);
        }
    }
    assert_true(cases > 50000);
}

static octet_session *open_session(octet_border border)
{
    octet_session *session;
    octet_session_desc desc;
    OCTET_INIT(desc);
    desc.border = border;
    CHECK_OK(octet_session_create(model, &desc, &session));
    return session;
}

static octet_counters run(octet_session *session, int batch, float *scores)
{
    octet_tensor in = {OCTET_F32, 4, {batch, 3, H, W}, pixels, (size_t)batch * PIXELS * 4};
    octet_tensor out = {.data = scores, .data_bytes = (size_t)batch * SCORES * 4};
    octet_counters c;
    OCTET_INIT(c);
    CHECK_OK(octet_session_run(session, &in, 1, &out, 1)); /* plans */
    octet_context_counters_reset(context);
    memset(scores, 0, out.data_bytes);
    CHECK_OK(octet_session_run(session, &in, 1, &out, 1));
    CHECK_OK(octet_context_counters(context, &c));
    assert_int_equal(out.dtype, OCTET_F32);
    assert_int_equal(c.waits, 1);
    return c;
}

/* The same run on buffers: f32 in, f32 out. */
static void enqueue(octet_session *session, int batch, bool say_shape, float *scores)
{
    cl_int error;
    cl_command_queue queue = octet_context_queue(context);
    size_t in_bytes = (size_t)batch * PIXELS * 4, out_bytes = (size_t)batch * SCORES * 4;
    cl_mem in = clCreateBuffer(octet_context_cl(context), CL_MEM_COPY_HOST_PTR, in_bytes, pixels, &error);
    assert_int_equal(error, CL_SUCCESS);
    cl_mem out = clCreateBuffer(octet_context_cl(context), 0, out_bytes, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    octet_value_info shape;
    OCTET_INIT(shape);
    CHECK_OK(octet_model_input(model, 0, &shape));
    shape.dims[0] = batch;
    shape.dims[2] = H;
    shape.dims[3] = W;
    cl_event event;
    CHECK_OK(octet_session_enqueue(session, say_shape ? &shape : NULL, &in, 1, &out, 1, &event));
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    assert_int_equal(clEnqueueReadBuffer(queue, out, CL_TRUE, 0, out_bytes, scores, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseEvent(event);
    clReleaseMemObject(in);
    clReleaseMemObject(out);
}

static void both_borders_give_the_same(void **state)
{
    (void)state;
    octet_session *on_device = open_session(OCTET_BORDER_DEVICE), *on_host = open_session(OCTET_BORDER_HOST);
    float a[MOST * SCORES], b[MOST * SCORES];
    for (int round = 0; round < 2 * MOST; round++) {
        int batch = 1 + round % MOST;
        octet_counters device = run(on_device, batch, a), host = run(on_host, batch, b);
        assert_memory_equal(a, b, (size_t)batch * SCORES * 4);
        assert_int_equal(device.input_bytes_up, batch * PIXELS * 4);
        assert_int_equal(device.output_bytes_down, batch * SCORES * 4);
        assert_int_equal(host.input_bytes_up, batch * PIXELS);
        assert_int_equal(host.output_bytes_down, batch * SCORES);
        assert_int_equal(host.transfers, 2);
        assert_int_equal(host.launches, device.launches - 2);
        enqueue(on_host, batch, round % 2, b);
        assert_memory_equal(a, b, (size_t)batch * SCORES * 4);
    }
    octet_session_destroy(on_host);
    octet_session_destroy(on_device);
}

static void the_device_says_which_is_better(void **state)
{
    (void)state;
    octet_device_info device;
    OCTET_INIT(device);
    CHECK_OK(octet_context_device(context, &device));
    octet_session *session = open_session(OCTET_BORDER_AUTO);
    float scores[SCORES];
    assert_int_equal(run(session, 1, scores).input_bytes_up, device.unified_memory ? PIXELS * 4 : PIXELS);
    octet_session_destroy(session);
    octet_session_desc desc;
    OCTET_INIT(desc);
    desc.border = (octet_border)9;
    assert_int_equal(octet_session_create(model, &desc, &session), OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "border"));
}

static int64_t macs_at(octet_inspection *inspection)
{
    octet_node_info conv;
    OCTET_INIT(conv);
    CHECK_OK(octet_inspection_node(inspection, 1, &conv));
    return conv.macs;
}

/* Inspections of one model, each at shapes of its own, and shapes that do not fit. */
static void shapes_are_inspected(void **state)
{
    (void)state;
    octet_value_info shape, out;
    octet_session_desc desc;
    octet_inspection *one, *two, *six, *none;
    OCTET_INIT(shape);
    OCTET_INIT(out);
    OCTET_INIT(desc);
    CHECK_OK(octet_inspection_create(model, NULL, &one));
    int64_t least = macs_at(one);
    CHECK_OK(octet_model_input(model, 0, &shape));
    desc.inputs = &shape;
    desc.input_count = 1;
    shape.dims[0] = 2;
    shape.dims[2] = shape.dims[3] = 32;
    CHECK_OK(octet_inspection_create(model, &desc, &two));
    shape.dims[0] = 6;
    CHECK_OK(octet_inspection_create(model, &desc, &six));
    assert_true(macs_at(two) > 0);
    assert_int_equal(macs_at(six), 3 * macs_at(two));
    assert_int_equal(macs_at(one), least);
    CHECK_OK(octet_inspection_output(six, 0, &out));
    assert_int_equal(out.dims[0], 6);
    CHECK_OK(octet_model_output(model, 0, &out));
    assert_int_equal(out.dims[0], -1);
    CHECK_FAILS(octet_inspection_output(six, 9, &out), OCTET_INVALID_ARGUMENT, "index 9");
    shape.dims[1] = 4;
    CHECK_FAILS(octet_inspection_create(model, &desc, &none), OCTET_INVALID_ARGUMENT, "input '");
    assert_null(none);
    desc.input_count = 2;
    CHECK_FAILS(octet_inspection_create(model, &desc, &none), OCTET_INVALID_ARGUMENT, "2 input shapes");
    octet_inspection_destroy(one);
    octet_inspection_destroy(two);
    octet_inspection_destroy(six);
    octet_inspection_destroy(NULL);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < MOST * PIXELS; i++)
        pixels[i] = (float)((i * 7 + i / 13 * 37) % 251) / 50 - 2.5f;
    if (octet_context_create(NULL, &context) == OCTET_OK &&
        octet_model_load(context, FOLDER "shapes.onnx", NULL, &model) == OCTET_OK)
        return 0;
    print_error("%s\n", octet_last_error());
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
        cmocka_unit_test(rows_are_as_defined),
        cmocka_unit_test(both_borders_give_the_same),
        cmocka_unit_test(the_device_says_which_is_better),
        cmocka_unit_test(shapes_are_inspected),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
