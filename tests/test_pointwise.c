/* Tables, QLinearAdd and QLinearMul, QLinearConcat, QLinearSoftmax against src/ref, byte for byte. */
#include "harness.h"
#include "pointwise.h"
#include "ref.h"
#include "softmax.h"

static const octet_dtype types[] = {OCTET_U8, OCTET_S8};

static int32_t as_int(octet_dtype t, unsigned char byte)
{
    return t == OCTET_S8 ? (int32_t)(signed char)byte : (int32_t)byte;
}

static unsigned char random_zero(uint64_t *s, octet_dtype t)
{
    static const unsigned char u8[] = {0, 128, 255, 7, 3}, s8[] = {0, 0x80, 0x7f, 0xf5, 1};
    return (t == OCTET_S8 ? s8 : u8)[check_random(s) % 5];
}

/* Ties are frequent with scales that are powers of two. */
static float random_scale(uint64_t *s)
{
    static const float exact[] = {0.25f, 0.5f, 1.0f, 2.0f};
    return check_random(s) & 1 ? exact[check_random(s) % 4] : check_scale(s) * 3.0f;
}

typedef struct binary_shape {
    int rank;
    int64_t a[4], b[4], y[4];
} binary_shape;

static const binary_shape shapes[] = {
    {1, {1}, {1}, {1}},
    {1, {15}, {15}, {15}},
    {2, {3, 17}, {3, 17}, {3, 17}},
    {1, {20000}, {20000}, {20000}},
    {2, {5, 33}, {1, 1}, {5, 33}},
    {2, {1, 1}, {5, 33}, {5, 33}},
    {3, {2, 3, 16}, {1, 1, 16}, {2, 3, 16}},
    {3, {2, 1, 31}, {1, 4, 31}, {2, 4, 31}},
    {4, {2, 3, 4, 5}, {2, 1, 4, 1}, {2, 3, 4, 5}},
    {4, {1, 3, 1, 5}, {2, 1, 4, 1}, {2, 3, 4, 5}},
    {2, {7, 1}, {1, 9}, {7, 9}},
    {2, {0, 4}, {1, 4}, {0, 4}},
};

static int64_t product(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    return n;
}

static void binary_case(const binary_shape *p, octet_dtype t, oct_qbinary_kind kind, uint64_t seed)
{
    uint64_t s = seed;
    size_t na = (size_t)product(p->rank, p->a), nb = (size_t)product(p->rank, p->b),
           ny = (size_t)product(p->rank, p->y);
    unsigned char *a = malloc(na + 1), *b = malloc(nb + 1), *y = malloc(ny + 16), *want = malloc(ny + 16);
    check_fill(&s, t, a, na, 0);
    check_fill(&s, t, b, nb, 0);
    memset(y, GUARD, ny + 16);
    memset(want, GUARD, ny + 16);
    float scales[3];
    unsigned char zeros[3];
    for (int i = 0; i < 3; i++) {
        scales[i] = random_scale(&s);
        zeros[i] = random_zero(&s, t);
    }
    oct_ref_qbinary_params ref = {.shape = {.rank = p->rank},
                                  .dtype = t,
                                  .a_scale = scales[0],
                                  .b_scale = scales[1],
                                  .y_scale = scales[2],
                                  .a_zero = as_int(t, zeros[0]),
                                  .b_zero = as_int(t, zeros[1]),
                                  .y_zero = as_int(t, zeros[2]),
                                  .clamp_min = seed & 2 ? oct_dtype_min(t) : 9,
                                  .clamp_max = seed & 4 ? oct_dtype_max(t) : 77};
    memcpy(ref.shape.dims, p->y, sizeof p->y);
    memcpy(ref.shape.a_dims, p->a, sizeof p->a);
    memcpy(ref.shape.b_dims, p->b, sizeof p->b);
    ref.swapped = oct_ref_qadd_swapped(&ref.shape);
    if (kind == OCT_QBINARY_SUB)
        ref.b_scale = -ref.b_scale;
    (kind == OCT_QBINARY_MUL ? oct_ref_qmul : oct_ref_qadd)(&ref, a, b, want);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_qbinary_request q = {.kind = kind,
                             .swapped = ref.swapped,
                             .a = harness_operand(&r, t, p->rank, p->a, a, true),
                             .b = harness_operand(&r, t, p->rank, p->b, b, true),
                             .c = harness_output(&r, t, p->rank, p->y),
                             .a_q = harness_quant(&r, t, &scales[0], 1, &zeros[0], 1),
                             .b_q = harness_quant(&r, t, &scales[1], 1, &zeros[1], 1),
                             .c_q = harness_quant(&r, t, &scales[2], 1, &zeros[2], 1),
                             .clamp_min = ref.clamp_min,
                             .clamp_max = ref.clamp_max};
    char what[128];
    snprintf(what, sizeof what, "kind %d %s shape %d seed %llu", (int)kind, oct_dtype_name(t),
             (int)(p - shapes), (unsigned long long)seed);
    octet_status built = oct_qbinary(&r, harness_caps(), &q);
    harness_run(&r, built, (harness_io[]){{q.a.mem, a}, {q.b.mem, b}}, 2, &(harness_io){q.c.mem, y}, 1, what);
    harness_compare(y, want, ny + 16, what);
    free(a);
    free(b);
    free(y);
    free(want);
}

static void binaries(void)
{
    const uint64_t rounds = harness_cases(8);
    size_t cases = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (size_t t = 0; t < 2; t++) {
            for (int kind = OCT_QBINARY_ADD; kind <= OCT_QBINARY_SUB; kind++) {
                for (uint64_t k = 0; k < rounds; k++, cases++)
                    binary_case(&shapes[i], types[t], (oct_qbinary_kind)kind, 1 + cases * 7919);
            }
        }
    }
    assert_int_equal(cases, 72 * rounds);
}

static void binaries_are_exact(void **state)
{
    (void)state;
    harness_each_lanes(binaries);
}

static void tables(void)
{
    const int64_t sizes[] = {0, 1, 15, 17, 8191, 8193, 20001};
    uint8_t table[256];
    uint64_t s = 3;
    for (int i = 0; i < 256; i++)
        table[i] = (uint8_t)check_random(&s);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        static unsigned char x[20001], y[20017], want[20017];
        check_fill(&s, OCTET_U8, x, sizeof x, 0);
        memset(y, GUARD, sizeof y);
        memset(want, GUARD, sizeof want);
        oct_ref_lut(table, x, sizes[i], want);
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_U8, 1, &sizes[i], x, true),
                    ty = harness_output(&r, OCTET_U8, 1, &sizes[i]);
        octet_status built = oct_table_op(&r, harness_caps(), &tx, &ty, table);
        harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "table");
        harness_compare(y, want, (size_t)sizes[i] + 16, "table");
    }
}

static void tables_are_exact(void **state)
{
    (void)state;
    harness_each_lanes(tables);
}

/* One table a channel, the channel innermost or not. */
static void channel_tables(void)
{
    static const int64_t dims[][3] = {{1, 1, 1},    {2, 3, 1},    {2, 17, 5}, {3, 64, 1},
                                      {1, 5, 9000}, {700, 33, 1}, {0, 3, 4}};
    uint64_t s = 5;
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        int64_t c = dims[i][1], inner = dims[i][2], table_dims[3] = {256, c, 1};
        size_t n = (size_t)(dims[i][0] * c * inner), entries = (size_t)(256 * c);
        unsigned char *x = malloc(n + 1), *y = malloc(n + 16), *want = malloc(n + 16),
                      *table = malloc(entries);
        check_fill(&s, OCTET_U8, x, n, 0);
        check_fill(&s, OCTET_U8, table, entries, 0);
        memset(y, GUARD, n + 16);
        memset(want, GUARD, n + 16);
        for (size_t k = 0; k < n; k++)
            want[k] = table[(size_t)x[k] * (size_t)c + (k / (size_t)inner) % (size_t)c];
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_U8, 3, dims[i], x, true),
                    tt = harness_operand(&r, OCTET_U8, 3, table_dims, table, true),
                    ty = harness_output(&r, OCTET_U8, 3, dims[i]);
        octet_status built = oct_lookup(&r, harness_caps(), &tx, &tt, 1, &ty);
        harness_run(&r, built, (harness_io[]){{tx.mem, x}, {tt.mem, table}}, 2, &(harness_io){ty.mem, y}, 1,
                    "channel table");
        harness_compare(y, want, n + 16, "channel table");
        free(x);
        free(y);
        free(want);
        free(table);
    }
}

static void channel_tables_are_exact(void **state)
{
    (void)state;
    harness_each_lanes(channel_tables);
}

static void concat_case(octet_dtype t, int64_t outer, int64_t inner, bool same, uint64_t seed)
{
    uint64_t s = seed;
    const int64_t lengths[3] = {1 + check_random(&s) % 20, check_random(&s) % 3, 1 + check_random(&s) % 40};
    int64_t total = lengths[0] + lengths[1] + lengths[2];
    size_t ny = (size_t)(outer * total * inner);
    unsigned char *x[3], *y = malloc(ny + 16), *want = malloc(ny + 16), zeros[4];
    float scales[4];
    oct_ref_concat_input ref[3];
    oct_operand operands[3];
    oct_quant quants[3];
    harness_io io[3];
    memset(y, GUARD, ny + 16);
    memset(want, GUARD, ny + 16);
    scales[3] = random_scale(&s);
    zeros[3] = random_zero(&s, t);
    oct_recipe r;
    oct_recipe_init(&r);
    for (int i = 0; i < 3; i++) {
        size_t n = (size_t)(outer * lengths[i] * inner);
        x[i] = malloc(n + 1);
        check_fill(&s, t, x[i], n, 0);
        scales[i] = same ? scales[3] : random_scale(&s);
        zeros[i] = same ? zeros[3] : random_zero(&s, t);
        ref[i] = (oct_ref_concat_input){x[i], lengths[i], scales[i], as_int(t, zeros[i])};
        operands[i] = harness_operand(&r, t, 3, (int64_t[]){outer, lengths[i], inner}, x[i], true);
        quants[i] = harness_quant(&r, t, &scales[i], 1, &zeros[i], 1);
        io[i] = (harness_io){operands[i].mem, x[i]};
    }
    oct_ref_qconcat(t, ref, 3, outer, inner, scales[3], as_int(t, zeros[3]), want);
    oct_operand out = harness_output(&r, t, 3, (int64_t[]){outer, total, inner});
    oct_quant out_q = harness_quant(&r, t, &scales[3], 1, &zeros[3], 1);
    char what[96];
    snprintf(what, sizeof what, "concat %s seed %llu", oct_dtype_name(t), (unsigned long long)seed);
    octet_status built = oct_qconcat(&r, harness_caps(), operands, quants, 3, 1, &out, &out_q);
    harness_run(&r, built, io, 3, &(harness_io){out.mem, y}, 1, what);
    harness_compare(y, want, ny + 16, what);
    for (int i = 0; i < 3; i++)
        free(x[i]);
    free(y);
    free(want);
}

static void concatenations(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        concat_case(types[seed & 1], 1 + (int64_t)seed % 3, seed % 5 == 0 ? 300 : 1 + (int64_t)seed % 7,
                    seed % 4 == 0, seed);
}

static void concatenation_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(concatenations);
}

static void softmax_case(octet_dtype t, int64_t outer, int64_t axis, int64_t inner, uint64_t seed)
{
    uint64_t s = seed;
    size_t n = (size_t)(outer * axis * inner);
    unsigned char *x = malloc(n + 1), *y = malloc(n + 16), *want = malloc(n + 16), zeros[2];
    float scales[2] = {check_scale(&s) + 0.001f, check_random(&s) & 1 ? 1.0f / 256 : 0.0013f};
    check_fill(&s, t, x, n, (int)(seed % 3));
    zeros[0] = random_zero(&s, t);
    zeros[1] = t == OCTET_S8 ? 0x80 : (unsigned char)(check_random(&s) & 1);
    memset(y, GUARD, n + 16);
    memset(want, GUARD, n + 16);
    oct_ref_qsoftmax(
        &(oct_ref_softmax_params){outer, axis, inner, t, scales[0], scales[1], as_int(t, zeros[1])}, x, want);
    oct_recipe r;
    oct_recipe_init(&r);
    const int64_t dims[] = {outer, axis, inner};
    oct_qsoftmax_request q = {.x = harness_operand(&r, t, 3, dims, x, true),
                              .y = harness_output(&r, t, 3, dims),
                              .outer = outer,
                              .axis = axis,
                              .inner = inner,
                              .x_q = harness_quant(&r, t, &scales[0], 1, &zeros[0], 1),
                              .y_q = harness_quant(&r, t, &scales[1], 1, &zeros[1], 1)};
    char what[96];
    snprintf(what, sizeof what, "softmax %s axis %lld seed %llu", oct_dtype_name(t), (long long)axis,
             (unsigned long long)seed);
    octet_status built = oct_qsoftmax(&r, harness_caps(), &q);
    harness_run(&r, built, &(harness_io){q.x.mem, x}, 1, &(harness_io){q.y.mem, y}, 1, what);
    harness_compare(y, want, n + 16, what);
    free(x);
    free(y);
    free(want);
}

static void softmax_is_exact(void **state)
{
    (void)state;
    const int64_t axes[] = {1, 2, 10, 17, 1000};
    for (uint64_t seed = 1; seed <= 60; seed++)
        softmax_case(types[seed & 1], 1 + (int64_t)seed % 3, axes[seed % 5], 1 + (int64_t)seed % 4, seed);
}

/* Which row of lane_variants.def is taken: a pure function of sizes and capabilities. */
static void lanes_follow_device_and_size(void **state)
{
    (void)state;
    static const struct {
        bool gpu;
        size_t max_group;
        int64_t length, rows;
        size_t elem_bytes;
        const char *want;
    } cases[] = {
        {false, 4096, 1 << 24, 1, 1, "lanes_16__portable"},
        {true, 64, 1 << 24, 1, 1, "lanes_16__portable"},
        {true, 256, 1 << 24, 1, 1, "lanes_16__coalesced"},
        {true, 256, 1 << 24, 1, 4, "lanes_4__coalesced"},
        {true, 256, 1 << 12, 1, 1, "lanes_4__coalesced"}, /* too little for all units */
        {true, 256, 1000000, 16, 1, "lanes_16__coalesced"},
        {true, 256, 1000004, 16, 1, "lanes_4__coalesced"}, /* rows begin anywhere */
        {true, 256, 1000001, 16, 1, "lanes_4__coalesced"},
        {true, 256, 0, 0, 1, "lanes_4__coalesced"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oct_caps caps = {.prefers_tiles = cases[i].gpu, .max_group = cases[i].max_group};
        caps.info.compute_units = 16;
        const oct_lanes *v = oct_lanes_select(&caps, cases[i].length, cases[i].rows, cases[i].elem_bytes);
        if (strcmp(v->name, cases[i].want) != 0)
            fail_msg("case %zu: %s instead of %s", i, v->name, cases[i].want);
        caps.lanes = "lanes_16__coalesced";
        assert_string_equal(oct_lanes_select(&caps, 1, 1, 1)->name, "lanes_16__coalesced");
        assert_string_equal(oct_lanes_select(&caps, 1, 1, 4)->name, "lanes_4__coalesced");
    }
}

/* Groups are whole, within the device's limit, and wide before they are high. */
static void groups_fit(void **state)
{
    (void)state;
    static const size_t cases[][6] = {
        {1000, 1, 1, 128, 1, 256}, {3, 50, 2, 4, 32, 1024}, {1, 1, 1, 1, 1, 256},
        {0, 5, 1, 1, 8, 256},      {1000, 9, 1, 64, 1, 64}, {17, 100, 1, 32, 4, 128},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oct_caps caps = {.max_group = cases[i][5]};
        size_t global[3] = {cases[i][0], cases[i][1], cases[i][2]}, local[3];
        oct_group_items(&caps, global, local);
        assert_int_equal(local[0], cases[i][3]);
        assert_int_equal(local[1], cases[i][4]);
        assert_int_equal(local[2], 1);
        for (int d = 0; d < 3; d++)
            assert_true(global[d] % local[d] == 0 && global[d] >= cases[i][d] &&
                        global[d] < cases[i][d] + local[d]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binaries_are_exact),
        cmocka_unit_test(tables_are_exact),
        cmocka_unit_test(channel_tables_are_exact),
        cmocka_unit_test(concatenation_is_exact),
        cmocka_unit_test(softmax_is_exact),
        cmocka_unit_test(lanes_follow_device_and_size),
        cmocka_unit_test(groups_fit),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
