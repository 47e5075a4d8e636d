/* SmoothQuant (src/quantize/prepare/smooth.c): a transformer block whose normalizations have channels with
 * outliers. Scaled it computes the same in float; quantized it comes out nearer. */
#include "float_net.h"
#include "onnx.h"
#include "onnx_write.h"
#include "prepare.h"
#include "smooth.h"

#include <math.h>
#include <octet/quantize.h>
#include <unistd.h>

static char folder[] = "/tmp/octet_smooth_XXXXXX";
static octet_context *context;

enum { ROWS = 6, WIDTH = 16, HIDDEN = 24 };

/* How the network is written. */
typedef struct form {
    bool parts;    /* normalizations as ReduceMean, Sub, Pow, ... */
    bool dynamic;  /* the first dimension is open: products with a bias stay MatMul and Add */
    bool also_out; /* the first normalization is an output of the network too */
} form;

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

/* Channels 3 and 9 are forty times as large as the others. */
static double outlier(int64_t channel)
{
    return channel == 3 || channel == 9 ? 40 : 1;
}

static int scaled_constant(oct_graph *g, const char *name, int rank, const int64_t *dims, float spread,
                           float middle, bool up, uint32_t *seed)
{
    int v = constant(g, name, rank, dims, spread, middle, seed);
    float *x = (float *)(uintptr_t)g->values[v].data;
    int64_t inner = rank == 2 ? dims[1] : 1;
    for (int64_t i = 0; i < dims[0] * inner; i++)
        x[i] = (float)(up ? x[i] * outlier(i / inner) : x[i] / outlier(i / inner));
    return v;
}

static int mean(oct_graph *g, const char *name, int x)
{
    static const int64_t last = -1;
    int y = ADD(g, ReduceMean, name, x);
    set_ints(g, "axes", &last, 1);
    return y;
}

static int normalize(oct_graph *g, const form *f, const char *name, int x, uint32_t *seed)
{
    const int64_t width = WIDTH;
    const float two = 2, epsilon = 1e-5f;
    char part[7][32];
    for (int i = 0; i < 7; i++)
        snprintf(part[i], sizeof part[i], "%s_%d", name, i);
    int factors = scaled_constant(g, "factors", 1, &width, 0.2f, 1, true, seed);
    int terms = scaled_constant(g, "terms", 1, &width, 0.2f, 0, true, seed);
    if (!f->parts)
        return ADD(g, LayerNormalization, name, x, factors, terms);
    int centered = ADD(g, Sub, part[0], x, mean(g, part[1], x));
    int squares = ADD(g, Pow, part[2], centered, oct_add_const(g, OCTET_F32, 0, NULL, &two));
    int variance =
        ADD(g, Add, part[4], mean(g, part[3], squares), oct_add_const(g, OCTET_F32, 0, NULL, &epsilon));
    int normal = ADD(g, Div, part[6], centered, ADD(g, Sqrt, part[5], variance));
    char times[40];
    snprintf(times, sizeof times, "%s_times", name);
    return ADD(g, Add, name, ADD(g, Mul, times, normal, factors), terms);
}

static int project(oct_graph *g, const char *name, int x, int64_t to, bool smooth, uint32_t *seed)
{
    const int64_t dims[2] = {smooth ? WIDTH : HIDDEN, to};
    int w = smooth ? scaled_constant(g, name, 2, dims, 0.5f, 0, false, seed)
                   : constant(g, name, 2, dims, 0.4f, 0, seed);
    return ADD(g, MatMul, name, x, w);
}

static void make_block(const char *path, const form *f)
{
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 5;
    const int64_t dims[3] = {f->dynamic ? -1 : 2, ROWS, WIDTH}, hidden = HIDDEN, turn[3] = {0, 2, 1};
    const float scale = 0.25f;
    int x = oct_add_like(g, "x", OCTET_F32, 3, dims);
    int normal = normalize(g, f, "first", x, &seed);
    int q = project(g, "q", normal, WIDTH, true, &seed), k = project(g, "k", normal, WIDTH, true, &seed),
        v = project(g, "v", normal, WIDTH, true, &seed);
    int turned = ADD(g, Transpose, "turned", k);
    set_ints(g, "perm", turn, 3);
    int scores = ADD(g, Mul, "scaled", ADD(g, MatMul, "scores", q, turned),
                     oct_add_const(g, OCTET_F32, 0, NULL, &scale));
    int sum = ADD(g, Add, "residual", ADD(g, MatMul, "mixed", ADD(g, Softmax, "weights", scores), v), x);
    int second = normalize(g, f, "second", sum, &seed);
    int wide = ADD(g, Add, "biased", project(g, "up", second, HIDDEN, true, &seed),
                   constant(g, "b", 1, &hidden, 0.3f, 0, &seed));
    close_graph(g, x, project(g, "down", ADD(g, Relu, "relu", wide), WIDTH, false, &seed),
                f->parts ? 13 : 17);
    if (f->also_out) {
        g->outputs = realloc(g->outputs, 2 * sizeof *g->outputs);
        assert_non_null(g->outputs);
        g->outputs[g->output_count++] = normal;
        g->values[normal].is_output = true;
        g->values[normal].dtype = OCTET_F32;
    }
    CHECK_OK(oct_onnx_write(g, f->parts ? 13 : 17, path));
    oct_graph_free(g);
}

static void fill(octet_tensor *t, uint32_t *seed)
{
    *t = (octet_tensor){.dtype = OCTET_F32, .rank = 3, .dims = {2, ROWS, WIDTH}};
    assert_int_equal(octet_tensor_alloc(t), OCTET_OK);
    for (size_t i = 0; i < t->data_bytes / sizeof(float); i++)
        ((float *)t->data)[i] = noise(seed);
}

static void run(const char *path, const octet_tensor *in, octet_tensor *out)
{
    octet_model *model;
    octet_session *session;
    CHECK_OK(octet_model_load(context, path, NULL, &model));
    CHECK_OK(octet_session_create(model, NULL, &session));
    CHECK_OK(octet_session_run(session, in, 1, out, octet_model_output_count(model)));
    octet_session_destroy(session);
    octet_model_destroy(model);
}

/* Signal to noise of the first output, on samples that nothing has seen. */
static double nearness(const char *a, const char *b)
{
    uint32_t seed = 999;
    double signal = 0, off = 0;
    for (int k = 0; k < 3; k++) {
        octet_tensor in, x[2] = {{0}}, y[2] = {{0}};
        fill(&in, &seed);
        run(a, &in, x);
        run(b, &in, y);
        assert_int_equal(x[0].data_bytes, y[0].data_bytes);
        for (size_t i = 0; i < x[0].data_bytes / sizeof(float); i++) {
            double p = ((float *)x[0].data)[i], d = p - ((float *)y[0].data)[i];
            signal += p * p;
            off += d * d;
        }
        octet_tensor_free(&in);
        for (int i = 0; i < 2; i++) {
            octet_tensor_free(&x[i]);
            octet_tensor_free(&y[i]);
        }
    }
    return off > 0 ? 10 * log10(signal / off) : 200;
}

static const form forms[] = {
    {false, false, false}, {true, false, false}, {false, true, false}, {true, true, false}};
enum { FORMS = sizeof forms / sizeof *forms };

/* Whatever the factors, the float network computes the same; and they are the paper's. */
static void float_stays(void **state)
{
    (void)state;
    for (int k = 0; k < FORMS; k++) {
        const char *from = in_folder("float.onnx"), *to = in_folder("other.onnx");
        make_block(from, &forms[k]);
        oct_onnx_model *file;
        oct_graph g, shaped;
        octet_tensor t;
        uint32_t seed = 8;
        int opset, count;
        fill(&t, &seed);
        CHECK_OK(oct_onnx_load(from, false, &file));
        CHECK_OK(oct_graph_clone(oct_onnx_graph(file), &g));
        CHECK_OK(oct_prepare(&g, &t, &opset));
        CHECK_OK(oct_shaped_copy(&g, &t, &shaped));
        oct_smooth_site *sites;
        CHECK_OK(oct_smooth_find(&g, &shaped, &sites, &count));
        assert_int_equal(count, 2);
        for (int i = 0; i < count; i++) {
            assert_int_equal(sites[i].channels, WIDTH);
            for (int c = 0; c < WIDTH; c++)
                sites[i].peaks[c] = c == 5 ? 0 : 3 + (float)(c * c);
            CHECK_OK(oct_smooth_apply(&g, &shaped, &sites[i], 0.25 + 0.5 * i));
            assert_non_null(strstr(g.values[sites[i].value].name, "_smooth"));
        }
        oct_smooth_free(sites, count);
        CHECK_OK(oct_onnx_write(&g, opset, to));
        double db = nearness(from, to);
        if (!(db > 100) || !(db < 200))
            fail_msg("form %d: %.1f dB between the float networks", k, db);
        oct_graph_free(&shaped);
        oct_graph_free(&g);
        oct_onnx_free(file);
        octet_tensor_free(&t);
    }
}

/* s_j = max|X_j|^a / max|W_j|^(1-a), the weights of all products that read X taken together. */
static void factors(void **state)
{
    (void)state;
    oct_graph graph = {0}, shaped, *g = &graph;
    const int64_t dims[2] = {1, 2}, square[2] = {2, 2}, two = 2;
    const float ones[2] = {1, 1}, terms[2] = {4, 5}, a[4] = {0.5f, -2, 1, 0}, b[4] = {1, 1, -0.25f, 0.125f};
    int x = oct_add_like(g, "x", OCTET_F32, 2, dims);
    int normal = ADD(g, LayerNormalization, "normal", x, oct_add_const(g, OCTET_F32, 1, &two, ones),
                     oct_add_const(g, OCTET_F32, 1, &two, terms));
    int first = ADD(g, MatMul, "first", normal, oct_add_const(g, OCTET_F32, 2, square, a));
    int second = ADD(g, Gemm, "second", normal, oct_add_const(g, OCTET_F32, 2, square, b));
    CHECK_OK(oct_node_set_int(g, g->node_count - 1, "transB", 1));
    close_graph(g, x, ADD(g, Add, "sum", first, second), 17);
    float data[2] = {1, 2};
    const octet_tensor t = {OCTET_F32, 2, {1, 2}, data, sizeof data};
    CHECK_OK(oct_shaped_copy(g, &t, &shaped));
    oct_smooth_site site = {.value = normal, .channels = 2, .peaks = (float[]){32, 9}};
    CHECK_OK(oct_smooth_apply(g, &shaped, &site, 0.5));
    /* Rows of the first and columns of the second: peaks 2 and 1; factors sqrt(32 / 2) = 4, sqrt(9 / 1) = 3.
     */
    int64_t count;
    const float want[4][4] = {{0.25f, 1 / 3.0f}, {1, 5 / 3.0f}, {2, -8, 3, 0}, {4, 3, -1, 0.375f}};
    const int at[4][2] = {{0, 1}, {0, 2}, {1, 1}, {2, 1}};
    for (int i = 0; i < 4; i++) {
        const float *got = oct_const_floats(g, g->nodes[at[i][0]].inputs[at[i][1]], &count);
        assert_non_null(got);
        for (int64_t c = 0; c < count; c++) {
            if (fabsf(got[c] - want[i][c]) > 1e-6f)
                fail_msg("constant %d, element %d: %g instead of %g", i, (int)c, (double)got[c],
                         (double)want[i][c]);
        }
    }
    oct_graph_free(&shaped);
    oct_graph_free(g);
}

static double quantized(const char *from, const char *to, double strength, size_t sites)
{
    octet_quantizer *q;
    octet_quantize_desc d;
    uint32_t seed = 21;
    OCTET_INIT(d);
    d.observer = OCTET_OBSERVE_MINMAX;
    d.smooth = strength;
    CHECK_OK(octet_quantizer_create(context, from, &d, &q));
    for (int i = 0; i < 6; i++) {
        octet_tensor t;
        fill(&t, &seed);
        CHECK_OK(octet_quantizer_add(q, &t, 1));
        octet_tensor_free(&t);
    }
    CHECK_OK(octet_quantizer_write(q, to));
    octet_quantize_result result;
    OCTET_INIT(result);
    CHECK_OK(octet_quantizer_result(q, &result));
    assert_int_equal(result.smoothed, sites);
    octet_quantizer_destroy(q);
    return nearness(from, to);
}

static void outliers_hurt_less(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *to = in_folder("other.onnx");
    for (int k = 0; k < FORMS; k++) {
        make_block(from, &forms[k]);
        double plain = quantized(from, to, 0, 0), smooth = quantized(from, to, 0.5, 2);
        if (!(smooth > plain + 6))
            fail_msg("form %d: %.1f dB smoothed, %.1f dB without", k, smooth, plain);
    }
    /* What others read as well stays. */
    const form shown = {false, false, true};
    make_block(from, &shown);
    (void)quantized(from, to, 0.5, 1);
    octet_quantizer *q;
    octet_quantize_desc d;
    OCTET_INIT(d);
    d.smooth = 1.5;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "smooth");
}

static int start(void **state)
{
    (void)state;
    return !mkdtemp(folder) || octet_context_create(NULL, &context) != OCTET_OK;
}

static int stop(void **state)
{
    (void)state;
    remove(in_folder("float.onnx"));
    remove(in_folder("other.onnx"));
    octet_context_destroy(context);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors),
        cmocka_unit_test(float_stays),
        cmocka_unit_test(outliers_hurt_less),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
