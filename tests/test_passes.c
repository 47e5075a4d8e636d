/* Each rewrite pass on its own: small graphs written as text, and the operators that stand there afterwards.
 * What the rewritten graphs compute is compared with ONNX Runtime by tests/oracle/qdq.py and bench/nets;
 * here: that a pass does what it is for, and leaves alone what only looks like it. */
#include "dtype.h"
#include "op_facts.h"
#include "passes.h"
#include "sizes.h"

#include "check.h"

/* ---- graphs as text ------------------------------------------------------------------------------------ */

/* Names that a text may use. */
typedef struct known {
    const char *name;
    octet_dtype dtype;
    int rank;
    int64_t dims[4];
    bool is_input;
    double fill; /* every element of a constant */
} known;

static const known names[] = {
    {"x", OCTET_U8, 4, {1, 4, 6, 6}, true, 0},
    {"t", OCTET_U8, 4, {1, 4, 6, 6}, true, 0},
    {"f", OCTET_F32, 4, {1, 4, 6, 6}, true, 0},
    {"m", OCTET_U8, 2, {2, 8}, true, 0},
    {"x16", OCTET_U16, 4, {1, 4, 6, 6}, true, 0},
    {"many16", OCTET_U16, 4, {1, 4, 200, 200}, true, 0},
    {"z16", OCTET_U16, 0, {0}, false, 300},
    {"col", OCTET_U8, 4, {1, 4, 6, 1}, true, 0},
    {"w", OCTET_S8, 4, {4, 4, 3, 3}, false, 1},
    {"ws", OCTET_F32, 1, {4}, false, 0.5},
    {"wz", OCTET_S8, 1, {4}, false, 0},
    {"b", OCTET_S32, 1, {4}, false, 7},
    {"bs", OCTET_F32, 1, {4}, false, 0.25},
    {"bz", OCTET_S32, 1, {4}, false, 0},
    {"mw", OCTET_S8, 2, {8, 4}, false, 2},
    {"s", OCTET_F32, 0, {0}, false, 0.5},
    {"s2", OCTET_F32, 0, {0}, false, 0.25},
    {"bs1", OCTET_F32, 0, {0}, false, 2},
    {"z", OCTET_U8, 0, {0}, false, 3},
    {"z2", OCTET_U8, 0, {0}, false, 5},
    {"z0", OCTET_U8, 0, {0}, false, 0},
    {"zs", OCTET_S8, 0, {0}, false, 0},
    {"zero", OCTET_F32, 0, {0}, false, 0},
    {"six", OCTET_F32, 0, {0}, false, 6},
    {"flat", OCTET_S64, 1, {2}, false, -1},
    {"fw", OCTET_F32, 4, {4, 4, 3, 3}, false, 0.5},
    {"fb", OCTET_F32, 1, {4}, false, 3},
    {"pads", OCTET_S64, 1, {8}, false, 0},
    {"padsc", OCTET_S64, 1, {8}, false, 1},
    {"perchannel", OCTET_F32, 4, {1, 4, 1, 1}, false, 2},
    {"table", OCTET_U8, 4, {256, 1, 1, 1}, false, 9},
    {"table4", OCTET_U8, 4, {256, 4, 1, 1}, false, 9},
    {"stable", OCTET_S8, 4, {256, 1, 1, 1}, false, 9},
};
enum { NAMES = sizeof names / sizeof *names };

static const int64_t two_by_two[] = {2, 2}, three_by_three[] = {3, 3}, channels[] = {1}, pixels[] = {2, 3};
/* What may follow an operator's name after '@'. */
static const struct {
    const char *name;
    oct_attr attr;
} attributes[] = {
    {"axis0", {.name = "axis", .kind = OCT_ATTR_INT, .i = 0}},
    {"channels", {.name = "axes", .kind = OCT_ATTR_INTS, .ints = channels, .count = 1}},
    {"pixels", {.name = "axes", .kind = OCT_ATTR_INTS, .ints = pixels, .count = 2}},
    {"axis1", {.name = "axis", .kind = OCT_ATTR_INT, .i = 1}},
    {"k2", {.name = "kernel_shape", .kind = OCT_ATTR_INTS, .ints = two_by_two, .count = 2}},
    {"k3", {.name = "kernel_shape", .kind = OCT_ATTR_INTS, .ints = three_by_three, .count = 2}},
};

/* "flat" is [-1, 1], "padsc" begins with 1 (images), "pads" has 1 and 2 in height and width. */
static int64_t integers_of(const known *k, int64_t e)
{
    static const int64_t pads[] = {0, 0, 1, 2, 0, 0, 2, 1};
    if (strcmp(k->name, "pads") == 0)
        return pads[e];
    return strcmp(k->name, "flat") == 0 ? (e ? 1 : -1) : e == 0;
}

static int value_of(oct_graph *g, const char *name)
{
    for (int v = 0; v < g->value_count; v++) {
        if (strcmp(g->values[v].name, name) == 0)
            return v;
    }
    int v = oct_graph_add_value(g, name);
    for (int i = 0; i < NAMES; i++) {
        const known *k = &names[i];
        oct_value *made = &g->values[v];
        int64_t elems;
        if (strcmp(k->name, name) != 0)
            continue;
        assert_true(oct_shape_elems(k->dims, k->rank, &elems));
        made->dtype = k->dtype;
        made->rank = k->rank;
        memcpy(made->dims, k->dims, sizeof k->dims);
        made->is_input = k->is_input;
        if (k->is_input)
            continue;
        size_t each = oct_dtype_bytes(k->dtype);
        unsigned char *data = oct_arena_alloc(&g->arena, (size_t)elems, each);
        for (int64_t e = 0; e < elems; e++) {
            float real = (float)k->fill;
            int64_t whole = k->dtype == OCTET_S64 ? integers_of(k, e) : (int64_t)k->fill;
            memcpy(data + (size_t)e * each, k->dtype == OCTET_F32 ? (void *)&real : (void *)&whole, each);
        }
        made->data = data;
        made->data_bytes = (size_t)elems * each;
    }
    return v;
}

static void add_node(oct_graph *g, char *text)
{
    char *save = NULL, *out = strtok_r(text, " =", &save), *op = strtok_r(NULL, " =", &save), *operand;
    char *at = strchr(op, '@');
    int inputs[8], count = 0;
    if (at)
        *at++ = '\0';
    while ((operand = strtok_r(NULL, " ", &save)))
        inputs[count++] = strcmp(operand, "-") == 0 ? OCT_NO_VALUE : value_of(g, operand);
    int y = value_of(g, out);
    oct_op kind = oct_op_find(op, "");
    if (kind == OCT_OP_COUNT)
        kind = oct_op_find(op, "com.microsoft");
    if (strcmp(op, "Table") == 0)
        kind = OCT_OP_Table;
    assert_true(kind != OCT_OP_COUNT);
    oct_node *n = oct_graph_add_node(g, kind, out, count, 1);
    n->opset = 14;
    memcpy(n->inputs, inputs, (size_t)count * sizeof *inputs);
    n->outputs[0] = y;
    for (size_t i = 0; at && i < sizeof attributes / sizeof *attributes; i++) {
        if (strcmp(attributes[i].name, at) == 0) {
            n->attrs = &attributes[i].attr;
            n->attr_count = 1;
        }
    }
    assert_true(!at || n->attr_count == 1);
}

static void list_ports(oct_graph *g, const char *outputs)
{
    char text[128], *save = NULL;
    snprintf(text, sizeof text, "%s", outputs);
    g->inputs = malloc(((size_t)g->value_count + 1) * sizeof *g->inputs);
    g->outputs = malloc(8 * sizeof *g->outputs);
    for (int v = 0; v < g->value_count; v++) {
        if (g->values[v].is_input)
            g->inputs[g->input_count++] = v;
    }
    for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
        int v = value_of(g, name);
        g->values[v].is_output = true;
        g->outputs[g->output_count++] = v;
    }
}

/* "a = Op x s; y = Op a": sorted, with every shape known. */
static void build(oct_graph *g, const char *text, const char *outputs)
{
    char copy[1024], *save = NULL;
    memset(g, 0, sizeof *g);
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    for (char *one = strtok_r(copy, ";", &save); one; one = strtok_r(NULL, ";", &save))
        add_node(g, one);
    list_ports(g, outputs);
    CHECK_OK(oct_graph_sort(g));
    CHECK_OK(oct_graph_infer(g));
}

static void operators(const oct_graph *g, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < g->node_count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", oct_op_name(g->nodes[i].op));
}

/* ---- the cases ----------------------------------------------------------------------------------------- */

typedef octet_status pass_fn(oct_graph *g);

typedef struct pass_case {
    const char *what;
    pass_fn *pass;
    const char *graph, *outputs, *after;
} pass_case;

#define DQ      "DequantizeLinear"
#define Q       "QuantizeLinear"
#define OF_X    "a = " DQ " x s z; "
#define OF_X16  "a = " DQ " x16 s z16; "
#define OF_T    "c = " DQ " t s z; "
#define CONV    "d = QLinearConv x s z w ws wz s2 z2; "
#define WEIGHTS "wf = " DQ "@axis0 w ws wz; "

static const pass_case cases[] = {
    /* fold batch norm */
    {"conv and norm", oct_pass_batch_norm, "d = Conv f fw; y = BatchNormalization d fb fb fb fb", "y",
     "Conv"},
    {"conv with bias and norm", oct_pass_batch_norm,
     "d = Conv f fw fb; e = BatchNormalization d fb fb fb fb; y = Relu e", "y", "Conv Relu"},
    {"a conv that others read too", oct_pass_batch_norm,
     "d = Conv f fw; y = BatchNormalization d fb fb fb fb; v = Exp d", "y v", "Conv BatchNormalization Exp"},
    {"norm of an input", oct_pass_batch_norm, "y = BatchNormalization f fb fb fb fb", "y",
     "BatchNormalization"},
    /* fold pad */
    {"pad by the zero point", oct_pass_pad, "p = Pad x pads z; y = QLinearConv p s z w ws wz s2 z2", "y",
     "QLinearConv"},
    {"pad by another number", oct_pass_pad, "p = Pad x pads z2; y = QLinearConv p s z w ws wz s2 z2", "y",
     "Pad QLinearConv"},
    {"pad by 0 where that is not the zero point", oct_pass_pad,
     "p = Pad x pads; y = QLinearConv p s z w ws wz s2 z2", "y", "Pad QLinearConv"},
    {"pad of the batch", oct_pass_pad, "p = Pad x padsc z; y = QLinearConv p s z w ws wz s2 z2", "y",
     "Pad QLinearConv"},
    {"a pad that others read too", oct_pass_pad,
     "p = Pad x pads z; y = QLinearConv p s z w ws wz s2 z2; v = Transpose p", "y v",
     "QLinearConv Pad Transpose"},
    {"pad of floats", oct_pass_pad, "p = Pad f pads; y = Conv p fw", "y", "Conv"},
    {"pad of floats by 6", oct_pass_pad, "p = Pad f pads six; y = Conv p fw", "y", "Pad Conv"},
    /* sink dequantize */
    {"a move", oct_pass_sink_dequantize, OF_X "y = Transpose a", "y", "Transpose " DQ},
    {"a pool", oct_pass_sink_dequantize, OF_X "y = MaxPool@k2 a", "y", "MaxPool " DQ},
    {"two moves", oct_pass_sink_dequantize, OF_X "v = Transpose a; y = Reshape v flat", "y",
     "Transpose Reshape " DQ},
    {"the largest of each", oct_pass_sink_dequantize, OF_X "y = ReduceMax@channels a", "y", "ReduceMax " DQ},
    {"sums", oct_pass_sink_dequantize, OF_X "y = ReduceSum@channels a", "y", DQ " ReduceSum"},
    {"equal parts", oct_pass_sink_dequantize, OF_X OF_T "y = Concat@axis1 a c", "y", "Concat " DQ},
    {"parts of other scales", oct_pass_sink_dequantize, OF_X "c = " DQ " t s2 z; y = Concat@axis1 a c", "y",
     DQ " " DQ " Concat"},
    {"a move of 16 bits", oct_pass_sink_dequantize, OF_X16 "y = Transpose a", "y", "Transpose " DQ},
    {"a pool of 16 bits", oct_pass_sink_dequantize, OF_X16 "y = MaxPool@k2 a", "y", "MaxPool " DQ},
    {"pads of 16 bits", oct_pass_sink_dequantize, OF_X16 "y = Pad a pads", "y", DQ " Pad"},
    {"float data", oct_pass_sink_dequantize, "y = Transpose f", "y", "Transpose"},
    {"arithmetic", oct_pass_sink_dequantize, OF_X "y = Exp a", "y", DQ " Exp"},
    {"per channel", oct_pass_sink_dequantize, "a = " DQ "@axis0 w ws wz; y = Transpose a", "y",
     DQ " Transpose"},
    /* float weights */
    {"transposed conv of 8-bit data", oct_pass_float_weights,
     OF_X "d = ConvTranspose a fw fb; e = Relu d; y = " Q " e s2 z2", "y",
     DQ " " DQ " ConvTranspose Relu " Q},
    {"of float data", oct_pass_float_weights, "d = ConvTranspose f fw; y = " Q " d s2 z2", "y",
     "ConvTranspose " Q},
    {"whose result stays float", oct_pass_float_weights, OF_X "y = ConvTranspose a fw", "y",
     DQ " ConvTranspose"},
    {"whose result others read", oct_pass_float_weights,
     OF_X "d = ConvTranspose a fw; y = " Q " d s2 z2; v = Exp d", "y v", DQ " ConvTranspose " Q " Exp"},
    {"a conv's", oct_pass_float_weights, OF_X "d = Conv a fw; y = " Q " d s2 z2", "y", DQ " Conv " Q},
    /* integer groups */
    {"conv", oct_pass_integer_groups, OF_X WEIGHTS "d = Conv a wf; y = " Q " d s2 z2", "y", "QLinearConv"},
    {"conv with bias", oct_pass_integer_groups,
     OF_X WEIGHTS "bf = " DQ "@axis0 b bs bz; d = Conv a wf bf; y = " Q " d s2 z2", "y", "QLinearConv"},
    {"conv and relu", oct_pass_integer_groups,
     OF_X WEIGHTS "d = Conv a wf; e = Relu d; y = " Q " d s2 z2; v = " Q " e s2 z2", "y v",
     "QLinearConv " Q " Relu " Q}, /* its result is float */
    {"relu between", oct_pass_integer_groups, OF_X WEIGHTS "d = Conv a wf; e = Relu d; y = " Q " e s2 z2",
     "y", "QLinearConv"},
    {"clip between", oct_pass_integer_groups,
     OF_X WEIGHTS "d = Conv a wf; e = Clip d zero six; y = " Q " e s2 z2", "y", "QLinearConv"},
    {"conv of a float", oct_pass_integer_groups, WEIGHTS "d = Conv f wf; y = " Q " d s2 z2", "y",
     DQ " Conv " Q},
    {"conv whose float is an output", oct_pass_integer_groups,
     OF_X WEIGHTS "d = Conv a wf; y = " Q " d s2 z2", "y d", "QLinearConv " Q},
    {"add", oct_pass_integer_groups, OF_X OF_T "d = Add a c; y = " Q " d s2 z2", "y", "QLinearAdd"},
    {"sub", oct_pass_integer_groups, OF_X OF_T "d = Sub a c; y = " Q " d s2 z2", "y", "QLinearSub"},
    {"mul", oct_pass_integer_groups, OF_X OF_T "d = Mul a c; y = " Q " d s2 z2", "y", "QLinearMul"},
    {"add and relu", oct_pass_integer_groups, OF_X OF_T "d = Add a c; e = Relu d; y = " Q " e s2 z2", "y",
     "QLinearAdd"},
    {"pool and relu", oct_pass_integer_groups, OF_X "d = AveragePool@k2 a; e = Relu d; y = " Q " e s2 z2",
     "y", DQ " AveragePool Relu " Q},
    {"pool and a relu that changes nothing", oct_pass_integer_groups,
     OF_X "d = AveragePool@k2 a; e = Relu d; y = " Q " e s2 z0", "y", "QLinearAveragePool"},
    {"add of a float", oct_pass_integer_groups, OF_X "d = Add a f; y = " Q " d s2 z2", "y", DQ " Add " Q},
    {"matmul", oct_pass_integer_groups,
     "a = " DQ " m s z; wf = " DQ " mw s zs; d = MatMul a wf; y = " Q " d s2 z2", "y", "QLinearMatMul"},
    {"matmul to float", oct_pass_integer_groups, "a = " DQ " m s z; wf = " DQ " mw s zs; y = MatMul a wf",
     "y", "QLinearMatMul"},
    {"pool", oct_pass_integer_groups, OF_X "d = AveragePool@k2 a; y = " Q " d s2 z2", "y",
     "QLinearAveragePool"},
    {"global pool", oct_pass_integer_groups, OF_X "d = GlobalAveragePool a; y = " Q " d s2 z2", "y",
     "QLinearGlobalAveragePool"},
    {"mean over pixels", oct_pass_integer_groups, OF_X "d = ReduceMean@pixels a; y = " Q " d s2 z2", "y",
     "QLinearGlobalAveragePool"},
    {"mean over channels", oct_pass_integer_groups, OF_X "d = ReduceMean@channels a; y = " Q " d s2 z2", "y",
     "QLinearReduceMean"},
    {"mean of everything", oct_pass_integer_groups, OF_X "d = ReduceMean a; y = " Q " d s2 z2", "y",
     "QLinearReduceMean"},
    {"sum", oct_pass_integer_groups, OF_X "d = ReduceSum@channels a; y = " Q " d s2 z2", "y",
     "QLinearReduceSum"},
    {"mean that stays float", oct_pass_integer_groups, OF_X "y = ReduceMean@channels a", "y",
     DQ " ReduceMean"},
    {"sum and clip", oct_pass_integer_groups,
     OF_X "d = ReduceSum@channels a; e = Clip d zero six; y = " Q " e s2 z2", "y", DQ " ReduceSum Clip " Q},
    {"global pool of 16 bits", oct_pass_integer_groups, OF_X16 "d = GlobalAveragePool a; y = " Q " d s2 z16",
     "y", "QLinearGlobalAveragePool"},
    {"global pool of too many", oct_pass_integer_groups,
     "a = " DQ " many16 s z16; d = GlobalAveragePool a; y = " Q " d s2 z16", "y", DQ " GlobalAveragePool " Q},
    {"sigmoid of 16 bits", oct_pass_integer_groups, OF_X16 "d = Sigmoid a; y = " Q " d s2 z16", "y",
     DQ " Sigmoid " Q},
    {"concat", oct_pass_integer_groups, OF_X "c = " DQ " t s2 z; d = Concat@axis1 a c; y = " Q " d s2 z2",
     "y", "QLinearConcat"},
    {"where", oct_pass_integer_groups,
     OF_X "c = " DQ " t s2 z; e = Equal f f; d = Where e a c; y = " Q " d s2 z2", "y", "Equal QLinearWhere"},
    {"where of a float", oct_pass_integer_groups, OF_X "e = Equal f f; d = Where e a f; y = " Q " d s2 z2",
     "y", "Equal " DQ " Where " Q},
    {"sigmoid", oct_pass_integer_groups, OF_X "d = Sigmoid a; y = " Q " d s2 z2", "y", "QLinearSigmoid"},
    {"softmax", oct_pass_integer_groups, "a = " DQ " m s z; d = Softmax@axis1 a; y = " Q " d s2 z2", "y",
     "QLinearSoftmax"},
    /* cancel pairs */
    {"the same parameters", oct_pass_cancel_pairs, OF_X "b1 = " Q " a s z; y = Transpose b1", "y",
     "Transpose"},
    {"the same parameters of 16 bits", oct_pass_cancel_pairs, OF_X16 "b1 = " Q " a s z16; y = Transpose b1",
     "y", "Transpose"},
    {"another scale", oct_pass_cancel_pairs, OF_X "b1 = " Q " a s2 z; y = Transpose b1", "y",
     DQ " " Q " Transpose"},
    {"another zero point", oct_pass_cancel_pairs, OF_X "b1 = " Q " a s z2; y = Transpose b1", "y",
     DQ " " Q " Transpose"},
    /* fuse clamp */
    {"relu of a conv", oct_pass_fuse_clamp, "d = QLinearConv x s z w ws wz s2 z2; y = Relu d", "y",
     "QLinearConv"},
    {"relu of an add", oct_pass_fuse_clamp, "d = QLinearAdd x s z t s z s2 z2; y = Relu d", "y",
     "QLinearAdd"},
    {"relu of a pool", oct_pass_fuse_clamp, "d = MaxPool@k2 x; y = Relu d", "y", "MaxPool Relu"},
    {"a conv that others read", oct_pass_fuse_clamp,
     "d = QLinearConv x s z w ws wz s2 z2; y = Relu d; v = Transpose d", "y v", "QLinearConv Relu Transpose"},
    {"a conv that is an output", oct_pass_fuse_clamp, "d = QLinearConv x s z w ws wz s2 z2; y = Relu d",
     "y d", "QLinearConv Relu"},
    {"relu of a float", oct_pass_fuse_clamp, "d = Transpose f; y = Relu d", "y", "Transpose Relu"},
    /* tables */
    {"one function", oct_pass_tables, OF_X "d = Exp a; y = " Q " d s2 z2", "y", DQ " Exp " Q " Table"},
    {"a chain", oct_pass_tables, OF_X "d = Exp a; e = Add d six; h = Mul e d; y = " Q " h s2 z2", "y",
     DQ " Exp Add Mul " Q " Table"},
    {"a factor per channel", oct_pass_tables, OF_X "d = Mul a perchannel; e = Exp d; y = " Q " e s2 z2", "y",
     "Expand " DQ " Mul Exp " Q " Table"},
    {"of two tensors", oct_pass_tables, OF_X OF_T "d = Exp a; e = Div d c; y = " Q " e s2 z2", "y", NULL},
    {"float all the way", oct_pass_tables, "d = Exp f; y = Relu d", "y", "Exp Relu"},
    /* the QOperator form */
    {"conv with a clip", oct_graph_to_qoperator,
     OF_X WEIGHTS "d = Conv a wf; e = Clip d zero six; y = " Q " e s2 z2", "y", "QLinearConv Clip"},
    {"a pool in 8 bits", oct_graph_to_qoperator,
     OF_X "d = MaxPool@k2 a; e = " Q " d s z; f1 = " DQ " e s z; y = Exp f1", "y", "MaxPool " DQ " Exp"},
    {"what no operator says", oct_graph_to_qoperator, OF_X OF_T "d = Sub a c; y = " Q " d s2 z2", "y",
     DQ " " DQ " Sub " Q},
    {"a float result", oct_graph_to_qoperator, OF_X WEIGHTS "y = Conv a wf", "y", DQ " " DQ " Conv"},
    /* chain */
    {"conv and table", oct_pass_chain, CONV "y = Table@axis1 d table", "y", "QLinearConv"},
    {"conv and a table per channel", oct_pass_chain, CONV "y = Table@axis1 d table4", "y",
     "QLinearConv Table"},
    {"conv and a table to another type", oct_pass_chain, CONV "y = Table@axis1 d stable", "y",
     "QLinearConv Table"},
    {"conv and sum", oct_pass_chain, CONV "p = MaxPool@k3 t; y = QLinearAdd d s z p s z s2 z2", "y",
     "MaxPool QLinearConv"},
    {"conv, table and sum", oct_pass_chain,
     CONV "e = Table@axis1 d table; p = MaxPool@k3 t; y = QLinearAdd p s z e s z s2 z2", "y",
     "MaxPool QLinearConv"},
    {"conv, sum and table", oct_pass_chain,
     CONV "p = MaxPool@k3 t; e = QLinearAdd d s z p s z s2 z2; y = Table@axis1 e table", "y",
     "MaxPool QLinearConv Table"},
    {"sum of two convs", oct_pass_chain,
     CONV "e = QLinearConv t s z w ws wz s2 z2; y = QLinearAdd d s z e s z s2 z2", "y",
     "QLinearConv QLinearConv"},
    {"sum with a factor of itself", oct_pass_chain,
     CONV "e = Table@axis1 d table; y = QLinearAdd d s z e s z s2 z2", "y", "QLinearConv Table QLinearAdd"},
    {"twice the same", oct_pass_chain, CONV "y = QLinearAdd d s z d s z s2 z2", "y",
     "QLinearConv QLinearAdd"},
    {"sum with one number a channel", oct_pass_chain,
     CONV "p = GlobalMaxPool t; y = QLinearAdd d s z p s z s2 z2", "y",
     "QLinearConv GlobalMaxPool QLinearAdd"},
    {"a conv that the caller reads", oct_pass_chain, CONV "y = Table@axis1 d table", "y d",
     "QLinearConv Table"},
    {"a product", oct_pass_chain, CONV "p = MaxPool@k3 t; y = QLinearMul d s z p s z s2 z2", "y",
     "QLinearConv MaxPool QLinearMul"},
};

/* Nodes that depend on constants alone run once, at load: the table's own. */
static int count_in_run(const oct_graph *g)
{
    bool *runs = calloc((size_t)g->value_count + 1, sizeof *runs);
    int count = 0;
    for (int v = 0; v < g->value_count; v++)
        runs[v] = g->values[v].is_input;
    for (int i = 0; i < g->node_count; i++) {
        bool in_run = false;
        for (int k = 0; k < g->nodes[i].input_count; k++)
            in_run = in_run || (g->nodes[i].inputs[k] != OCT_NO_VALUE && runs[g->nodes[i].inputs[k]]);
        for (int k = 0; k < g->nodes[i].output_count; k++)
            runs[g->nodes[i].outputs[k]] = in_run;
        count += in_run;
    }
    free(runs);
    return count;
}

static void passes_one_by_one(void **state)
{
    (void)state;
    const size_t count = sizeof cases / sizeof *cases;
    for (size_t i = 0; i < count; i++) {
        const pass_case *c = &cases[i];
        oct_graph g, copy;
        char before[512], after[512];
        build(&g, c->graph, c->outputs);
        operators(&g, before, sizeof before);
        CHECK_OK(oct_graph_clone(&g, &copy));
        octet_status status = c->pass(&copy);
        if (status == OCTET_OK)
            status = oct_graph_sort(&copy);
        if (status == OCTET_OK)
            status = oct_graph_verify(&copy);
        if (status != OCTET_OK)
            fail_msg("%s: %s", c->what, octet_last_error());
        operators(&copy, after, sizeof after);
        if (c->pass == oct_pass_tables && c->after && strstr(c->after, "Table"))
            assert_int_equal(count_in_run(&copy), 1);
        if (c->after && strcmp(after, c->after) != 0)
            fail_msg("%s: of \"%s\" came \"%s\", not \"%s\"", c->what, before, after, c->after);
        if (!c->after)
            assert_true(count_in_run(&copy) > 1);
        operators(&g, after, sizeof after);
        assert_string_equal(before, after); /* the original is not touched */
        oct_graph_free(&copy);
        oct_graph_free(&g);
    }
    print_message("%zu cases\n", count);
}

/* Clamps that the passes leave in a node: the bounds in the output's own numbers. */
static void clamps(void **state)
{
    (void)state;
    oct_graph g;
    build(&g, OF_X WEIGHTS "d = Conv a wf; e = Clip d zero six; y = " Q " e s2 z2", "y");
    CHECK_OK(oct_pass_integer_groups(&g));
    CHECK_OK(oct_graph_sort(&g));
    assert_int_equal(g.node_count, 1);
    assert_true(g.nodes[0].clamp.set);
    assert_int_equal(g.nodes[0].clamp.min, 5);      /* 0 / 0.25 + 5 */
    assert_int_equal(g.nodes[0].clamp.max, 24 + 5); /* 6 / 0.25 + 5 */
    assert_string_equal(g.nodes[0].name, "d");      /* the convolution's */
    oct_graph_free(&g);
    build(&g, "d = QLinearConv x s z w ws wz s2 z2; y = Relu d", "y");
    CHECK_OK(oct_pass_fuse_clamp(&g));
    CHECK_OK(oct_graph_sort(&g));
    assert_int_equal(g.nodes[0].clamp.min, 0); /* ONNX Relu of 8-bit numbers knows no zero point */
    oct_graph_free(&g);
    build(&g, CONV "p = MaxPool@k3 t; e = QLinearAdd d s z p s z s2 z2; y = Clip e z2 z", "y");
    CHECK_OK(oct_pass_fuse_clamp(&g));
    CHECK_OK(oct_graph_sort(&g));
    CHECK_OK(oct_pass_chain(&g));
    CHECK_OK(oct_graph_sort(&g));
    assert_int_equal(g.node_count, 2);
    assert_false(g.nodes[1].clamp.set);
    assert_true(g.nodes[1].sum_clamp.set);
    assert_int_equal(g.nodes[1].sum_clamp.max, 3); /* min above max: max everywhere */
    oct_graph_free(&g);
}

/* The operand that ONNX Runtime adds first is noted: which, depends on the shapes. */
static void order_of_operands(void **state)
{
    (void)state;
    oct_graph g;
    bool swapped[2];
    for (int k = 0; k < 2; k++) {
        build(&g, k ? "y = QLinearAdd col s z x s z s2 z2" : "y = QLinearAdd x s z col s z s2 z2", "y");
        CHECK_OK(oct_pass_operand_order(&g));
        CHECK_OK(oct_graph_verify(&g));
        swapped[k] = g.nodes[0].swapped;
        oct_graph_free(&g);
    }
    assert_true(swapped[0] != swapped[1]);
}

/* A chain names its operands as QLinearAdd did, the convolution's own result always first. */
static void operands_of_a_chain(void **state)
{
    (void)state;
    static const char *const sums[] = {"y = QLinearAdd d s z p s2 z2 bs1 z",
                                       "y = QLinearAdd p s2 z2 d s z bs1 z"};
    for (int k = 0; k < 2; k++) {
        oct_graph g;
        char text[256];
        snprintf(text, sizeof text, CONV "p = MaxPool@k3 t; %s", sums[k]);
        build(&g, text, "y");
        CHECK_OK(oct_pass_chain(&g));
        CHECK_OK(oct_graph_sort(&g));
        CHECK_OK(oct_graph_verify(&g));
        const oct_node *n = &g.nodes[1];
        static const char *const want[] = {"p", "s", "z", "s2", "z2", "bs1", "z"};
        assert_int_equal(n->input_count, OCT_CONV_INPUTS);
        assert_int_equal(n->inputs[8], OCT_NO_VALUE); /* no bias */
        assert_int_equal(n->inputs[OCT_CONV_TABLE], OCT_NO_VALUE);
        for (int i = 0; i < 7; i++)
            assert_string_equal(g.values[n->inputs[OCT_CONV_RESIDUAL + i]].name, want[i]);
        assert_int_equal(n->swapped, k); /* a sum's first operand is added last (numerics.md) */
        oct_graph_free(&g);
    }
}

/* The border: ports become 8-bit, and what is said of them is what the nodes said. */
static void border(void **state)
{
    (void)state;
    static const struct {
        const char *graph, *outputs, *after;
        bool input, output;
    } rows[] = {
        {"q = " Q " f s z; v = Transpose q; y = " DQ " v s2 z2", "y", "Transpose", true, true},
        {"q = " Q " f s z; r = " Q " f s z; v = QLinearAdd q s z r s z s z; y = " DQ " v s2 z2", "y",
         "QLinearAdd", true, true},
        {"q = " Q " f s z; r = Exp f; y = Transpose q", "y r", Q " Transpose Exp", false, false},
        {"q = " Q " f s z; r = " Q " f s2 z; v = QLinearAdd q s z r s2 z s z; y = " DQ " v s z", "y",
         Q " " Q " QLinearAdd", false, true},
        {"v = Transpose x; y = " DQ " v s z; r = Exp y", "y r", "Transpose " DQ " Exp", false, false},
        {"q = " Q " f s z; y = " DQ " q s z", "y", Q, false, true},
        {"y = " DQ " x s z", "y", DQ, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        oct_graph g;
        oct_border in[2], out[2];
        char after[256];
        build(&g, rows[i].graph, rows[i].outputs);
        CHECK_OK(oct_graph_move_border(&g, in, out));
        operators(&g, after, sizeof after);
        if (strcmp(after, rows[i].after) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].graph, after, rows[i].after);
        assert_int_equal(in[0].dtype, rows[i].input ? OCTET_U8 : OCTET_DTYPE_NONE);
        assert_int_equal(out[0].dtype, rows[i].output ? OCTET_U8 : OCTET_DTYPE_NONE);
        if (rows[i].input) {
            assert_int_equal(g.values[g.inputs[0]].dtype, OCTET_U8);
            assert_true(in[0].scale == 0.5f && in[0].zero == 3);
        }
        oct_graph_free(&g);
    }
}

/* All of them, and the layout: float comes in, float goes out, in between it is 8-bit in one layout. */
static void all_together(void **state)
{
    (void)state;
    oct_graph g;
    char after[512];
    build(&g,
          "q = " Q " f s z; a = " DQ " q s z; " WEIGHTS "d = Conv a wf; e = Relu d; h = " Q " e s2 z2; "
          "i = " DQ " h s2 z2; j = MaxPool@k2 i; k = " Q " j s2 z2; l = " DQ
          " k s2 z2; y = GlobalAveragePool l",
          "y");
    CHECK_OK(oct_graph_rewrite(&g));
    CHECK_OK(oct_graph_lay_out(&g));
    operators(&g, after, sizeof after);
    assert_string_equal(after, Q " Transpose QLinearConv MaxPool " DQ " GlobalAveragePool Reshape");
    oct_graph_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_one_by_one),   cmocka_unit_test(clamps), cmocka_unit_test(order_of_operands),
        cmocka_unit_test(operands_of_a_chain), cmocka_unit_test(border), cmocka_unit_test(all_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
