/* What making plans costs, and what it must not: memory is planned once for a plan that fits, a plan at the
 * shapes that loading has inferred starts from that graph, and a plan is made again only where it went. */
#include "check.h"
#include "session.h"

#define SHAPES_FOLDER OCTET_SOURCE_DIR "/tests/data/shapes/"

static octet_context *context;

static octet_model *load(const char *path)
{
    octet_model *model;
    CHECK_OK(octet_model_load(context, path, NULL, &model));
    return model;
}

static void use(oct_plan_cache *c, int64_t batch, int64_t side)
{
    const oct_shape shape = {4, {batch, 3, side, side}};
    CHECK_OK(oct_plan_cache_use(c, &shape, false));
    assert_true(oct_plan_is_for(c->plans[0], &shape, false));
}

static void memory_is_planned_once_a_plan(void **state)
{
    (void)state;
    octet_model *model = load(SHAPES_FOLDER "shapes.onnx");
    oct_plan_cache c = oct_model_plans(model, 0);
    oct_plan_cache_open(&c);
    for (int i = 0; i < 3; i++) {
        use(&c, 1, 16 + i);
        assert_int_equal(c.store.memory_plans, i + 1);
    }
    use(&c, 1, 16);
    assert_int_equal(c.store.memory_plans, 3);
    assert_int_equal(c.count, 3);
    oct_plan_cache_close(&c);
    octet_model_destroy(model);
}

static void the_least_recently_used_goes(void **state)
{
    (void)state;
    octet_model *model = load(SHAPES_FOLDER "shapes.onnx");
    oct_plan_cache c = oct_model_plans(model, 0);
    c.most = 2;
    oct_plan_cache_open(&c);
    use(&c, 1, 16);
    use(&c, 1, 17);
    use(&c, 1, 16);
    use(&c, 1, 18); /* 17 goes */
    use(&c, 1, 16);
    assert_int_equal(c.store.memory_plans, 3);
    use(&c, 1, 17);
    assert_int_equal(c.store.memory_plans, 4);
    assert_int_equal(c.count, 2);
    oct_plan_cache_close(&c);
    octet_model_destroy(model);
}

/* The graph that loading made serves the shapes that it was made for, and no others. */
static void what_loading_inferred_is_taken(void **state)
{
    (void)state;
    octet_model *fixed = load(OCTET_SOURCE_DIR "/tests/data/conv.onnx");
    octet_session *session;
    assert_true(oct_model_is_static(fixed));
    CHECK_OK(octet_session_create(fixed, NULL, &session));
    assert_true(oct_session_plan(session)->reused);
    octet_session_destroy(session);
    octet_model_destroy(fixed);

    octet_model *open = load(OCTET_SOURCE_DIR "/tests/data/batch_max.onnx"); /* its batch was taken as 1 */
    oct_plan_cache c = oct_model_plans(open, 0);
    oct_plan_cache_open(&c);
    for (int batch = 1; batch <= 2; batch++) {
        const oct_shape shape = {2, {batch, 3}};
        CHECK_OK(oct_plan_cache_use(&c, &shape, false));
        assert_int_equal(c.plans[0]->reused, batch == 1);
    }
    oct_plan_cache_close(&c);
    octet_model_destroy(open);
}

static int set_up(void **state)
{
    (void)state;
    return octet_context_create(NULL, &context) == OCTET_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    octet_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_planned_once_a_plan),
        cmocka_unit_test(the_least_recently_used_goes),
        cmocka_unit_test(what_loading_inferred_is_taken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
