/* octet_quantizer over its whole life: what goes wrong on the way, a sample that is refused or a choice that
 * cannot be made, changes nothing about the file that comes out in the end; nor does asking twice. */
#include "float_net.h"
#include "onnx_write.h"

#include <math.h>
#include <octet/quantize.h>
#include <unistd.h>

static char folder[] = "/tmp/octet_quantizer_XXXXXX";
static octet_context *context;

enum { ROWS = 12, WIDTH = 16, FILE_BYTES = 1 << 16 };

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static int project(oct_graph *g, const char *name, int x, float spread, uint32_t *seed)
{
    const int64_t dims[2] = {WIDTH, WIDTH};
    return ADD(g, MatMul, name, x, constant(g, name, 2, dims, spread, 0, seed));
}

/* A product of the input as it is, and one of it normalized, which --smooth scales. */
static void make_network(const char *path)
{
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 5;
    const int64_t dims[2] = {-1, WIDTH}, width = WIDTH;
    int x = oct_add_like(g, "x", OCTET_F32, 2, dims);
    int normal = ADD(g, LayerNormalization, "normal", x, constant(g, "factors", 1, &width, 0.4f, 1, &seed),
                     constant(g, "terms", 1, &width, 0.4f, 0, &seed));
    int hidden = ADD(g, Relu, "relu", project(g, "first", normal, 0.5f, &seed));
    int beside =
        ADD(g, Add, "biased", project(g, "beside", x, 50, &seed), constant(g, "b", 1, &width, 1, 0, &seed));
    int sum = ADD(g, Add, "sum", project(g, "second", hidden, 0.5f, &seed), beside);
    close_graph(g, x, project(g, "last", sum, 0.5f, &seed), 17);
    CHECK_OK(oct_onnx_write(g, 17, path));
    oct_graph_free(g);
}

static octet_status add_sample(octet_quantizer *q, uint32_t seed, float size)
{
    float data[ROWS * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++)
        data[i] = size * noise(&seed);
    const octet_tensor t = {OCTET_F32, 2, {ROWS, WIDTH}, data, sizeof data};
    return octet_quantizer_add(q, &t, 1);
}

static octet_quantizer *open_quantizer(const octet_quantize_desc *d)
{
    octet_quantizer *q;
    CHECK_OK(octet_quantizer_create(context, in_folder("float.onnx"), d, &q));
    return q;
}

static size_t written(octet_quantizer *q, char *bytes)
{
    const char *path = in_folder("int8.onnx");
    CHECK_OK(octet_quantizer_write(q, path));
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t count = fread(bytes, 1, FILE_BYTES, f);
    fclose(f);
    assert_in_range(count, 1, FILE_BYTES - 1);
    return count;
}

static void check_same(octet_quantizer *a, octet_quantizer *b)
{
    static char x[FILE_BYTES], y[FILE_BYTES];
    size_t count = written(a, x);
    assert_int_equal(count, written(b, y));
    assert_memory_equal(x, y, count);
}

static octet_quantize_desc descriptor(int index)
{
    octet_quantize_desc d;
    OCTET_INIT(d);
    d.observer = OCTET_OBSERVE_MINMAX;
    d.smooth = 0.5;
    d.activations = index ? OCTET_U16 : OCTET_U8;
    d.split = index ? 100 : 0;
    return d;
}

/* The input of the network is finite, and seen by then; a product of it is not. */
static void refused_sample(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        octet_quantize_desc d = descriptor(i);
        d.smooth = 0; /* which looks at the samples again */
        d.split = -1;
        octet_quantizer *a = open_quantizer(&d), *b = open_quantizer(&d);
        CHECK_OK(add_sample(a, 1, 1));
        CHECK_FAILS(add_sample(a, 2, 1e37f), OCTET_INVALID_ARGUMENT,
                    "'biased_out' (node 'beside'), sample 2");
        CHECK_OK(add_sample(a, 3, 1));
        CHECK_OK(add_sample(b, 1, 1));
        CHECK_OK(add_sample(b, 3, 1));
        check_same(a, b);
        octet_quantizer_destroy(a);
        octet_quantizer_destroy(b);
    }
}

/* Nothing but numbers that have no scale: an error once channels are scaled. One more sample mends it. */
static void failed_choice(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const octet_quantize_desc d = descriptor(i);
        octet_quantizer *a = open_quantizer(&d), *b = open_quantizer(&d);
        for (uint32_t seed = 1; seed < 3; seed++) {
            CHECK_OK(add_sample(a, seed, 1e-37f));
            CHECK_OK(add_sample(b, seed, 1e-37f));
        }
        CHECK_FAILS(octet_quantizer_write(a, in_folder("x.onnx")), OCTET_INVALID_ARGUMENT, "underflow");
        CHECK_FAILS(octet_quantizer_write(a, in_folder("x.onnx")), OCTET_INVALID_ARGUMENT, "underflow");
        CHECK_OK(add_sample(a, 3, 1));
        CHECK_OK(add_sample(b, 3, 1));
        check_same(a, b);
        octet_quantizer_destroy(a);
        octet_quantizer_destroy(b);
    }
}

typedef struct steps {
    char names[16][32]; /* each once, as they come */
    int count;
} steps;

static void note(void *user, const char *step, size_t done, size_t total)
{
    steps *s = user;
    assert_true(done < total);
    if (s->count && strcmp(s->names[s->count - 1], step) == 0)
        return;
    assert_true(s->count < 16);
    snprintf(s->names[s->count++], sizeof *s->names, "%s", step);
}

static void steps_in_order(void **state)
{
    (void)state;
    static const char *const expected[2][13] = {
        {"smooth", "observe again", "minmax", "bias correction", "biases", "layers in float", "minmax",
         "bias correction", "measure"},
        {"smooth", "observe again", "minmax", "adaptive rounding", "weights in 16 bits", "observe again",
         "minmax", "adaptive rounding", "bias correction", "biases", "measure"},
    };
    for (int i = 0; i < 2; i++) {
        steps seen = {.count = 0};
        octet_quantize_desc d = descriptor(i);
        d.auto_count = i ? 0 : 1;
        d.progress = note;
        d.progress_user = &seen;
        octet_quantizer *q = open_quantizer(&d);
        for (uint32_t seed = 1; seed < 4; seed++)
            CHECK_OK(add_sample(q, seed, 1));
        assert_int_equal(seen.count, 0);
        CHECK_OK(octet_quantizer_write(q, in_folder("x.onnx")));
        for (int k = 0; k < seen.count || expected[i][k]; k++) {
            if (k == seen.count || !expected[i][k] || strcmp(seen.names[k], expected[i][k]) != 0)
                fail_msg("case %d, step %d is \"%s\" instead of \"%s\"", i, k,
                         k < seen.count ? seen.names[k] : "none", expected[i][k] ? expected[i][k] : "none");
        }
        octet_quantizer_destroy(q);
    }
}

static void asked_twice(void **state)
{
    (void)state;
    const octet_quantize_desc d = descriptor(0);
    octet_quantizer *q = open_quantizer(&d);
    octet_quantize_result result;
    OCTET_INIT(result);
    CHECK_FAILS(octet_quantizer_write(q, in_folder("x.onnx")), OCTET_INVALID_ARGUMENT, "no calibration");
    CHECK_OK(add_sample(q, 1, 1));
    CHECK_FAILS(octet_quantizer_result(q, &result), OCTET_INVALID_ARGUMENT, "nothing is written");
    CHECK_FAILS(octet_quantizer_measure_gains(q), OCTET_INVALID_ARGUMENT, "nothing is written");
    check_same(q, q);
    CHECK_FAILS(add_sample(q, 2, 1), OCTET_INVALID_ARGUMENT, "written already");
    CHECK_OK(octet_quantizer_result(q, &result));
    assert_int_equal(result.samples, 1);
    double gains[32][2];
    size_t tensors = octet_quantizer_tensor_count(q), measured = 0;
    assert_in_range(tensors, 5, 32);
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < tensors; i++) {
            octet_quantized_info info;
            OCTET_INIT(info);
            CHECK_OK(octet_quantizer_tensor(q, i, &info));
            const double now[2] = {info.gain_db, info.gain16_db};
            for (int k = 0; k < 2; k++) {
                assert_true(turn > 0 || isnan(now[k]));
                assert_true(turn < 2 || now[k] == gains[i][k] || (isnan(now[k]) && isnan(gains[i][k])));
                measured += turn == 2 && !isnan(now[k]);
                gains[i][k] = now[k];
            }
        }
        if (turn < 2)
            CHECK_OK(octet_quantizer_measure_gains(q));
    }
    assert_in_range(measured, 8, 2 * tensors);
    octet_quantizer_destroy(q);
}

static int start(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || octet_context_create(NULL, &context) != OCTET_OK)
        return 1;
    make_network(in_folder("float.onnx"));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    static const char *const made[] = {"float.onnx", "int8.onnx", "x.onnx"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        remove(in_folder(made[i]));
    octet_context_destroy(context);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_sample),
        cmocka_unit_test(failed_choice),
        cmocka_unit_test(steps_in_order),
        cmocka_unit_test(asked_twice),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
