/* A session that meets many shapes, in batch, height and width: each gives ONNX Runtime's bytes however often
 * and in whatever order it comes back, weights go up once, the plans share one arena, and a memory limit
 * holds for all of them together. */
#include "check.h"

#define FOLDER OCTET_SOURCE_DIR "/tests/data/shapes/"

/* As in make_model.py. More than the plans that a session keeps. */
static const int shapes[][3] = {{1, 16, 16}, {1, 24, 16}, {2, 17, 23}, {4, 32, 32}, {1, 40, 8},
                                {3, 16, 16}, {1, 9, 57},  {2, 30, 30}, {1, 33, 16}, {5, 11, 12}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], SCORES = 20, LARGEST = 3, PICTURES = 21 };

static octet_context *context;
static octet_model *model;
static float pixels[5 * 3 * 40 * 40], expected[PICTURES * SCORES];

static const float *expected_of(int shape)
{
    int pictures = 0;
    for (int i = 0; i < shape; i++)
        pictures += shapes[i][0];
    return expected + pictures * SCORES;
}

static octet_tensor input_of(int shape)
{
    octet_tensor t = {.dtype = OCTET_F32, .rank = 4, .dims = {0, 3, 0, 0}, .data = pixels};
    t.dims[0] = shapes[shape][0];
    t.dims[2] = shapes[shape][1];
    t.dims[3] = shapes[shape][2];
    t.data_bytes = octet_tensor_bytes(&t);
    return t;
}

static void run(octet_session *session, int shape)
{
    octet_tensor in = input_of(shape), out = {0};
    octet_status status = octet_session_run(session, &in, 1, &out, 1);
    if (status != OCTET_OK)
        fail_msg("shape %d: %s", shape, octet_last_error());
    assert_int_equal(octet_tensor_bytes(&out), shapes[shape][0] * SCORES * 4);
    if (memcmp(out.data, expected_of(shape), octet_tensor_bytes(&out)) != 0)
        fail_msg("shape %d (%dx%dx%d): not ONNX Runtime's bytes", shape, shapes[shape][0], shapes[shape][1],
                 shapes[shape][2]);
    octet_tensor_free(&out);
}

static octet_counters counters(void)
{
    octet_counters c;
    OCTET_INIT(c);
    CHECK_OK(octet_context_counters(context, &c));
    return c;
}

static octet_session *open_session(uint64_t memory_limit)
{
    octet_session_desc desc;
    octet_session *session;
    OCTET_INIT(desc);
    desc.memory_limit = memory_limit;
    CHECK_OK(octet_session_create(model, &desc, &session));
    return session;
}

static octet_session_info info_of(const octet_session *session)
{
    octet_session_info info;
    OCTET_INIT(info);
    CHECK_OK(octet_session_get_info(session, &info));
    return info;
}

/* In order, backwards, and at random. */
static void run_all(octet_session *session)
{
    uint64_t seed = 5;
    for (int i = 0; i < SHAPES; i++)
        run(session, i);
    for (int i = SHAPES - 1; i >= 0; i--)
        run(session, i);
    for (int i = 0; i < 20; i++)
        run(session, (int)(check_random(&seed) % SHAPES));
}

static void shapes_come_and_go(void **state)
{
    (void)state;
    uint64_t before = counters().device_bytes;
    octet_session *alone = open_session(0), *session = open_session(0);
    run(alone, LARGEST);
    uint64_t of_largest = info_of(alone).device_bytes;
    octet_session_destroy(alone);
    assert_int_equal(counters().device_bytes, before);
    uint64_t up = counters().weight_bytes_up;
    run(session, 0);
    uint64_t of_first = counters().weight_bytes_up - up;
    up = counters().weight_bytes_up;
    run_all(session);
    print_message("%llu bytes of weights for the first shape, %llu for all others\n",
                  (unsigned long long)of_first, (unsigned long long)(counters().weight_bytes_up - up));
    assert_true(of_first > 40000 && counters().weight_bytes_up - up < 2000);
    assert_in_range(info_of(session).device_bytes, of_largest / 2, of_largest + 8192);
    octet_session_destroy(session);
    assert_int_equal(counters().device_bytes, before);
}

/* What a session of this desc needs at least, as its refusal tells. */
static uint64_t least_limit(octet_session_desc desc)
{
    octet_session_info info;
    OCTET_INIT(info);
    desc.memory_limit = 1;
    assert_int_equal(octet_model_plan(model, &desc, &info), OCTET_OUT_OF_MEMORY);
    const char *needs = strstr(octet_last_error(), "at least ");
    assert_non_null(needs);
    return strtoull(needs + 9, NULL, 10);
}

static void a_memory_limit_holds_for_all_shapes(void **state)
{
    (void)state;
    octet_session_desc desc;
    octet_session_info info;
    octet_value_info shape;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    OCTET_INIT(shape);
    CHECK_OK(octet_model_input(model, 0, &shape));
    for (int d = 0; d < 3; d++)
        shape.dims[d ? d + 1 : 0] = shapes[LARGEST][d];
    desc.inputs = &shape;
    desc.input_count = 1;
    CHECK_OK(octet_model_plan(model, &desc, &info));
    assert_int_equal(info.streamed_bytes, 0);
    uint64_t everything = info.device_bytes, before = counters().device_bytes;
    uint64_t least = least_limit(desc);
    assert_in_range(least, 1, everything); /* the same where allocations are rounded to 64 KiB */
    for (int step = 0; step <= 3; step++) {
        uint64_t limit = least + (everything - least) * (uint64_t)step / 4;
        octet_session *session = open_session(limit);
        octet_context_counters_reset(context);
        run_all(session);
        run(session, LARGEST);
        uint64_t up = counters().weight_bytes_up;
        run(session, LARGEST);
        assert_int_equal(counters().weight_bytes_up - up, info_of(session).streamed_bytes);
        print_message("limit %llu: %llu streamed, %llu at most on the device\n", (unsigned long long)limit,
                      (unsigned long long)info_of(session).streamed_bytes,
                      (unsigned long long)(counters().peak_device_bytes - before));
        assert_int_equal(info_of(session).streamed_bytes > 0, limit < everything);
        assert_in_range(counters().peak_device_bytes - before, 1, limit);
        octet_session_destroy(session);
    }
    octet_session *session = open_session(least - 1);
    octet_tensor in = input_of(LARGEST), out = {0};
    assert_int_equal(octet_session_run(session, &in, 1, &out, 1), OCTET_OUT_OF_MEMORY);
    assert_non_null(strstr(octet_last_error(), "at least"));
    run(session, 0); /* it can still do what fits */
    octet_session_destroy(session);
    assert_int_equal(counters().device_bytes, before);
}

static void small_allocations_do(void **state)
{
    (void)state;
    octet_context *small;
    octet_model *same;
    octet_session *session;
    assert_int_equal(setenv("OCTET_MAX_ALLOC", "60000", 1), 0);
    CHECK_OK(octet_context_create(NULL, &small));
    assert_int_equal(unsetenv("OCTET_MAX_ALLOC"), 0);
    CHECK_OK(octet_model_load(small, FOLDER "shapes.onnx", NULL, &same));
    CHECK_OK(octet_session_create(same, NULL, &session));
    for (int i = 0; i < SHAPES; i++) {
        if (i != LARGEST) /* it has a larger tensor */
            run(session, i);
    }
    octet_tensor in = input_of(LARGEST), out = {0};
    assert_int_equal(octet_session_run(session, &in, 1, &out, 1), OCTET_OUT_OF_MEMORY);
    assert_non_null(strstr(octet_last_error(), "largest allocation"));
    octet_session_destroy(session);
    octet_model_destroy(same);
    octet_context_destroy(small);
}

/* Another context, on a device that gives out no more than this, whatever it says, takes the place of the
 * usual one. */
static octet_context *usual_context;
static octet_model *usual_model;
static char told[256]; /* the last line of its log that tells of less memory */

static void keep_line(void *user, const char *line)
{
    (void)user;
    if (strstr(line, "planning for"))
        snprintf(told, sizeof told, "%s", line);
}

static void become_poor(uint64_t real)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)real);
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.log = keep_line;
    usual_context = context;
    usual_model = model;
    told[0] = '\0';
    assert_int_equal(setenv("OCTET_MEMORY", text, 1), 0);
    CHECK_OK(octet_context_create(&desc, &context));
    assert_int_equal(unsetenv("OCTET_MEMORY"), 0);
    CHECK_OK(octet_model_load(context, FOLDER "shapes.onnx", NULL, &model));
}

static void become_rich(void)
{
    octet_model_destroy(model);
    octet_context_destroy(context);
    context = usual_context;
    model = usual_model;
}

/* What a session needs, at least and with nothing streamed, for a picture so small that it is mostly weights.
 */
static void needs_of_small(uint64_t *least, uint64_t *everything)
{
    octet_session_desc desc;
    octet_session_info info;
    octet_value_info shape;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    OCTET_INIT(shape);
    CHECK_OK(octet_model_input(model, 0, &shape));
    const int64_t small[] = {1, 3, 8, 8};
    memcpy(shape.dims, small, sizeof small);
    desc.inputs = &shape;
    desc.input_count = 1;
    CHECK_OK(octet_model_plan(model, &desc, &info));
    *everything = info.device_bytes;
    *least = least_limit(desc);
}

static octet_tensor run_small(octet_session *session, int64_t width)
{
    octet_tensor in = {OCTET_F32, 4, {1, 3, 8, width}, pixels, 0}, out = {0};
    in.data_bytes = octet_tensor_bytes(&in);
    CHECK_OK(octet_session_run(session, &in, 1, &out, 1));
    return out;
}

/* A device that gives out less memory than it says: the session finds what there is, and streams. */
static void memory_that_is_not_there_is_not_needed(void **state)
{
    (void)state;
    uint64_t least, everything;
    needs_of_small(&least, &everything);
    uint64_t real = (least + 3 * everything) / 4;
    assert_true(least < real && real < everything);
    become_poor(real);
    octet_session *session = open_session(0);
    octet_tensor out = run_small(session, 8);
    octet_session_info info = info_of(session);
    assert_true(info.streamed_bytes > 0);
    assert_in_range(info.planned_limit, least, real);
    assert_non_null(strstr(told, "planning for"));
    assert_in_range(counters().peak_device_bytes, 1, real);
    octet_session_destroy(session);
    become_rich();
    session = open_session(0);
    octet_tensor want = run_small(session, 8);
    assert_int_equal(info_of(session).streamed_bytes, 0);
    assert_memory_equal(out.data, want.data, octet_tensor_bytes(&want));
    octet_tensor_free(&out);
    octet_tensor_free(&want);
    octet_session_destroy(session);
}

/* That a plan was made for less is no limit for the next one: what another session gives back is used. */
static void memory_that_comes_back_is_used(void **state)
{
    (void)state;
    uint64_t least, everything;
    needs_of_small(&least, &everything);
    become_poor(everything + (least + 3 * everything) / 4);
    octet_session *other = open_session(0), *session = open_session(0);
    octet_tensor of_other = run_small(other, 8), first = run_small(session, 8);
    octet_session_info before = info_of(session);
    assert_int_equal(info_of(other).streamed_bytes, 0);
    assert_true(before.streamed_bytes > 0);
    assert_true(before.planned_limit < info_of(other).planned_limit);
    octet_session_destroy(other);
    octet_tensor second = run_small(session, 9);
    assert_int_equal(info_of(session).streamed_bytes, 0);
    assert_true(info_of(session).planned_limit > before.planned_limit);
    assert_memory_equal(first.data, of_other.data, octet_tensor_bytes(&first));
    octet_tensor_free(&of_other);
    octet_tensor_free(&first);
    octet_tensor_free(&second);
    octet_session_destroy(session);
    become_rich();
}

static int set_up(void **state)
{
    (void)state;
    for (int64_t i = 0; i < (int64_t)(sizeof pixels / sizeof *pixels); i++)
        pixels[i] = (float)((i * i * 7 + i * 37) % 251) / 50 - 2.5f;
    FILE *f = fopen(FOLDER "expected.bin", "rb");
    size_t read = f ? fread(expected, 4, sizeof expected / 4, f) : 0;
    if (f)
        fclose(f);
    if (read != sizeof expected / 4 || octet_context_create(NULL, &context) != OCTET_OK ||
        octet_model_load(context, FOLDER "shapes.onnx", NULL, &model) != OCTET_OK) {
        print_error("%zu values of expected.bin; %s\n", read, octet_last_error());
        return 1;
    }
    return 0;
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
        cmocka_unit_test(shapes_come_and_go),
        cmocka_unit_test(a_memory_limit_holds_for_all_shapes),
        cmocka_unit_test(small_allocations_do),
        cmocka_unit_test(memory_that_is_not_there_is_not_needed),
        cmocka_unit_test(memory_that_comes_back_is_used),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
