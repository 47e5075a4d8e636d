/* Networks that do not fit their memory limit: streamed weights give the bytes of resident ones, what the
 * device holds never exceeds the limit, each run uploads what it says, and weights larger than one allocation
 * are split. */
#include "harness.h"
#include "move/move_args.clh"

#include "gemm.h"
#include "store.h"

enum { LAYERS = 5, WIDTH = 400, MOST_ROWS = 12 };

static unsigned char weights[LAYERS][WIDTH * WIDTH], input[MOST_ROWS * WIDTH];
static unsigned char added[WIDTH * MOST_ROWS];
static float scales[WIDTH];
static int32_t bias[WIDTH];

static void fill(void)
{
    uint64_t seed = 11;
    for (int i = 0; i < LAYERS; i++)
        check_fill(&seed, OCTET_S8, weights[i], sizeof weights[i], 0);
    check_fill(&seed, OCTET_U8, input, sizeof input, 0);
    check_fill(&seed, OCTET_U8, added, sizeof added, 0);
    for (int i = 0; i < WIDTH; i++) {
        scales[i] = check_scale(&seed) * 0.01f;
        bias[i] = (int32_t)check_range(&seed, -9000, 9000);
    }
}

typedef struct network {
    oct_recipe r;
    oct_mem x, y;
} network;

/* x [rows][WIDTH] through LAYERS products, every second one transposed, the last plus a constant that the run
 * reads as it is. */
static network build(int64_t rows, size_t piece)
{
    network n;
    const float scale = 0.03f;
    const unsigned char zero = 7;
    oct_recipe_init(&n.r);
    n.r.piece_bytes = piece;
    n.r.slice_bytes = piece < OCT_SLICE_BYTES ? piece : OCT_SLICE_BYTES;
    n.x = oct_recipe_input(&n.r, (size_t)rows * WIDTH);
    n.y = oct_recipe_output(&n.r, (size_t)rows * WIDTH);
    oct_mem from = n.x;
    for (int i = 0; i < LAYERS; i++) {
        oct_mem to = oct_recipe_temp(&n.r, (size_t)rows * WIDTH);
        oct_gemm_request q = {.m = rows,
                              .n = WIDTH,
                              .k = WIDTH,
                              .batch = 1,
                              .lda = WIDTH,
                              .ldb = WIDTH,
                              .ldc = WIDTH,
                              .transpose_b = i & 1,
                              .a_dtype = OCTET_U8,
                              .b_dtype = OCTET_S8,
                              .c_dtype = OCTET_U8,
                              .a = from,
                              .b = oct_recipe_const(&n.r, weights[i], sizeof weights[i]),
                              .c = to,
                              .bias = oct_recipe_const(&n.r, bias, sizeof bias),
                              .a_q = harness_quant(&n.r, OCTET_U8, &scale, 1, &zero, 1),
                              .b_q = harness_quant(&n.r, OCTET_S8, scales, WIDTH, NULL, 0),
                              .c_q = harness_quant(&n.r, OCTET_U8, &scale, 1, &zero, 1),
                              .clamp_max = 255};
        CHECK_OK(oct_gemm(&n.r, oct_device_caps(device), &q));
        from = to;
    }
    oct_launch *l = oct_recipe_launch(&n.r, "move/self_test.cl", "add_bytes", "%s", "");
    OCT_ARGS(l, add_bytes, .a = oct_whole(from),
             .b = oct_whole(oct_recipe_const(&n.r, added, (size_t)rows * WIDTH)), .c = oct_whole(n.y),
             .n = (int64_t)rows * WIDTH);
    oct_launch_1d(l, (size_t)rows * WIDTH, 0);
    return n;
}

static octet_counters counters(void)
{
    octet_counters c;
    OCTET_INIT(c);
    oct_device_counters(device, &c);
    return c;
}

static void run(oct_executor *e, const network *n, unsigned char *out)
{
    const oct_host_memory memories[] = {{.mem = n->x, .from = input}, {.mem = n->y, .to = out}};
    CHECK_OK(oct_runner_run(e, memories, 2));
}

static oct_store store_of(size_t limit)
{
    oct_store s;
    oct_store_init(&s, device, limit);
    s.can_stream = true;
    return s;
}

/* What everything resident gives. */
static void expect(int64_t rows, unsigned char *out)
{
    oct_store s = store_of(0);
    network n = build(rows, SIZE_MAX);
    oct_executor *e;
    CHECK_OK(oct_executor_create(device, &n.r, &s, &e));
    assert_int_equal(oct_executor_get_stats(e).streamed_bytes, 0);
    run(e, &n, out);
    oct_executor_destroy(e);
    oct_recipe_free(&n.r);
    oct_store_free(&s);
}

/* The least limit, and what everything resident takes. */
static size_t least_limit(size_t piece, size_t *everything)
{
    oct_store s = store_of(0);
    oct_memory_limits limits = oct_store_limits(&s);
    oct_memory_plan p;
    size_t least;
    network n = build(MOST_ROWS, piece);
    CHECK_OK(oct_memory_plan_make(&n.r, NULL, &limits, &p, everything));
    assert_int_equal(p.stream_count, 0);
    oct_memory_plan_free(&p);
    limits.limit = 1;
    assert_int_equal(oct_memory_plan_make(&n.r, NULL, &limits, &p, &least), OCTET_OUT_OF_MEMORY);
    oct_recipe_free(&n.r);
    oct_store_free(&s);
    return least;
}

/* One limit: the bytes of `want` twice, never more memory than that, the counters say what went up. Returns
 * the streamed bytes of a run. */
static size_t check_limit(size_t limit, size_t piece, const unsigned char *want)
{
    static unsigned char out[MOST_ROWS * WIDTH];
    uint64_t before = counters().device_bytes;
    oct_store s = store_of(limit);
    network n = build(MOST_ROWS, piece);
    oct_executor *e;
    oct_device_counters_reset(device);
    CHECK_OK(oct_executor_create(device, &n.r, &s, &e));
    oct_recipe_free(&n.r);
    size_t streamed = oct_executor_get_stats(e).streamed_bytes;
    for (int i = 0; i < 3; i++) {
        uint64_t up = counters().weight_bytes_up, waits = counters().waits;
        memset(out, GUARD, sizeof out);
        run(e, &n, out);
        harness_compare(out, want, sizeof out, "streamed");
        assert_int_equal(counters().weight_bytes_up - up, streamed);
        if (getenv("OCTET_STAGING")) /* each piece waits for its place */
            assert_true(counters().waits - waits >= 1);
        else
            assert_int_equal(counters().waits - waits, 1);
    }
    assert_in_range(counters().peak_device_bytes - before, 1, limit);
    oct_executor_destroy(e);
    oct_store_free(&s);
    assert_int_equal(counters().device_bytes, before);
    return streamed;
}

static void every_limit_gives_the_same_bytes(void **state)
{
    (void)state;
    static unsigned char want[MOST_ROWS * WIDTH];
    expect(MOST_ROWS, want);
    const size_t pieces[] = {30000, 70000, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        size_t everything, least = least_limit(pieces[i], &everything), last = SIZE_MAX;
        const size_t all = sizeof weights + sizeof added;
        assert_true(least < everything * 2 / 3);
        for (size_t step = 0; step <= 8; step++) {
            size_t limit = least + (everything - least) * step / 8;
            size_t streamed = check_limit(limit, pieces[i], want);
            print_message("pieces of %zu, %zu bytes of memory: %zu streamed\n", pieces[i], limit, streamed);
            assert_true(streamed <= last && streamed <= all);
            /* What fits is kept: less than a piece of the limit is left over, or what making it resident
             * changes. */
            last = streamed;
            if (step == 0)
                assert_true(streamed >= all - 65536);
        }
        assert_int_equal(last, 0);
    }
}

static void a_limit_that_is_too_small_is_refused(void **state)
{
    (void)state;
    size_t everything, least = least_limit(30000, &everything);
    uint64_t before = counters().device_bytes;
    oct_store s = store_of(least - 1);
    network n = build(MOST_ROWS, 30000);
    oct_executor *e;
    assert_int_equal(oct_executor_create(device, &n.r, &s, &e), OCTET_OUT_OF_MEMORY);
    assert_null(e);
    s.limit = least;
    s.can_stream = false;
    assert_int_equal(oct_executor_create(device, &n.r, &s, &e), OCTET_OUT_OF_MEMORY);
    oct_recipe_free(&n.r);
    oct_store_free(&s);
    assert_int_equal(counters().device_bytes, before);
}

/* Plans of two shapes in one store: one scratch memory, weights packed once, whichever runs. */
static void plans_share_scratch_and_weights(void **state)
{
    (void)state;
    static unsigned char want[2][MOST_ROWS * WIDTH], out[MOST_ROWS * WIDTH];
    const int64_t rows[2] = {MOST_ROWS, 1}; /* the first leaves room for the second */
    size_t everything, least = least_limit(30000, &everything);
    const size_t limits[] = {0, (least + everything) / 2};
    expect(rows[0], want[0]);
    expect(rows[1], want[1]);
    for (size_t i = 0; i < 2; i++) {
        uint64_t before = counters().device_bytes;
        oct_store s = store_of(limits[i]);
        oct_executor *e[2];
        network n[2];
        oct_device_counters_reset(device);
        for (int p = 0; p < 2; p++) {
            n[p] = build(rows[p], 30000);
            uint64_t up = counters().weight_bytes_up;
            CHECK_OK(oct_executor_create(device, &n[p].r, &s, &e[p]));
            oct_recipe_free(&n[p].r);
            if (p == 1 && !limits[i]) /* the constant that is added is of another size */
                assert_true(counters().weight_bytes_up - up <= sizeof added);
            run(e[p], &n[p], out);
            harness_compare(out, want[p], (size_t)rows[p] * WIDTH, "of two plans");
        }
        size_t scratch = s.scratch.bytes;
        for (int turn = 0; turn < 6; turn++) {
            int p = turn % 3 == 0;
            run(e[p], &n[p], out);
            harness_compare(out, want[p], (size_t)rows[p] * WIDTH, "of two plans in turns");
        }
        assert_int_equal(s.scratch.bytes, scratch);
        if (limits[i])
            assert_in_range(counters().peak_device_bytes - before, 1, limits[i]);
        oct_executor_destroy(e[0]);
        oct_executor_destroy(e[1]);
        oct_store_free(&s);
        assert_int_equal(counters().device_bytes, before);
    }
}

/* Everything over many small buffers. */
static void regions_span_buffers(void **state)
{
    (void)state;
    static unsigned char want[MOST_ROWS * WIDTH], out[MOST_ROWS * WIDTH];
    expect(MOST_ROWS, want);
    const size_t chunks[] = {32768, 40000 / 64 * 64, 65536 * 2};
    for (size_t i = 0; i < 3; i++) {
        for (int limited = 0; limited < 2; limited++) {
            oct_store s = store_of(0);
            s.chunk = chunks[i];
            network n = build(MOST_ROWS, chunks[i]);
            if (limited)
                s.limit = 400000;
            oct_executor *e;
            oct_device_counters_reset(device);
            uint64_t before = counters().device_bytes;
            CHECK_OK(oct_executor_create(device, &n.r, &s, &e));
            oct_recipe_free(&n.r);
            run(e, &n, out);
            harness_compare(out, want, sizeof out, "over many buffers");
            if (limited)
                assert_in_range(counters().peak_device_bytes - before, 1, 400000);
            else
                assert_true(s.resident[0].count >= 4);
            assert_int_equal(oct_executor_get_stats(e).streamed_bytes > 0, limited);
            oct_executor_destroy(e);
            oct_store_free(&s);
        }
    }
    oct_store s = store_of(0);
    s.chunk = 4096;
    network n = build(MOST_ROWS, 4096);
    oct_executor *e;
    assert_int_equal(oct_executor_create(device, &n.r, &s, &e), OCTET_OUT_OF_MEMORY);
    assert_non_null(strstr(oct_error_text(), "largest allocation"));
    oct_recipe_free(&n.r);
    oct_store_free(&s);
}

static int set_up(void **state)
{
    fill();
    return open_device(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_gives_the_same_bytes),
        cmocka_unit_test(a_limit_that_is_too_small_is_refused),
        cmocka_unit_test(plans_share_scratch_and_weights),
        cmocka_unit_test(regions_span_buffers),
    };
    return cmocka_run_group_tests(tests, set_up, close_device);
}
