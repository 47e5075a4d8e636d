/* octet_quantizer and what it is made of: ONNX files written and read back, networks built here quantized
 * every way and compared with their float selves, refusals by name. */
#include "check.h"
#include "float_net.h"
#include "onnx.h"
#include "onnx_write.h"
#include "prepare.h"
#include "rewrite.h"

#include <math.h>
#include <octet/compare.h>
#include <octet/quantize.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/octet_quantize_XXXXXX";
static octet_context *context;

static const char *in_folder(const char *name)
{
    static char paths[8][256];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

/* ---- a network ----------------------------------------------------------------------------------------- */

enum { C = 8, SIDE = 12, CLASSES = 5 };

static int conv(oct_graph *g, const char *name, int x, int64_t out, int64_t in, int64_t kernel,
                int64_t groups, uint32_t *seed)
{
    const int64_t dims[4] = {out, in / groups, kernel, kernel},
                  pads[4] = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    float spread = 1.6f / sqrtf((float)(in / groups * kernel * kernel));
    int y = ADD(g, Conv, name, x, constant(g, "w", 4, dims, spread, 0, seed),
                constant(g, "b", 1, &out, 0.2f, 0, seed));
    set_ints(g, "pads", pads, 4);
    assert_int_equal(oct_node_set_int(g, g->node_count - 1, "group", groups), OCTET_OK);
    return y;
}

/* Conv, BN, Relu, depthwise Conv, Clip, MaxPool, residual Add, hard swish as its parts, Concat, a squeezing
 * branch, global average, Gemm. opset 11 has Squeeze and Softmax in their old forms. */
static void make_network(const char *path, int opset)
{
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 7;
    const int64_t c = C, batch_dims[4] = {-1, 3, SIDE, SIDE}, two[2] = {2, 2}, fc[2] = {2 * C, CLASSES};
    const int64_t classes = CLASSES;
    int x = oct_add_like(g, "image", OCTET_F32, 4, batch_dims);
    int first = conv(g, "first", x, C, 3, 3, 1, &seed);
    int bn = ADD(g, BatchNormalization, "bn", first, constant(g, "s", 1, &c, 0.2f, 1, &seed),
                 constant(g, "bb", 1, &c, 0.2f, 0, &seed), constant(g, "m", 1, &c, 0.2f, 0, &seed),
                 constant(g, "v", 1, &c, 0.2f, 1, &seed));
    int relu = ADD(g, Relu, "relu", bn);
    int deep = conv(g, "deep", relu, C, C, 3, C, &seed);
    float lo = 0, hi = 6, three = 3, sixth = 6;
    int clip = ADD(g, Clip, "clip", deep, oct_add_const(g, OCTET_F32, 0, NULL, &lo),
                   oct_add_const(g, OCTET_F32, 0, NULL, &hi));
    int wide = conv(g, "wide", clip, C, C, 1, 1, &seed);
    int sum = ADD(g, Add, "sum", wide, relu);
    int shifted = ADD(g, Add, "shift", sum, oct_add_const(g, OCTET_F32, 0, NULL, &three));
    int kept = ADD(g, Clip, "six", shifted, oct_add_const(g, OCTET_F32, 0, NULL, &lo),
                   oct_add_const(g, OCTET_F32, 0, NULL, &hi));
    int times = ADD(g, Mul, "times", sum, kept);
    int swish = ADD(g, Div, "swish", times, oct_add_const(g, OCTET_F32, 0, NULL, &sixth));
    int pool = ADD(g, MaxPool, "pool", swish);
    set_ints(g, "kernel_shape", two, 2);
    set_ints(g, "strides", two, 2);
    int squeeze = ADD(g, GlobalAveragePool, "mean", pool);
    int gate = ADD(g, Sigmoid, "gate", conv(g, "excite", squeeze, C, C, 1, 1, &seed));
    int gated = ADD(g, Mul, "gated", pool, gate);
    int both = ADD(g, Concat, "both", pool, gated);
    assert_int_equal(oct_node_set_int(g, g->node_count - 1, "axis", 1), OCTET_OK);
    int all = ADD(g, GlobalAveragePool, "all", both);
    int flat = ADD(g, Flatten, "flat", all);
    int scores = ADD(g, MatMul, "matmul", flat, constant(g, "fc", 2, fc, 0.5f, 0, &seed));
    int y = ADD(g, Add, "scores", scores, constant(g, "fb", 1, &classes, 0.3f, 0, &seed));
    close_graph(g, x, y, opset);
    CHECK_OK(oct_onnx_write(g, opset, path));
    oct_graph_free(g);
}

static void fill(octet_tensor *t, uint32_t *seed)
{
    *t = (octet_tensor){.dtype = OCTET_F32, .rank = 4, .dims = {2, 3, SIDE, SIDE}};
    assert_int_equal(octet_tensor_alloc(t), OCTET_OK);
    for (size_t i = 0; i < t->data_bytes / sizeof(float); i++)
        ((float *)t->data)[i] = noise(seed);
}

static octet_quantizer *open_quantizer(const char *path, const octet_quantize_desc *desc, int samples)
{
    octet_quantizer *q;
    uint32_t seed = 11;
    CHECK_OK(octet_quantizer_create(context, path, desc, &q));
    for (int i = 0; i < samples; i++) {
        octet_tensor t;
        fill(&t, &seed);
        CHECK_OK(octet_quantizer_add(q, &t, 1));
        octet_tensor_free(&t);
    }
    return q;
}

static void run(const char *path, const octet_tensor *in, octet_tensor *out)
{
    octet_model *model;
    octet_session *session;
    CHECK_OK(octet_model_load(context, path, NULL, &model));
    CHECK_OK(octet_session_create(model, NULL, &session));
    CHECK_OK(octet_session_run(session, in, 1, out, 1));
    octet_session_destroy(session);
    octet_model_destroy(model);
}

/* Signal to noise on samples that calibration has not seen. */
static double held_out(const char *a, const char *b)
{
    uint32_t seed = 999;
    double signal = 0, off = 0;
    for (int k = 0; k < 2; k++) {
        octet_tensor in, x = {0}, y = {0};
        fill(&in, &seed);
        run(a, &in, &x);
        run(b, &in, &y);
        assert_int_equal(x.data_bytes, y.data_bytes);
        for (size_t i = 0; i < x.data_bytes / sizeof(float); i++) {
            double p = ((float *)x.data)[i], d = p - ((float *)y.data)[i];
            signal += p * p;
            off += d * d;
        }
        octet_tensor_free(&in);
        octet_tensor_free(&x);
        octet_tensor_free(&y);
    }
    return 10 * log10(signal / off);
}

/* The nodes that run of a file. */
static octet_inspection *look_into(const char *path)
{
    octet_model *model;
    octet_inspection *nodes;
    CHECK_OK(octet_model_load(context, path, NULL, &model));
    CHECK_OK(octet_inspection_create(model, NULL, &nodes));
    octet_model_destroy(model); /* the inspection keeps it */
    return nodes;
}

/* Every node but those at the ends runs on 8 bits. */
static void check_integer(const char *path)
{
    int products = 0;
    octet_inspection *nodes = look_into(path);
    for (size_t i = 0; i < octet_inspection_node_count(nodes); i++) {
        octet_node_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_inspection_node(nodes, i, &info));
        products += strcmp(info.op_type, "QLinearConv") == 0 || strcmp(info.op_type, "QGemm") == 0;
        if (info.path == OCTET_NODE_FLOAT)
            fail_msg("%s (%s) runs in float", info.name, info.op_type);
    }
    assert_int_equal(products, 5);
    octet_inspection_destroy(nodes);
}

/* Channels of two convolutions in a row are balanced; the float network stays the same, and what lies between
 * has another name. */
static void equalized(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *to = in_folder("some.onnx");
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 3;
    const int64_t dims[4] = {2, 3, SIDE, SIDE};
    int x = oct_add_like(g, "image", OCTET_F32, 4, dims);
    int relu = ADD(g, Relu, "relu", conv(g, "first", x, C, 3, 3, 1, &seed));
    close_graph(g, x, conv(g, "second", relu, C, C, 3, 1, &seed), 13);
    float *w[2];
    for (int k = 0; k < 2; k++)
        w[k] = (float *)(uintptr_t)g->values[g->nodes[2 * k].inputs[1]].data;
    for (int i = 0; i < 3 * 9; i++) /* channel 0 is as good as nothing in the first */
        w[0][i] *= 1e-3f;
    CHECK_OK(oct_onnx_write(g, 13, from));
    CHECK_OK(oct_equalize(g));
    CHECK_OK(oct_onnx_write(g, 13, to));
    assert_true(held_out(from, to) > 100);
    int64_t count;
    double first[C] = {0}, second[C] = {0};
    const float *a = oct_const_floats(g, g->nodes[0].inputs[1], &count),
                *b = oct_const_floats(g, g->nodes[2].inputs[1], &count);
    for (int i = 0; i < C * 3 * 9; i++)
        first[i / 27] = fmax(first[i / 27], fabs((double)a[i]));
    for (int i = 0; i < C * C * 9; i++)
        second[i / 9 % C] = fmax(second[i / 9 % C], fabs((double)b[i]));
    for (int c = 0; c < C; c++)
        assert_true(fabs(first[c] / second[c] - 1) < 1e-5);
    assert_string_equal(g->values[relu].name, "relu_out_equalized");
    assert_string_equal(g->values[g->nodes[0].outputs[0]].name, "first_out_equalized");
    assert_string_equal(g->values[g->outputs[0]].name, "second_out");
    oct_graph_free(g);
}

static void whole_network(void **state)
{
    (void)state;
    static const struct {
        int opset;
        octet_dtype activations;
        octet_observer observer;
        int per_tensor, symmetric, reduce_range, no_bias, equalize, adaptive;
        double least_db;
    } cases[] = {
        {13, OCTET_U8, OCTET_OBSERVE_BEST, 0, 0, 0, 0, 0, 0, 28},
        {11, OCTET_U8, OCTET_OBSERVE_MINMAX, 0, 0, 0, 0, 0, 0, 26},
        {17, OCTET_S8, OCTET_OBSERVE_MSE, 0, 0, 0, 0, 0, 0, 26},
        {13, OCTET_U8, OCTET_OBSERVE_MINMAX, 1, 0, 0, 1, 1, 0, 24},
        {13, OCTET_U8, OCTET_OBSERVE_PERCENTILE, 0, 1, 0, 0, 0, 0, 20},
        {13, OCTET_S8, OCTET_OBSERVE_AVERAGE, 0, 1, 1, 0, 0, 0, 16},
        {13, OCTET_U8, OCTET_OBSERVE_ENTROPY, 0, 0, 0, 0, 0, 0, 10},
        {13, OCTET_U8, OCTET_OBSERVE_MINMAX, 1, 0, 1, 0, 0, 1, 22},
        {13, OCTET_U16, OCTET_OBSERVE_BEST, 0, 0, 0, 0, 0, 0, 40},
        {13, OCTET_U16, OCTET_OBSERVE_MINMAX, 0, 0, 0, 0, 0, -1, 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        octet_quantize_desc d;
        OCTET_INIT(d);
        d.activations = cases[i].activations;
        d.observer = cases[i].observer;
        d.per_tensor = cases[i].per_tensor;
        d.symmetric = cases[i].symmetric;
        d.reduce_range = cases[i].reduce_range;
        d.no_bias_correction = cases[i].no_bias;
        d.equalize = cases[i].equalize;
        d.adaptive = cases[i].adaptive;
        const char *from = in_folder("float.onnx"), *to = in_folder("int8.onnx");
        make_network(from, cases[i].opset);
        octet_quantizer *q = open_quantizer(from, &d, 4);
        CHECK_OK(octet_quantizer_write(q, to));
        octet_quantize_result result;
        OCTET_INIT(result);
        CHECK_OK(octet_quantizer_result(q, &result));
        assert_int_equal(result.samples, 4);
        bool wide = d.activations == OCTET_U16;
        assert_true(cases[i].adaptive > 0 || (cases[i].adaptive == 0 && wide) || !result.adaptive);
        assert_true(result.observer != OCTET_OBSERVE_BEST);
        double db = held_out(from, to);
        if (!(db >= cases[i].least_db) || !(result.snr_db >= cases[i].least_db))
            fail_msg("case %zu: %.1f dB held out, %.1f dB on the samples, at least %.1f wanted", i, db,
                     result.snr_db, cases[i].least_db);
        if (wide)
            assert_true(result.adaptive || cases[i].adaptive < 0); /* the weights are all that is left */
        else
            check_integer(to);
        for (size_t t = 0; t < octet_quantizer_tensor_count(q); t++) {
            octet_quantized_info info;
            OCTET_INIT(info);
            CHECK_OK(octet_quantizer_tensor(q, t, &info));
            assert_true(info.scale > 0 && info.lo <= 0 && info.hi >= 0 && info.snr_db > 5);
            assert_true(info.saturated >= 0 && info.saturated <= 1);
        }
        octet_quantizer_destroy(q);
    }
}

/* Weights of 16 bits for as much more work as it takes, and for none: what is left of noise is then that of
 * the activations, and what it is of 8 bits. */
static void split_weights(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *to = in_folder("int8.onnx");
    double db[2];
    make_network(from, 13);
    for (int i = 0; i < 2; i++) {
        octet_quantize_desc d;
        OCTET_INIT(d);
        d.activations = OCTET_U16;
        d.split = i ? 100 : -1;
        octet_quantizer *q = open_quantizer(from, &d, 4);
        CHECK_OK(octet_quantizer_write(q, to));
        octet_quantize_result result;
        OCTET_INIT(result);
        CHECK_OK(octet_quantizer_result(q, &result));
        assert_true(i ? result.split > 0 && result.adaptive : result.split == 0);
        db[i] = held_out(from, to);
        octet_quantizer_destroy(q);
    }
    if (!(db[1] > db[0] + 3))
        fail_msg("%.1f dB, and %.1f with weights of 16 bits", db[0], db[1]);
}

static bool has_node(const char *path, const char *name)
{
    bool found = false;
    octet_inspection *nodes = look_into(path);
    for (size_t i = 0; i < octet_inspection_node_count(nodes); i++) {
        octet_node_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_inspection_node(nodes, i, &info));
        found = found || strcmp(info.name, name) == 0;
    }
    octet_inspection_destroy(nodes);
    return found;
}

/* Three layers of the same work, room for one more: it goes to the one in the middle, whose steps are coarse
 * for the sake of a channel that is always 0. */
static void split_where_it_costs(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *to = in_folder("int8.onnx");
    const char *names[3] = {"one", "two", "three"};
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 5;
    const int64_t dims[4] = {2, 3, SIDE, SIDE};
    int x = oct_add_like(g, "image", OCTET_F32, 4, dims), y = conv(g, "first", x, C, 3, 1, 1, &seed);
    float *w[3];
    for (int i = 0; i < 3; i++) {
        y = conv(g, names[i], ADD(g, Relu, "relu", y), C, C, 3, 1, &seed);
        w[i] = (float *)(uintptr_t)g->values[g->nodes[g->node_count - 1].inputs[1]].data;
    }
    float *b = (float *)(uintptr_t)g->values[g->nodes[2].inputs[2]].data;
    b[0] = -1; /* channel 0 of "one" */
    memset(w[0], 0, C * 9 * sizeof **w);
    for (int i = 0; i < C; i++)
        w[1][i * C * 9] = 40;
    close_graph(g, x, y, 13);
    CHECK_OK(oct_onnx_write(g, 13, from));
    oct_graph_free(g);
    octet_quantize_desc d;
    OCTET_INIT(d);
    d.activations = OCTET_U16;
    d.split = 40;
    octet_quantizer *q = open_quantizer(from, &d, 4);
    CHECK_OK(octet_quantizer_write(q, to));
    octet_quantizer_destroy(q);
    assert_true(has_node(to, "two_fine"));
    assert_false(has_node(to, "one_fine") || has_node(to, "three_fine"));
}

/* An Identity that makes an output does not hide what makes it. */
static void last_identity(void **state)
{
    (void)state;
    oct_graph graph = {0}, *g = &graph;
    uint32_t seed = 7;
    const int64_t dims[2] = {-1, 4}, weights[2] = {4, 3};
    int x = oct_add_like(g, "x", OCTET_F32, 2, dims), opset;
    int product = ADD(g, MatMul, "product", x, constant(g, "w", 2, weights, 1, 0, &seed));
    int last = ADD(g, Softmax, "softmax", product);
    close_graph(g, x, ADD(g, Identity, "name", last), 13);
    float data[4] = {1, 2, 3, 4};
    const octet_tensor t = {OCTET_F32, 2, {1, 4}, data, sizeof data};
    CHECK_OK(oct_prepare(g, &t, &opset));
    assert_int_equal(g->node_count, 2);
    assert_int_equal(g->nodes[1].op, OCT_OP_Softmax);
    assert_string_equal(g->values[g->outputs[0]].name, "name_out");
    assert_int_equal(g->nodes[1].outputs[0], g->outputs[0]);
    oct_graph_free(g);
}

/* What is excluded, or kept by auto, is float in the file, and the result is nearer. */
static void kept_float(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *all = in_folder("all.onnx"), *some = in_folder("some.onnx");
    const char *names[] = {"first", "MatMul"};
    make_network(from, 13);
    octet_quantize_desc one;
    OCTET_INIT(one);
    one.observer = OCTET_OBSERVE_MINMAX;
    octet_quantizer *q = open_quantizer(from, &one, 2);
    CHECK_OK(octet_quantizer_write(q, all));
    CHECK_OK(octet_quantizer_measure_gains(q));
    octet_quantize_result whole;
    OCTET_INIT(whole);
    CHECK_OK(octet_quantizer_result(q, &whole));
    double all_db = whole.snr_db;
    int gains = 0, wide_gains = 0;
    for (size_t t = 0; t < octet_quantizer_tensor_count(q); t++) {
        octet_quantized_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_quantizer_tensor(q, t, &info));
        gains += !isnan(info.gain_db);
        wide_gains += !isnan(info.gain16_db);
        assert_int_equal(isnan(info.gain_db), isnan(info.gain16_db));
    }
    assert_true(gains >= 6 && wide_gains >= 6);
    octet_quantizer_destroy(q);
    for (int automatic = 0; automatic < 2; automatic++) {
        octet_quantize_desc d;
        OCTET_INIT(d);
        d.exclude = names;
        d.exclude_count = automatic ? 0 : 1;
        d.auto_count = automatic ? 3 : 0;
        d.observer = OCTET_OBSERVE_MINMAX;
        q = open_quantizer(from, &d, 2);
        CHECK_OK(octet_quantizer_write(q, some));
        octet_quantize_result result;
        OCTET_INIT(result);
        CHECK_OK(octet_quantizer_result(q, &result));
        assert_int_equal(result.kept, automatic ? 3 : 0);
        octet_quantizer_destroy(q);
        oct_onnx_model *model;
        CHECK_OK(oct_onnx_load(some, false, &model));
        const oct_graph *g = oct_onnx_graph(model);
        int float_products = 0;
        for (int i = 0; i < g->node_count; i++) {
            const oct_node *n = &g->nodes[i];
            float_products += n->op == OCT_OP_Conv && g->values[n->inputs[1]].data != NULL;
        }
        assert_true(automatic ? float_products >= 0 : float_products == 1);
        oct_onnx_free(model);
        if (automatic)
            assert_true(result.snr_db > all_db);
    }
}

/* Products that run on integers, and QuantizeLinear of 16 and of 8 bits. */
typedef struct widths {
    int integer, wide, narrow;
} widths;

static widths count_widths(const char *path)
{
    widths w = {0};
    oct_onnx_model *file;
    octet_inspection *nodes = look_into(path);
    for (size_t i = 0; i < octet_inspection_node_count(nodes); i++) {
        octet_node_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_inspection_node(nodes, i, &info));
        bool product = strcmp(info.op_type, "QLinearConv") == 0 || strcmp(info.op_type, "QGemm") == 0;
        w.integer += product && info.path == OCTET_NODE_INT8;
    }
    octet_inspection_destroy(nodes);
    CHECK_OK(oct_onnx_load(path, false, &file));
    const oct_graph *g = oct_onnx_graph(file);
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        if (n->op != OCT_OP_QuantizeLinear)
            continue;
        octet_dtype zero = g->values[n->inputs[2]].dtype;
        assert_int_equal(strcmp(n->domain, "com.microsoft") == 0, zero == OCTET_U16 || zero == OCTET_S16);
        *(zero == OCTET_U16 || zero == OCTET_S16 ? &w.wide : &w.narrow) += 1;
    }
    oct_onnx_free(file);
    return w;
}

/* Layers of 16 bits in a network of 8: chosen by name, by operator, and by what they gain. */
static void raised_layers(void **state)
{
    (void)state;
    static const char *const sums[] = {"sum"}, *const convs[] = {"Conv"},
                             *const all[] = {"Conv", "Gemm", "Add", "Mul", "Concat", "GlobalAveragePool"};
    static const struct {
        const char *const *wide;
        size_t count;
        int automatic, wide_pairs, narrow_pairs; /* at least so many */
        octet_dtype activations;
        octet_quantize_format format;
    } cases[] = {
        {NULL, 0, 0, 0, 8, OCTET_U8, OCTET_FORMAT_QDQ}, {sums, 1, 0, 2, 8, OCTET_U8, OCTET_FORMAT_QDQ},
        {NULL, 0, 3, 2, 4, OCTET_S8, OCTET_FORMAT_QDQ}, {convs, 1, 0, 2, 1, OCTET_U8, OCTET_FORMAT_QOPERATOR},
        {all, 6, 0, 10, 0, OCTET_U8, OCTET_FORMAT_QDQ},
    };
    const char *from = in_folder("float.onnx"), *to = in_folder("some.onnx");
    double plain_db = 0;
    make_network(from, 13);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        octet_quantize_desc d;
        OCTET_INIT(d);
        d.observer = OCTET_OBSERVE_MINMAX;
        d.wide = cases[i].wide;
        d.wide_count = cases[i].count;
        d.auto_count = cases[i].automatic;
        d.raise = OCTET_RAISE_16;
        d.activations = cases[i].activations;
        d.format = cases[i].format;
        octet_quantizer *q = open_quantizer(from, &d, 2);
        CHECK_OK(octet_quantizer_write(q, to));
        octet_quantize_result result;
        OCTET_INIT(result);
        CHECK_OK(octet_quantizer_result(q, &result));
        assert_int_equal(result.kept, cases[i].automatic);
        widths w = count_widths(to);
        if (w.integer != 5 || w.wide < cases[i].wide_pairs || w.narrow < cases[i].narrow_pairs ||
            (w.wide > 0) != (i > 0))
            fail_msg("case %zu: %d products in integers, %d pairs of 16 bits, %d of 8", i, w.integer, w.wide,
                     w.narrow);
        int sixteen = 0;
        for (size_t t = 0; t < octet_quantizer_tensor_count(q); t++) {
            octet_quantized_info info;
            OCTET_INIT(info);
            CHECK_OK(octet_quantizer_tensor(q, t, &info));
            bool wide = info.dtype == OCTET_U16 || info.dtype == OCTET_S16;
            double steps = (info.hi - info.lo) / info.scale;
            assert_true(fabs(steps - (wide ? 65535 : 255)) < 0.01);
            sixteen += wide;
        }
        assert_int_equal(sixteen > 0, i > 0);
        double db = held_out(from, to);
        if (i == 0)
            plain_db = db;
        if (!(db > plain_db - 2) || (cases[i].wide == all && !(db > plain_db + 6)))
            fail_msg("case %zu: %.1f dB, %.1f without layers of 16 bits", i, db, plain_db);
        octet_quantizer_destroy(q);
    }
}

/* The tensors of two forms of one network, matched; every figure one that could be. */
static size_t compare_files(const char *a, const char *b, size_t exact, double least_db)
{
    octet_comparison *c;
    uint32_t seed = 31;
    size_t found = 0;
    CHECK_OK(octet_comparison_create(context, a, b, NULL, &c));
    for (int k = 0; k < 2; k++) {
        octet_tensor t;
        fill(&t, &seed);
        CHECK_OK(octet_comparison_add(c, &t, 1));
        octet_tensor_free(&t);
    }
    size_t count = octet_comparison_tensor_count(c);
    for (size_t i = 0; i < count; i++) {
        octet_compared_info t;
        OCTET_INIT(t);
        CHECK_OK(octet_comparison_tensor(c, i, &t));
        assert_null(strstr(t.tensor, "_dq"));
        bool same = isinf(t.snr_db);
        if (!same && (t.snr_db < least_db || t.cosine < 0.99 || t.max_error <= 0))
            fail_msg("%s of %s and %s: %.1f dB, cosine %g, max error %g", t.tensor, a, b, t.snr_db, t.cosine,
                     t.max_error);
        if (same)
            assert_true(t.max_error == 0 && t.cosine > 0.999999);
        found += same;
        assert_true(t.elements > 0);
    }
    if (found < exact)
        fail_msg("%s and %s: %zu tensors of %zu are equal, at least %zu are wanted", a, b, found, count,
                 exact);
    octet_comparison_destroy(c);
    return count;
}

static void layers_compared(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *qdq = in_folder("int8.onnx"), *wide = in_folder("all.onnx"),
               *operators = in_folder("some.onnx");
    static const char other[] = OCTET_SOURCE_DIR "/examples/digits/digits_f32.onnx";
    make_network(from, 13);
    octet_quantize_desc d;
    OCTET_INIT(d);
    d.observer = OCTET_OBSERVE_MINMAX;
    for (int k = 0; k < 3; k++) {
        d.activations = k == 1 ? OCTET_U16 : OCTET_U8;
        d.format = k == 2 ? OCTET_FORMAT_QOPERATOR : OCTET_FORMAT_QDQ;
        octet_quantizer *q = open_quantizer(from, &d, 4);
        CHECK_OK(octet_quantizer_write(q, k == 0 ? qdq : k == 1 ? wide : operators));
        octet_quantizer_destroy(q);
    }
    /* image, five products and what follows them: all but those that a clamp or a fold has taken in */
    assert_true(compare_files(from, qdq, 0, 15) >= 16);
    assert_true(compare_files(from, operators, 0, 15) >= 12);
    assert_true(compare_files(from, wide, 0, 30) >= 16);
    assert_true(compare_files(qdq, wide, 0, 15) >= 12);
    size_t both = compare_files(qdq, operators, 0, 200); /* the same bytes */
    assert_true(both >= 12);
    assert_int_equal(compare_files(qdq, operators, both, 200), both);
    octet_comparison *c;
    octet_tensor t;
    uint32_t seed = 3;
    fill(&t, &seed);
    CHECK_FAILS(octet_comparison_create(context, from, in_folder("none.onnx"), NULL, &c), OCTET_CORRUPT_FILE,
                "none");
    CHECK_OK(octet_comparison_create(context, from, other, NULL, &c));
    CHECK_FAILS(octet_comparison_add(c, &t, 1), OCTET_INVALID_ARGUMENT, "digits_f32");
    assert_int_equal(octet_comparison_tensor_count(c), 0);
    octet_comparison_destroy(c);
    octet_tensor_free(&t);
}

static void refusals(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx");
    const char *names[] = {"no such node"};
    octet_quantize_desc d;
    octet_quantizer *q;
    octet_tensor t;
    uint32_t seed = 3;
    make_network(from, 13);
    q = open_quantizer(from, NULL, 0);
    CHECK_FAILS(octet_quantizer_write(q, in_folder("x.onnx")), OCTET_INVALID_ARGUMENT, "no calibration data");
    fill(&t, &seed);
    ((float *)t.data)[5] = NAN;
    CHECK_FAILS(octet_quantizer_add(q, &t, 1), OCTET_INVALID_ARGUMENT, "NaN");
    ((float *)t.data)[5] = 1;
    t.rank = 3;
    CHECK_FAILS(octet_quantizer_add(q, &t, 1), OCTET_INVALID_ARGUMENT, "dimensions");
    t.rank = 4;
    CHECK_FAILS(octet_quantizer_add(q, &t, 2), OCTET_INVALID_ARGUMENT, "inputs");
    octet_quantizer_destroy(q);
    OCTET_INIT(d);
    d.exclude = names;
    d.exclude_count = 1;
    CHECK_OK(octet_quantizer_create(context, from, &d, &q));
    CHECK_FAILS(octet_quantizer_add(q, &t, 1), OCTET_INVALID_ARGUMENT, "no such node");
    octet_quantizer_destroy(q);
    octet_tensor_free(&t);
    OCTET_INIT(d);
    d.wide = names;
    d.wide_count = 1;
    CHECK_OK(octet_quantizer_create(context, from, &d, &q));
    fill(&t, &seed);
    CHECK_FAILS(octet_quantizer_add(q, &t, 1), OCTET_INVALID_ARGUMENT, "which is to have 16 bits");
    octet_quantizer_destroy(q);
    octet_tensor_free(&t);
    d.activations = OCTET_U16;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "16 bits already");
    OCTET_INIT(d);
    d.raise = (octet_raise)7;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "raise 7");
    OCTET_INIT(d);
    d.split = 5;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "split is for 16-bit");
    d.activations = OCTET_U16;
    d.split = 101;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "split is 101");
    OCTET_INIT(d);
    d.adaptive = 2;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "adaptive is 2");
    OCTET_INIT(d);
    d.activations = OCTET_F32;
    CHECK_FAILS(octet_quantizer_create(context, from, &d, &q), OCTET_INVALID_ARGUMENT, "activations");
    CHECK_FAILS(octet_quantizer_create(context, in_folder("none.onnx"), NULL, &q), OCTET_CORRUPT_FILE,
                "none");
    OCTET_INIT(d);
    d.observer = OCTET_OBSERVE_MINMAX;
    q = open_quantizer(from, &d, 1);
    CHECK_FAILS(octet_quantizer_write(q, from), OCTET_INVALID_ARGUMENT, "write to another");
    octet_quantize_result result;
    OCTET_INIT(result);
    CHECK_FAILS(octet_quantizer_result(q, &result), OCTET_INVALID_ARGUMENT, "nothing is written");
    CHECK_OK(octet_quantizer_write(q, NULL)); /* chosen, and in no file yet */
    CHECK_OK(octet_quantizer_result(q, &result));
    assert_int_equal(result.samples, 1);
    CHECK_FAILS(octet_quantizer_write(q, in_folder("no/such/folder.onnx")), OCTET_CORRUPT_FILE, "folder");
    CHECK_OK(octet_quantizer_write(q, in_folder("x.onnx")));
    octet_quantizer_destroy(q);
}

/* All zeros, a constant, and one outlier as calibration data still make a network that runs. */
static void degenerate_samples(void **state)
{
    (void)state;
    const char *from = in_folder("float.onnx"), *to = in_folder("int8.onnx");
    make_network(from, 13);
    for (int k = 0; k < 3; k++) {
        octet_quantizer *q;
        octet_quantize_desc d;
        OCTET_INIT(d);
        d.observer = k == 0 ? OCTET_OBSERVE_BEST : OCTET_OBSERVE_MSE;
        octet_tensor t, y = {0};
        uint32_t seed = 3;
        fill(&t, &seed);
        for (size_t i = 0; k < 2 && i < t.data_bytes / sizeof(float); i++)
            ((float *)t.data)[i] = (float)k;
        ((float *)t.data)[3] *= k == 2 ? 1e6f : 1;
        CHECK_OK(octet_quantizer_create(context, from, &d, &q));
        CHECK_OK(octet_quantizer_add(q, &t, 1));
        CHECK_OK(octet_quantizer_write(q, to));
        octet_quantizer_destroy(q);
        run(to, &t, &y);
        for (size_t i = 0; i < y.data_bytes / sizeof(float); i++)
            assert_true(isfinite(((float *)y.data)[i]));
        octet_tensor_free(&t);
        octet_tensor_free(&y);
    }
}

/* What is written reads back as the same graph. */
static void written_files(void **state)
{
    (void)state;
    static const char *const files[] = {"add", "average_pool", "conv", "arithmetic", "dequantize", "gemm"};
    int seen = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        oct_onnx_model *a, *b;
        snprintf(path, sizeof path, "%s/tests/data/%s.onnx", OCTET_SOURCE_DIR, files[i]);
        if (access(path, R_OK) != 0)
            continue;
        CHECK_OK(oct_onnx_load(path, false, &a));
        const oct_graph *x = oct_onnx_graph(a);
        CHECK_OK(oct_onnx_write(x, x->nodes[0].opset, in_folder("copy.onnx")));
        CHECK_OK(oct_onnx_load(in_folder("copy.onnx"), false, &b));
        const oct_graph *y = oct_onnx_graph(b);
        assert_int_equal(x->node_count, y->node_count);
        for (int n = 0; n < x->node_count; n++) {
            const oct_node *p = &x->nodes[n], *r = &y->nodes[n];
            assert_string_equal(p->name, r->name);
            assert_string_equal(p->op_type, r->op_type);
            assert_int_equal(p->attr_count, r->attr_count);
            assert_int_equal(p->input_count, r->input_count);
            for (int j = 0; j < p->input_count; j++) {
                if (p->inputs[j] == OCT_NO_VALUE)
                    continue;
                const oct_value *u = &x->values[p->inputs[j]], *v = &y->values[r->inputs[j]];
                assert_string_equal(u->name, v->name);
                assert_int_equal(u->data_bytes, v->data_bytes);
                if (u->data_bytes)
                    assert_memory_equal(u->data, v->data, u->data_bytes);
            }
        }
        oct_onnx_free(a);
        oct_onnx_free(b);
        seen++;
    }
    assert_true(seen >= 2);
}

static int start(void **state)
{
    (void)state;
    return !mkdtemp(folder) || octet_context_create(NULL, &context) != OCTET_OK;
}

static int stop(void **state)
{
    (void)state;
    static const char *const made[] = {"float.onnx", "int8.onnx", "all.onnx",
                                       "some.onnx",  "copy.onnx", "x.onnx"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        remove(in_folder(made[i]));
    octet_context_destroy(context);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {

        cmocka_unit_test(written_files),      cmocka_unit_test(whole_network),
        cmocka_unit_test(split_weights),      cmocka_unit_test(split_where_it_costs),
        cmocka_unit_test(kept_float),         cmocka_unit_test(raised_layers),
        cmocka_unit_test(layers_compared),    cmocka_unit_test(last_identity),
        cmocka_unit_test(equalized),          cmocka_unit_test(refusals),
        cmocka_unit_test(degenerate_samples),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
