/* Comparisons, And, Or, Xor, Not, Where and QLinearWhere on the device, every type they take, against plain
 * loops and src/ref. */
#include "harness.h"
#include "logic.h"
#include "ref.h"

#include <math.h>

enum { MOST = 3 * 5 * 37 };

static const int64_t whole[3] = {3, 5, 37};
static const int64_t shapes[][3] = {{3, 5, 37}, {1, 1, 37}, {3, 1, 1}, {1, 5, 1}, {1, 1, 1}, {3, 1, 37}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

typedef union buffer {
    uint64_t words[MOST];
    float f32[MOST];
    int64_t s64[MOST];
    unsigned char bytes[MOST * 8];
} buffer;
static buffer a, b, y;
static unsigned char c[MOST], want[MOST + 16], got[MOST + 16];

/* Few values, so that equal ones meet; floats have a NaN, integers their ends. */
static void fill(buffer *x, octet_dtype t, uint64_t seed)
{
    static const float reals[] = {0.0f, -0.0f, 1.0f, -1.5f, NAN, INFINITY, 2.0f};
    for (int i = 0; i < MOST; i++) {
        int64_t v = check_range(&seed, -2, 2);
        if (t == OCTET_F32)
            x->f32[i] = reals[check_random(&seed) % 7];
        else if (t == OCTET_S64)
            x->s64[i] = v * ((int64_t)1 << 33);
        else if (t == OCTET_BOOL)
            x->bytes[i] = (unsigned char)(v > 0);
        else
            oct_ref_store(t, x, i, (int32_t)(i % 3 ? v : v < 0 ? oct_dtype_min(t) : oct_dtype_max(t)));
    }
}

static double load(const buffer *x, octet_dtype t, int64_t i)
{
    return t == OCTET_F32    ? (double)x->f32[i]
           : t == OCTET_S64  ? (double)x->s64[i]
           : t == OCTET_BOOL ? (double)x->bytes[i]
                             : (double)oct_ref_load(t, x, i);
}

/* Where element i of a result of dims y is in an operand of these dims; and of the whole. */
static int64_t source_of(const int64_t *dims, const int64_t *y_dims, int64_t i)
{
    int64_t z = i % y_dims[2], r = i / y_dims[2] % y_dims[1], p = i / y_dims[2] / y_dims[1];
    return ((dims[0] == 1 ? 0 : p) * dims[1] + (dims[1] == 1 ? 0 : r)) * dims[2] + (dims[2] == 1 ? 0 : z);
}

static int64_t source(const int64_t *dims, int64_t i)
{
    return source_of(dims, whole, i);
}

static void comparisons(void **state)
{
    (void)state;
    static const char *const names[] = {"Equal",          "Less", "LessOrEqual", "Greater",
                                        "GreaterOrEqual", "And",  "Or",          "Xor"};
    static const octet_dtype types[] = {OCTET_F32, OCTET_U8,  OCTET_S8,  OCTET_U16,
                                        OCTET_S16, OCTET_S32, OCTET_S64, OCTET_BOOL};
    int tried = 0;
    for (int name = 0; name < 8; name++) {
        for (int t = name < 5 ? 0 : 7; t < 8; t++) {
            if (name != 1 && t > 1 && t < 7)
                continue; /* Less: with every type */
            for (int shape = 0; shape < SHAPES; shape++) {
                const int64_t *da = shapes[shape], *db = shapes[(shape * 2 + 1) % SHAPES];
                bool covers = true; /* the two give the whole between them */
                for (int d = 0; d < 3; d++)
                    covers = covers && (da[d] == whole[d] || db[d] == whole[d]);
                db = covers ? db : whole;
                char what[96];
                snprintf(what, sizeof what, "%s %s shape %d", names[name], oct_dtype_name(types[t]), shape);
                fill(&a, types[t], 5 + (uint64_t)shape);
                fill(&b, types[t], 50 + (uint64_t)shape);
                memset(want, GUARD, sizeof want);
                memset(got, GUARD, sizeof got);
                for (int i = 0; i < MOST; i++)
                    want[i] = oct_ref_logic(names[name], load(&a, types[t], source(da, i)),
                                            load(&b, types[t], source(db, i)));
                oct_recipe r;
                oct_recipe_init(&r);
                oct_operand ta = harness_operand(&r, types[t], 3, da, &a, true),
                            tb = harness_operand(&r, types[t], 3, db, &b, true),
                            ty = harness_output(&r, OCTET_BOOL, 3, whole);
                octet_status built = oct_logic(&r, oct_device_caps(device), names[name], &ta, &tb, &ty);
                harness_run(&r, built, (harness_io[]){{ta.mem, &a}, {tb.mem, &b}}, 2,
                            &(harness_io){ty.mem, got}, 1, what);
                harness_compare(got, want, sizeof want, what);
                tried++;
            }
        }
    }
    assert_int_equal(tried, (8 + 4 * 3 + 3) * SHAPES);
}

static void not_is_exact(void **state)
{
    (void)state;
    const int64_t n = MOST;
    fill(&a, OCTET_BOOL, 3);
    memset(got, GUARD, sizeof got);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand ta = harness_operand(&r, OCTET_BOOL, 1, &n, &a, true),
                ty = harness_output(&r, OCTET_BOOL, 1, &n);
    octet_status built = oct_not(&r, oct_device_caps(device), &ta, &ty);
    harness_run(&r, built, &(harness_io){ta.mem, &a}, 1, &(harness_io){ty.mem, got}, 1, "Not");
    for (int i = 0; i < MOST; i++)
        assert_int_equal(got[i], !a.bytes[i]);
}

static void where_is_exact(void **state)
{
    (void)state;
    static const octet_dtype types[] = {OCTET_F32, OCTET_U8, OCTET_S16, OCTET_S64};
    for (int t = 0; t < 4; t++) {
        size_t bytes = oct_dtype_bytes(types[t]);
        for (int shape = 0; shape < SHAPES * SHAPES; shape++) {
            const int64_t *dc = shapes[shape % SHAPES], *da = shapes[shape / SHAPES], *db = whole;
            uint64_t s = 9 + (uint64_t)shape;
            char what[96];
            snprintf(what, sizeof what, "Where %s shape %d", oct_dtype_name(types[t]), shape);
            for (size_t i = 0; i < sizeof a.bytes; i++) {
                a.bytes[i] = (unsigned char)check_random(&s);
                b.bytes[i] = (unsigned char)check_random(&s);
            }
            for (int i = 0; i < MOST; i++)
                c[i] = check_random(&s) & 1;
            memset(&y, GUARD, sizeof y);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tc = harness_operand(&r, OCTET_BOOL, 3, dc, c, true),
                        ta = harness_operand(&r, types[t], 3, da, &a, true),
                        tb = harness_operand(&r, types[t], 3, db, &b, true),
                        ty = harness_output(&r, types[t], 3, whole);
            octet_status built = oct_where(&r, oct_device_caps(device), &tc, &ta, &tb, &ty);
            harness_run(&r, built, (harness_io[]){{tc.mem, c}, {ta.mem, &a}, {tb.mem, &b}}, 3,
                        &(harness_io){ty.mem, &y}, 1, what);
            for (int64_t i = 0; i < MOST; i++) {
                const unsigned char *from = c[source(dc, i)] ? a.bytes + (size_t)source(da, i) * bytes
                                                             : b.bytes + (size_t)source(db, i) * bytes;
                harness_compare(y.bytes + (size_t)i * bytes, from, bytes, what);
            }
            if (bytes < 8)
                assert_int_equal(y.bytes[MOST * bytes], GUARD);
        }
    }
}

/* One choice between operands of dims[1] and dims[2] by a condition of dims[0]; dims[3]: what these broadcast
 * to. k: zero points at the ends of the type and scales, with ties or as large as they get; every other 16
 * have x in the parameters of the result. */
static void qwhere_case(octet_dtype t, const int64_t dims[4][3], int k)
{
    static const unsigned char u8[] = {0, 128, 255, 3}, s8[] = {0x80, 0, 0x7f, 0xfd};
    static const float scales[][3] = {
        {0.5f, 0.25f, 0.5f}, {0.013f, 2.0f, 0.07f}, {3e38f, 1e-38f, 3e38f}, {0.25f, 3e38f, 0.5f}};
    const unsigned char *ends = t == OCTET_S8 ? s8 : u8;
    const float *by = scales[k / 16];
    const unsigned char zeros[3] = {ends[k % 4], ends[k / 4 % 4], ends[k / 16 % 2 ? 3 - k % 4 : k % 4]};
    static unsigned char x[MOST], z[MOST + 16], wide[3][MOST];
    uint64_t s = 77 + (uint64_t)k;
    int64_t n = dims[3][0] * dims[3][1] * dims[3][2];
    char what[160];
    snprintf(what, sizeof what, "QLinearWhere %s [%lld %lld %lld] k %d", oct_dtype_name(t),
             (long long)dims[3][0], (long long)dims[3][1], (long long)dims[3][2], k);
    for (int i = 0; i < MOST; i++) {
        c[i] = check_random(&s) & 1;
        x[i] = (unsigned char)i;
        b.bytes[i] = (unsigned char)check_random(&s);
    }
    for (int64_t i = 0; i < n; i++) {
        wide[0][i] = c[source_of(dims[0], dims[3], i)];
        wide[1][i] = x[source_of(dims[1], dims[3], i)];
        wide[2][i] = b.bytes[source_of(dims[2], dims[3], i)];
    }
    int32_t as_int[3];
    for (int i = 0; i < 3; i++)
        as_int[i] = oct_ref_load(t, zeros, i);
    memset(want, GUARD, sizeof want);
    memset(z, GUARD, sizeof z);
    oct_ref_qwhere(&(oct_ref_qwhere_params){t, by[0], by[1], by[2], as_int[0], as_int[1], as_int[2]}, wide[0],
                   wide[1], wide[2], n, want);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_qwhere_request q = {.condition = harness_operand(&r, OCTET_BOOL, 3, dims[0], c, true),
                            .x = harness_operand(&r, t, 3, dims[1], x, true),
                            .y = harness_operand(&r, t, 3, dims[2], b.bytes, true),
                            .z = harness_output(&r, t, 3, dims[3]),
                            .x_q = harness_quant(&r, t, &by[0], 1, &zeros[0], 1),
                            .y_q = harness_quant(&r, t, &by[1], 1, &zeros[1], 1),
                            .z_q = harness_quant(&r, t, &by[2], 1, &zeros[2], 1)};
    octet_status built = oct_qwhere(&r, oct_device_caps(device), &q);
    harness_run(&r, built, (harness_io[]){{q.condition.mem, c}, {q.x.mem, x}, {q.y.mem, b.bytes}}, 3,
                &(harness_io){q.z.mem, z}, 1, what);
    harness_compare(z, want, sizeof want, what);
}

static void qwhere_is_exact(void **state)
{
    (void)state;
    static const octet_dtype types[] = {OCTET_U8, OCTET_S8};
    static const int64_t edges[][4][3] = {
        {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}, {{1, 1, 17}, {1, 1, 17}, {1, 1, 1}, {1, 1, 17}},
        {{2, 1, 1}, {1, 3, 1}, {1, 1, 5}, {2, 3, 5}}, {{1, 1, 1}, {1, 1, 1}, {2, 2, 31}, {2, 2, 31}},
        {{0, 1, 4}, {1, 1, 4}, {0, 3, 4}, {0, 3, 4}},
    };
    int tried = 0;
    for (int t = 0; t < 2; t++) {
        for (int pair = 0; pair < SHAPES * SHAPES; pair++, tried++) {
            int64_t dims[4][3];
            memcpy(dims[0], shapes[pair % SHAPES], sizeof *dims);
            memcpy(dims[1], pair & 1 ? whole : shapes[pair / SHAPES], sizeof *dims);
            memcpy(dims[2], pair & 1 ? shapes[pair / SHAPES] : whole, sizeof *dims);
            memcpy(dims[3], whole, sizeof *dims);
            qwhere_case(types[t], dims, pair * 7 % 64);
        }
        for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
            for (int k = 0; k < 64; k++, tried++)
                qwhere_case(types[t], edges[e], k);
        }
    }
    assert_int_equal(tried, 2 * (SHAPES * SHAPES + 5 * 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comparisons), cmocka_unit_test(not_is_exact),
                                       cmocka_unit_test(where_is_exact), cmocka_unit_test(qwhere_is_exact)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
