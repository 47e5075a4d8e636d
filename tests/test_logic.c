/* Comparisons, And, Or, Xor, Not and Where on the device, every type they take, against plain loops. */
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

/* Where element i of the whole is in an operand of these dims. */
static int64_t source(const int64_t *dims, int64_t i)
{
    int64_t z = i % whole[2], r = i / whole[2] % whole[1], p = i / whole[2] / whole[1];
    return ((dims[0] == 1 ? 0 : p) * dims[1] + (dims[1] == 1 ? 0 : r)) * dims[2] + (dims[2] == 1 ? 0 : z);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comparisons), cmocka_unit_test(not_is_exact),
                                       cmocka_unit_test(where_is_exact)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
