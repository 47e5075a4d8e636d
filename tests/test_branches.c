/* Networks whose Ifs are decided by a fixed input or by shapes, through the public interface: each gives the
 * bytes of the same network without the If; quantized and compared; refusals by name. */
#include "check.h"
#include "float_net.h"
#include "onnx.h"

#include <math.h>
#include <octet/compare.h>
#include <octet/quantize.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA(name) OCTET_SOURCE_DIR "/tests/data/branch_" name ".onnx"

static octet_context *context;
static char made[] = "/tmp/octet_branches_XXXXXX";

static octet_tensor sample(int64_t batch, uint32_t seed)
{
    octet_tensor t = {.dtype = OCTET_F32, .rank = 3, .dims = {batch, 4, 12}};
    assert_int_equal(octet_tensor_alloc(&t), OCTET_OK);
    for (size_t i = 0; i < t.data_bytes / sizeof(float); i++)
        ((float *)t.data)[i] = noise(&seed);
    return t;
}

/* rate 0: nothing is fixed. */
static octet_fixed_input fixed_rate(int64_t *rate)
{
    return (octet_fixed_input){"rate", {OCTET_S64, 0, {0}, rate, sizeof *rate}};
}

static octet_model *load(const char *path, int64_t rate)
{
    octet_model *model = NULL;
    octet_fixed_input fixed = fixed_rate(&rate);
    octet_model_desc desc;
    OCTET_INIT(desc);
    desc.fixed = &fixed;
    desc.fixed_count = rate != 0;
    CHECK_OK(octet_model_load(context, path, &desc, &model));
    assert_int_equal(octet_model_input_count(model), 1);
    return model;
}

static octet_tensor run(octet_session *session, int64_t batch, uint32_t seed)
{
    octet_tensor in = sample(batch, seed), out = {0};
    CHECK_OK(octet_session_run(session, &in, 1, &out, 1));
    octet_tensor_free(&in);
    return out;
}

static void check_same(octet_session *session, const char *plain, int64_t batch)
{
    octet_model *model = load(plain, 0);
    octet_session *other;
    CHECK_OK(octet_session_create(model, NULL, &other));
    octet_tensor a = run(session, batch, 3), b = run(other, batch, 3);
    assert_int_equal(a.dims[0], batch);
    assert_int_equal(a.data_bytes, b.data_bytes);
    assert_memory_equal(a.data, b.data, a.data_bytes);
    octet_tensor_free(&a);
    octet_tensor_free(&b);
    octet_session_destroy(other);
    octet_model_destroy(model);
}

static void fixed_inputs_decide(void **state)
{
    (void)state;
    for (int64_t rate = 2; rate < 4; rate++) {
        octet_model *model = load(DATA("input"), rate);
        octet_session *session;
        CHECK_OK(octet_session_create(model, NULL, &session));
        for (int64_t batch = 1; batch < 4; batch++)
            check_same(session, rate == 2 ? DATA("then") : DATA("else"), batch);
        octet_session_destroy(session);
        octet_model_destroy(model);
    }
}

/* Each shape is planned by itself, with its own branch. */
static void shapes_decide(void **state)
{
    (void)state;
    octet_model *model = load(DATA("shape"), 0);
    octet_session *session;
    CHECK_OK(octet_session_create(model, NULL, &session));
    static const int64_t batches[] = {1, 2, 1, 5};
    for (size_t i = 0; i < 4; i++)
        check_same(session, batches[i] == 1 ? DATA("then") : DATA("else"), batches[i]);
    octet_session_destroy(session);
    octet_model_destroy(model);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    int64_t rate = 2;
    int32_t narrow = 2;
    const octet_fixed_input right = fixed_rate(&rate);
    octet_fixed_input f[] = {right, right, right, right, right};
    static const char *const words[] = {"no input 'pace'", "its dtype is s64", "another shape", "bytes",
                                        "no name"};
    f[0].name = "pace";
    f[1].value = (octet_tensor){OCTET_S32, 0, {0}, &narrow, sizeof narrow};
    f[2].value.rank = 1;
    f[2].value.dims[0] = 1;
    f[3].value.data = NULL;
    f[4].name = NULL;
    octet_model *model;
    octet_model_desc desc;
    OCTET_INIT(desc);
    desc.fixed_count = 1;
    for (size_t i = 0; i < sizeof f / sizeof *f; i++) {
        desc.fixed = &f[i];
        CHECK_FAILS(octet_model_load(context, DATA("input"), &desc, &model), OCTET_INVALID_ARGUMENT,
                    words[i]);
        assert_null(model);
    }
    desc.fixed = NULL;
    CHECK_FAILS(octet_model_load(context, DATA("input"), &desc, &model), OCTET_INVALID_ARGUMENT, "NULL");
    desc.fixed = (octet_fixed_input[]){right, right};
    desc.fixed_count = 2; /* the second time it is no input any more */
    CHECK_FAILS(octet_model_load(context, DATA("input"), &desc, &model), OCTET_INVALID_ARGUMENT, "'rate'");
    desc.struct_size = 0;
    CHECK_FAILS(octet_model_load(context, DATA("input"), &desc, &model), OCTET_INVALID_ARGUMENT,
                "struct_size");
    octet_session *session;
    octet_status status = octet_model_load(context, DATA("input"), NULL, &model); /* N is open: it may load */
    if (status == OCTET_OK) {
        octet_tensor in[2] = {sample(1, 1), right.value}, out = {0};
        CHECK_OK(octet_session_create(model, NULL, &session));
        CHECK_FAILS(octet_session_run(session, in, 2, &out, 1), OCTET_UNSUPPORTED, "If (node 'choose')");
        octet_tensor_free(&in[0]);
        octet_session_destroy(session);
        octet_model_destroy(model);
    }
}

static int count_nodes(const oct_graph *g, oct_op op)
{
    int count = 0;
    for (int i = 0; i < g->node_count; i++)
        count += g->nodes[i].op == op;
    return count;
}

/* The file has no If, the branch's layers in 8 bits, LSTM in float, and the fixed input as a constant of the
 * same name. */
static void check_file(const char *path, int convs)
{
    oct_onnx_model *file;
    CHECK_OK(oct_onnx_load(path, false, &file));
    const oct_graph *g = oct_onnx_graph(file);
    assert_int_equal(count_nodes(g, OCT_OP_If), 0);
    assert_int_equal(count_nodes(g, OCT_OP_LSTM), 1);
    assert_int_equal(count_nodes(g, OCT_OP_Conv), convs);
    assert_int_equal(g->input_count, 1);
    oct_onnx_free(file);
    octet_model *model = load(path, 0);
    octet_inspection *nodes;
    CHECK_OK(octet_inspection_create(model, NULL, &nodes));
    for (size_t i = 0; i < octet_inspection_node_count(nodes); i++) {
        octet_node_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_inspection_node(nodes, i, &info));
        assert_string_not_equal(info.op_type, "Conv"); /* QLinearConv */
        if (strcmp(info.op_type, "LSTM") == 0)
            assert_int_equal(info.path, OCTET_NODE_FLOAT);
    }
    octet_inspection_destroy(nodes);
    octet_model_destroy(model);
}

static double worst_db(const char *a, const char *b, const octet_fixed_input *fixed, size_t *tensors)
{
    octet_comparison *c;
    octet_comparison_desc desc;
    double worst = INFINITY;
    OCTET_INIT(desc);
    desc.fixed = fixed;
    desc.fixed_count = 1;
    CHECK_OK(octet_comparison_create(context, a, b, &desc, &c));
    for (uint32_t k = 0; k < 4; k++) {
        octet_tensor t = sample(2, 900 + k);
        CHECK_OK(octet_comparison_add(c, &t, 1));
        octet_tensor_free(&t);
    }
    *tensors = octet_comparison_tensor_count(c);
    for (size_t i = 0; i < *tensors; i++) {
        octet_compared_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_comparison_tensor(c, i, &info));
        worst = info.snr_db < worst ? info.snr_db : worst;
    }
    octet_comparison_destroy(c);
    return worst;
}

static void branches_are_quantized(void **state)
{
    (void)state;
    for (int64_t rate = 2; rate < 4; rate++) {
        octet_fixed_input fixed = fixed_rate(&rate);
        octet_quantizer *q;
        octet_quantize_desc desc;
        size_t tensors;
        OCTET_INIT(desc);
        desc.fixed = &fixed;
        desc.fixed_count = 1;
        CHECK_OK(octet_quantizer_create(context, DATA("input"), &desc, &q));
        assert_int_equal(octet_quantizer_input_count(q), 1);
        for (uint32_t k = 0; k < 12; k++) {
            octet_tensor t = sample(1 + k % 3, 50 + k);
            CHECK_OK(octet_quantizer_add(q, &t, 1));
            octet_tensor_free(&t);
        }
        CHECK_OK(octet_quantizer_write(q, made));
        octet_quantizer_destroy(q);
        check_file(made, rate == 2 ? 2 : 3);
        double db = worst_db(DATA("input"), made, &fixed, &tensors);
        if (!(db > 25))
            fail_msg("rate %d: a tensor is %.1f dB from float", (int)rate, db);
        assert_true(tensors >= 5);
    }
}

static void samples_agree_on_branches(void **state)
{
    (void)state;
    int64_t rate = 2;
    octet_fixed_input none = fixed_rate(&rate);
    none.name = "pace";
    octet_tensor one = sample(1, 1), two = sample(2, 2), both[2] = {one, none.value};
    octet_quantizer *q;
    CHECK_OK(octet_quantizer_create(context, DATA("shape"), NULL, &q));
    CHECK_OK(octet_quantizer_add(q, &one, 1));
    CHECK_FAILS(octet_quantizer_add(q, &two, 1), OCTET_INVALID_ARGUMENT, "takes another branch");
    octet_quantizer_destroy(q);
    CHECK_OK(octet_quantizer_create(context, DATA("input"), NULL, &q));
    CHECK_FAILS(octet_quantizer_add(q, both, 2), OCTET_UNSUPPORTED, "--fix rate=VALUE");
    octet_quantizer_destroy(q);
    octet_comparison *c;
    CHECK_OK(octet_comparison_create(context, DATA("shape"), DATA("then"), NULL, &c));
    CHECK_OK(octet_comparison_add(c, &one, 1));
    CHECK_FAILS(octet_comparison_add(c, &two, 1), OCTET_INVALID_ARGUMENT, "takes another branch");
    octet_comparison_destroy(c);
    octet_comparison_desc desc;
    OCTET_INIT(desc);
    desc.fixed = &none;
    desc.fixed_count = 1;
    CHECK_FAILS(octet_comparison_create(context, DATA("shape"), DATA("then"), &desc, &c),
                OCTET_INVALID_ARGUMENT, "neither network has an input 'pace'");
    octet_tensor_free(&one);
    octet_tensor_free(&two);
}

static int set_up(void **state)
{
    (void)state;
    int file = mkstemp(made);
    return file < 0 || close(file) != 0 || octet_context_create(NULL, &context) != OCTET_OK;
}

static int tear_down(void **state)
{
    (void)state;
    octet_context_destroy(context);
    return unlink(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fixed_inputs_decide), cmocka_unit_test(shapes_decide),
                                       cmocka_unit_test(wrong_values_are_refused),
                                       cmocka_unit_test(branches_are_quantized),
                                       cmocka_unit_test(samples_agree_on_branches)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
