/* Transpose, Cast, float arithmetic and reductions against src/ref, byte for byte. */
#include "harness.h"
#include "move.h"
#include "pointwise.h"
#include "reduce.h"
#include "ref.h"
#include "unary.h"

#include <math.h>

static void transpose_case(octet_dtype t, int rank, const int64_t *dims, const int *perm, uint64_t seed)
{
    uint64_t s = seed;
    int64_t out[OCTET_MAX_RANK], n = 1;
    for (int i = 0; i < rank; i++) {
        out[i] = dims[perm[i]];
        n *= dims[i];
    }
    size_t elem = oct_dtype_bytes(t), bytes = (size_t)n * elem;
    unsigned char *x = malloc(bytes + 1), *y = malloc(bytes + 16), *want = malloc(bytes + 16);
    check_fill(&s, OCTET_U8, x, bytes, 0);
    memset(y, GUARD, bytes + 16);
    memset(want, GUARD, bytes + 16);
    oct_ref_transpose(x, dims, rank, perm, elem, want);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand tx = harness_operand(&r, t, rank, dims, x, true), ty = harness_output(&r, t, rank, out);
    char what[96];
    snprintf(what, sizeof what, "transpose %s rank %d seed %llu", oct_dtype_name(t), rank,
             (unsigned long long)seed);
    octet_status built = oct_transpose(&r, harness_caps(), &tx, &ty, perm);
    harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, what);
    harness_compare(y, want, bytes + 16, what);
    free(x);
    free(y);
    free(want);
}

static void transposes(void)
{
    const octet_dtype types[] = {OCTET_U8, OCTET_S16, OCTET_F32, OCTET_S64};
    transpose_case(OCTET_U8, 4, (int64_t[]){2, 17, 15, 33}, (int[]){0, 2, 3, 1}, 1);
    transpose_case(OCTET_U8, 4, (int64_t[]){2, 15, 33, 17}, (int[]){0, 3, 1, 2}, 2);
    transpose_case(OCTET_F32, 2, (int64_t[]){16, 31}, (int[]){1, 0}, 3);
    for (int64_t planes = 2; planes <= 5; planes++) {
        transpose_case(OCTET_U8, 4, (int64_t[]){2, planes, 71, 83}, (int[]){0, 2, 3, 1}, 5);
        transpose_case(OCTET_S8, 4, (int64_t[]){2, 71, 83, planes}, (int[]){0, 3, 1, 2}, 6);
        transpose_case(OCTET_U8, 2, (int64_t[]){planes, planes}, (int[]){1, 0}, 7);
        transpose_case(OCTET_U8, 2, (int64_t[]){planes, 1030}, (int[]){1, 0}, 8);
    }
    transpose_case(OCTET_F32, 3, (int64_t[]){0, 5, 7}, (int[]){2, 0, 1}, 4);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) { /* tiles that are whole, and that are not */
        transpose_case(types[i], 3, (int64_t[]){3, 64, 32}, (int[]){0, 2, 1}, 9);
        transpose_case(types[i], 3, (int64_t[]){3, 65, 31}, (int[]){0, 2, 1}, 10);
        transpose_case(types[i], 2, (int64_t[]){1, 97}, (int[]){1, 0}, 11);
    }
    for (uint64_t seed = 5; seed < 85; seed++) {
        uint64_t s = seed;
        int rank = 1 + (int)(check_random(&s) % 8), perm[8];
        int64_t dims[8];
        for (int i = 0; i < rank; i++) {
            dims[i] = 1 + check_random(&s) % (rank > 5 ? 3 : 6);
            perm[i] = i;
        }
        for (int i = rank - 1; i > 0; i--) {
            int j = (int)(check_random(&s) % (uint32_t)(i + 1)), swap = perm[i];
            perm[i] = perm[j];
            perm[j] = swap;
        }
        transpose_case(types[seed % 4], rank, dims, perm, seed);
    }
}

static void transposes_are_exact(void **state)
{
    (void)state;
    harness_each_lanes(transposes);
}

static void casts_are_exact(void **state)
{
    (void)state;
    const octet_dtype types[] = {OCTET_F32, OCTET_U8,  OCTET_S8,  OCTET_U16,
                                 OCTET_S16, OCTET_S32, OCTET_S64, OCTET_BOOL};
    const float floats[] = {0.0f,     -0.0f,     0.5f,          -0.5f,         1.5f,
                            -1.5f,    127.6f,    -128.9f,       255.5f,        300.0f,
                            70000.0f, -70000.0f, 2147483520.0f, 2147483648.0f, -2147483648.0f,
                            9.3e18f,  -9.3e18f,  1e30f,         NAN,           INFINITY};
    enum { N = 37 };
    for (size_t f = 0; f < 8; f++) {
        for (size_t t = 0; t < 8; t++) {
            if (f >= 3 && t >= 3 && f != 5 && t != 5)
                continue; /* a kernel each: one wide type stands for the others */
            unsigned char x[N * 8], y[N * 8 + 16], want[N * 8 + 16];
            uint64_t s = 7;
            check_fill(&s, OCTET_U8, x, sizeof x, 0);
            for (int i = 0; i < N && types[f] == OCTET_F32; i++)
                memcpy(x + i * 4, &floats[i % 20], 4);
            for (int i = 0; i < N && types[f] == OCTET_BOOL; i++)
                x[i] &= 1;
            memset(y, GUARD, sizeof y);
            memset(want, GUARD, sizeof want);
            oct_ref_cast(types[f], types[t], x, N, want);
            oct_recipe r;
            oct_recipe_init(&r);
            const int64_t n = N;
            oct_operand tx = harness_operand(&r, types[f], 1, &n, x, true),
                        ty = harness_output(&r, types[t], 1, &n);
            char what[64];
            snprintf(what, sizeof what, "cast %s to %s", oct_dtype_name(types[f]), oct_dtype_name(types[t]));
            octet_status built = oct_cast(&r, oct_device_caps(device), &tx, &ty);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, what);
            harness_compare(y, want, N * oct_dtype_bytes(types[t]) + 16, what);
        }
    }
}

static float any_float(uint64_t *s)
{
    static const float odd[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1.0f, 3.0f, -2.5f};
    return check_random(s) % 6 ? ((float)(int32_t)check_random(s)) * 1e-7f : odd[check_random(s) % 8];
}

/* NaNs are compared as NaNs: which bits they have is nobody's promise. */
static void compare_floats(const float *got, const float *want, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        if (!(isnan(got[i]) && isnan(want[i])) && memcmp(&got[i], &want[i], sizeof *got) != 0)
            fail_msg("%s: element %zu is %.9g, want %.9g", what, i, (double)got[i], (double)want[i]);
    }
}

static void float_arithmetic_is_exact(void **state)
{
    (void)state;
    for (int op = 0; op <= OCT_FLOAT_MAX; op++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            uint64_t s = seed;
            const int64_t y_dims[] = {3, 4, 19}, b_dims[2][3] = {{3, 4, 19}, {1, 4, 1}};
            const int64_t *b_shape = b_dims[seed % 2];
            float a[3 * 4 * 19], b[3 * 4 * 19], y[3 * 4 * 19], want[3 * 4 * 19];
            for (int i = 0; i < 3 * 4 * 19; i++) {
                a[i] = any_float(&s);
                b[i] = any_float(&s);
            }
            oct_ref_broadcast shape = {.rank = 3};
            memcpy(shape.dims, y_dims, sizeof y_dims);
            memcpy(shape.a_dims, y_dims, sizeof y_dims);
            memcpy(shape.b_dims, b_shape, sizeof y_dims);
            oct_ref_float_binary((oct_ref_float_op)op, &shape, a, b, want);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand ta = harness_operand(&r, OCTET_F32, 3, y_dims, a, true);
            oct_operand tb = harness_operand(&r, OCTET_F32, 3, b_shape, b, true),
                        ty = harness_output(&r, OCTET_F32, 3, y_dims);
            char what[64];
            snprintf(what, sizeof what, "float op %d seed %llu", op, (unsigned long long)seed);
            octet_status built =
                oct_float_binary(&r, oct_device_caps(device), (oct_float_op)op, &ta, &tb, &ty);
            harness_run(&r, built, (harness_io[]){{ta.mem, a}, {tb.mem, b}}, 2, &(harness_io){ty.mem, y}, 1,
                        what);
            compare_floats(y, want, 3 * 4 * 19, what);
        }
    }
}

/* What ONNX leaves open is fixed here: x / 0 is 0, overflow wraps. */
static int32_t int_op(int op, int32_t a, int32_t b)
{
    switch (op) {
    case OCT_FLOAT_ADD:
        return (int32_t)((uint32_t)a + (uint32_t)b);
    case OCT_FLOAT_SUB:
        return (int32_t)((uint32_t)a - (uint32_t)b);
    case OCT_FLOAT_MUL:
        return (int32_t)((uint32_t)a * (uint32_t)b);
    case OCT_FLOAT_DIV:
        return b == 0 ? 0 : b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
    case OCT_FLOAT_MIN:
        return a < b ? a : b;
    default:
        return a > b ? a : b;
    }
}

static void int_arithmetic_is_exact(void **state)
{
    (void)state;
    enum { ROWS = 3, N = 19 };
    static const int32_t odd[] = {INT32_MIN, INT32_MAX, 0, -1, 1, 7, -7};
    for (int op = 0; op <= OCT_FLOAT_MAX; op++) {
        int32_t a[ROWS * N], b[ROWS], y[ROWS * N], want[ROWS * N];
        uint64_t s = 21;
        for (int i = 0; i < ROWS * N; i++)
            a[i] = i % 3 ? (int32_t)check_random(&s) : odd[check_random(&s) % 7];
        for (int i = 0; i < ROWS; i++)
            b[i] = odd[2 + (i + op) % 3];
        for (int i = 0; i < ROWS * N; i++)
            want[i] = int_op(op, a[i], b[i / N]);
        const int64_t dims[] = {ROWS, N}, b_dims[] = {ROWS, 1};
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand ta = harness_operand(&r, OCTET_S32, 2, dims, a, true),
                    tb = harness_operand(&r, OCTET_S32, 2, b_dims, b, true),
                    ty = harness_output(&r, OCTET_S32, 2, dims);
        char what[32];
        snprintf(what, sizeof what, "s32 op %d", op);
        octet_status built = oct_float_binary(&r, oct_device_caps(device), (oct_float_op)op, &ta, &tb, &ty);
        harness_run(&r, built, (harness_io[]){{ta.mem, a}, {tb.mem, b}}, 2, &(harness_io){ty.mem, y}, 1,
                    what);
        harness_compare(y, want, sizeof y, what);
    }
}

/* A zero of either sign stays what it is at a bound of zero (Relu), as in ONNX Runtime. */
static void clip_at_zero_is_exact(void **state)
{
    (void)state;
    static const float bounds[][2] = {
        {0.0f, INFINITY}, {-0.0f, INFINITY}, {-INFINITY, 0.0f}, {-INFINITY, -0.0f}};
    for (size_t k = 0; k < 4; k++) {
        float x[37], y[37], want[37];
        for (int i = 0; i < 37; i++)
            x[i] = i % 3 == 0 ? -0.0f : i % 3 == 1 ? 0.0f : (float)(i - 18);
        for (int i = 0; i < 37; i++)
            want[i] = k < 2 ? (x[i] < 0 ? bounds[k][0] : x[i]) : x[i] > 0 ? bounds[k][1] : x[i];
        const int64_t n = 37;
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                    ty = harness_output(&r, OCTET_F32, 1, &n);
        char what[32];
        snprintf(what, sizeof what, "clip bounds %zu", k);
        octet_status built =
            oct_float_unary(&r, oct_device_caps(device), "Clip", &tx, bounds[k][0], bounds[k][1], &ty);
        harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, what);
        compare_floats(y, want, 37, what);
        oct_ref_clip_f32(x, 37, bounds[k][0], bounds[k][1], y);
        compare_floats(y, want, 37, "reference of clip");
    }
}

static void round_clip_and_reduce_are_exact(void **state)
{
    (void)state;
    enum { N = 3 * 5 * 17 };
    float x[N], round[N], clip[N], reduced[3 * 17], want[N];
    uint64_t s = 11;
    const int64_t n = N, small = 3 * 17;
    for (int i = 0; i < N; i++)
        x[i] = i % 3 ? any_float(&s) : (float)(i - 100) * 0.5f;
    for (int maximum = 0; maximum < 2; maximum++) {
        oct_recipe r;
        oct_recipe_init(&r);
        const oct_caps *caps = oct_device_caps(device);
        oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                    tr = harness_output(&r, OCTET_F32, 1, &n);
        oct_operand tc = harness_output(&r, OCTET_F32, 1, &n), tm = harness_output(&r, OCTET_F32, 1, &small);
        octet_status built = oct_float_unary(&r, caps, "Round", &tx, 0.0f, 0.0f, &tr);
        if (built == OCTET_OK)
            built = oct_float_unary(&r, caps, "Clip", &tx, -1.25f, 3.0f, &tc);
        if (built == OCTET_OK)
            built = oct_reduce(&r, caps, maximum ? OCT_COMBINE_MAX : OCT_COMBINE_MIN, OCT_BEFORE_NOTHING,
                               OCT_AFTER_NOTHING, 1.0f, tx.mem, 3, 5, 17, tm.mem);
        harness_run(&r, built, &(harness_io){tx.mem, x}, 1,
                    (harness_io[]){{tr.mem, round}, {tc.mem, clip}, {tm.mem, reduced}}, 3,
                    "round, clip, reduce");
        oct_ref_round(x, N, want);
        compare_floats(round, want, N, "round");
        oct_ref_clip_f32(x, N, -1.25f, 3.0f, want);
        compare_floats(clip, want, N, "clip");
        oct_ref_reduce_minmax(maximum, x, 3, 5, 17, want);
        compare_floats(reduced, want, 3 * 17, "reduce");
    }
}

/* y[channel][i][j] = x[c][2 i + row][2 j + column], with the channel as the mode says. */
static void blocks_are_in_order(void **state)
{
    (void)state;
    octet_context *context;
    CHECK_OK(octet_context_create(NULL, &context));
    for (int crd = 0; crd < 2; crd++) {
        unsigned char x[32];
        const octet_tensor in = {OCTET_U8, 4, {1, 2, 4, 4}, x, sizeof x};
        octet_tensor out = {0};
        octet_model *model;
        octet_session *session;
        for (int i = 0; i < 32; i++)
            x[i] = (unsigned char)(i + 1);
        CHECK_OK(octet_model_load(context,
                                  crd ? OCTET_SOURCE_DIR "/tests/data/space_to_depth_CRD.onnx"
                                      : OCTET_SOURCE_DIR "/tests/data/space_to_depth_DCR.onnx",
                                  NULL, &model));
        CHECK_OK(octet_session_create(model, NULL, &session));
        CHECK_OK(octet_session_run(session, &in, 1, &out, 1));
        for (int at = 0; at < 32; at++) {
            int c = at / 16, h = at / 4 % 4, w = at % 4, place = h % 2 * 2 + w % 2;
            int channel = crd ? c * 4 + place : place * 2 + c;
            assert_int_equal(((unsigned char *)out.data)[channel * 4 + h / 2 * 2 + w / 2], at + 1);
        }
        octet_tensor_free(&out);
        octet_session_destroy(session);
        octet_model_destroy(model);
    }
    octet_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes_are_exact),      cmocka_unit_test(casts_are_exact),
        cmocka_unit_test(float_arithmetic_is_exact), cmocka_unit_test(int_arithmetic_is_exact),
        cmocka_unit_test(clip_at_zero_is_exact),     cmocka_unit_test(round_clip_and_reduce_are_exact),
        cmocka_unit_test(blocks_are_in_order),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
