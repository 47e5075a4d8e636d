#include "op_facts.h"

#include <string.h>

enum { NO = -1, ANY = -1 };

#define A(kind, name)         {#name, OCT_ATTR_##kind},
#define OCT_ATTRS(list, rows) static const oct_attr_row attrs_##list[] = {rows{NULL, OCT_ATTR_INT}};
#include "op_attrs.def"
#undef OCT_ATTRS
#undef A

static const oct_facts facts[OCT_OP_COUNT] = {
#define COLUMN_ONNX(n)             .domain = "", .since = n
#define COLUMN_UPGRADED(n, f)      .domain = "", .since = n
#define COLUMN_MICROSOFT(n)        .domain = "com.microsoft", .since = n
#define COLUMN_PASSES              .domain = NULL, .since = 1
#define COLUMN_ARITY(i, j, k, l)   .min_in = i, .max_in = j, .min_out = k, .max_out = l
#define COLUMN_FAMILY(f)           .family = OCT_OP_FAMILY_##f
#define COLUMN_RUNS(r)             .runs = OCT_RUNS_##r
#define AT_N(i)                    i, NO, NO
#define AT_Q(i, scale, zero)       i, scale, zero
#define COLUMN_NONE                .operand_count = 0, .step = 0
#define COLUMN_ONE(x)              .operand_count = 1, .step = 0, .operands = {{AT_##x}}
#define COLUMN_TWO(x, y)           .operand_count = 2, .step = 0, .operands = {{AT_##x}, {AT_##y}}
#define COLUMN_THREE(x, y, z)      .operand_count = 3, .step = 0, .operands = {{AT_##x}, {AT_##y}, {AT_##z}}
#define COLUMN_EVERY(x, every)     .operand_count = 1, .step = every, .operands = {{AT_##x}}
#define COLUMN_RESULT(scale, zero) .result_kind = OCT_RESULT_GIVEN, .result = {NO, scale, zero}
#define COLUMN_LIKE(i)             .result_kind = OCT_RESULT_LIKE, .result = {i, NO, NO}
#define COLUMN_SAME                .result_kind = OCT_RESULT_SAME, .result = {0, NO, NO}
#define COLUMN_OWN                 .result_kind = OCT_RESULT_OWN, .result = {NO, NO, NO}
#define COLUMN_WEIGHTS(axis, b)    .weights = OCT_WEIGHTS_##axis, .bias = b
#define COLUMN_NO_WEIGHTS          .weights = OCT_WEIGHTS_NONE, .bias = NO
#define COLUMN_CLAMP(c)            .clamp = OCT_CLAMP_##c
#define COLUMN_LAYOUT(l)           .layout = OCT_LAYOUT_##l
#define COLUMN_POINTWISE(c)        .pointwise = OCT_POINTWISE_##c
#define COLUMN_SINKS(s, where)     .sinks = OCT_SINKS_##s, .sinks_reach = OCT_REACH_##where
#define COLUMN_TWIN(op, f, where)  .twin = OCT_OP_##op, .twin_reach = OCT_REACH_##where
#define COLUMN_NO_TWIN             .twin = OCT_OP_COUNT, .twin_reach = OCT_REACH_OURS
#define COLUMN_PLACE(k)            .place = OCT_PLACE_##k
#define ROWS_MIXES                 true
#define ROWS_KEEPS                 false
#define COLUMN_ROWS(r)             .mixes_rows = ROWS_##r
#define COLUMN_ATTRS(list)         .attrs = attrs_##list
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, runs, operands, result, weights, clamp,    \
               layout, pointwise, sinks, twin, place, rows, attrs)                                           \
    [OCT_OP_##op] = {.name = #op,                                                                            \
                     COLUMN_##file,                                                                          \
                     COLUMN_##arity,                                                                         \
                     COLUMN_##family,                                                                        \
                     COLUMN_##runs,                                                                          \
                     COLUMN_##operands,                                                                      \
                     COLUMN_##result,                                                                        \
                     COLUMN_##weights,                                                                       \
                     COLUMN_##clamp,                                                                         \
                     COLUMN_##layout,                                                                        \
                     COLUMN_##pointwise,                                                                     \
                     COLUMN_##sinks,                                                                         \
                     COLUMN_##twin,                                                                          \
                     COLUMN_##place,                                                                         \
                     COLUMN_##rows,                                                                          \
                     COLUMN_##attrs},
#include "op_table.def"
#undef OCT_OP
};

const oct_facts *oct_op_facts(oct_op op)
{
    return &facts[op];
}

const char *oct_op_name(oct_op op)
{
    return facts[op].name;
}

oct_at oct_op_operand(oct_op op, int k)
{
    int last = facts[op].operand_count - 1, more = k > last ? (k - last) * facts[op].step : 0;
    oct_at at = facts[op].operands[k > last ? last : k];
    at.value += more;
    at.scale += at.scale < 0 ? 0 : more;
    at.zero += at.zero < 0 ? 0 : more;
    return at;
}

int oct_node_operands(const oct_node *n)
{
    const oct_facts *f = &facts[n->op];
    int count = f->operand_count, first = count ? f->operands[0].value : 0;
    if (f->step)
        return n->input_count > first ? (n->input_count - first + f->step - 1) / f->step : 0;
    while (count && f->operands[count - 1].value >= n->input_count)
        count--;
    return count;
}

bool oct_op_is_data(oct_op op, int i)
{
    const oct_facts *f = &facts[op];
    for (int k = 0; k < f->operand_count; k++) {
        if (f->operands[k].value == i)
            return true;
    }
    return f->step && i > f->operands[0].value && (i - f->operands[0].value) % f->step == 0;
}

const oct_attr_row *oct_op_attr(oct_op op, const char *name)
{
    const oct_attr_row *a = facts[op].attrs;
    while (a->name && strcmp(a->name, name) != 0)
        a++;
    return a->name ? a : NULL;
}

int oct_weight_axis(const oct_graph *g, const oct_node *n)
{
    switch (facts[n->op].weights) {
    case OCT_WEIGHTS_SECOND:
        return 1;
    case OCT_WEIGHTS_LAST:
        return g->values[n->inputs[facts[n->op].operands[1].value]].rank - 1;
    case OCT_WEIGHTS_TRANS_B:
        return oct_node_int(n, "transB", 0) ? 0 : 1;
    default:
        return 0;
    }
}

octet_node_path oct_node_path(const oct_graph *g, const oct_node *n)
{
    static const octet_node_path paths[] = {[OCT_RUNS_INT8] = OCTET_NODE_INT8,
                                            [OCT_RUNS_FLOAT] = OCTET_NODE_FLOAT,
                                            [OCT_RUNS_MOVE] = OCTET_NODE_MOVE,
                                            [OCT_RUNS_REFUSED] = OCTET_NODE_REFUSED};
    if (facts[n->op].runs != OCT_RUNS_BY_TYPE)
        return paths[facts[n->op].runs];
    bool floats = n->inputs[0] != OCT_NO_VALUE && g->values[n->inputs[0]].dtype == OCTET_F32;
    return floats ? OCTET_NODE_FLOAT : OCTET_NODE_INT8;
}

bool oct_op_is_contrib_pair(const char *op_type, const char *domain)
{
    return strcmp(domain, "com.microsoft") == 0 &&
           (strcmp(op_type, "QuantizeLinear") == 0 || strcmp(op_type, "DequantizeLinear") == 0);
}

oct_op oct_op_find(const char *op_type, const char *domain)
{
    if (oct_op_is_contrib_pair(op_type, domain) || strcmp(domain, "ai.onnx") == 0)
        domain = "";
    for (int i = 0; i < OCT_OP_COUNT; i++) {
        if (facts[i].domain && strcmp(facts[i].name, op_type) == 0 && strcmp(facts[i].domain, domain) == 0)
            return (oct_op)i;
    }
    return OCT_OP_COUNT;
}

octet_status oct_node_check_arity(const oct_node *n)
{
    const oct_facts *f = &facts[n->op];
    RETURN_IF(n->opset < f->since, OCTET_UNSUPPORTED,
              "%s (node '%s') of opset %d is not supported; Octet takes it from opset %d on", n->op_type,
              n->name, n->opset, f->since);
    RETURN_IF(n->input_count < f->min_in || (f->max_in >= 0 && n->input_count > f->max_in), OCTET_UNSUPPORTED,
              "%s (node '%s') has %d inputs; Octet takes %d to %d", n->op_type, n->name, n->input_count,
              f->min_in, f->max_in);
    RETURN_IF(n->output_count < f->min_out || (f->max_out >= 0 && n->output_count > f->max_out),
              OCTET_UNSUPPORTED, "%s (node '%s') has %d outputs; Octet gives %d to %d", n->op_type, n->name,
              n->output_count, f->min_out, f->max_out);
    RETURN_IF(f->min_in && n->inputs[0] == OCT_NO_VALUE, OCTET_CORRUPT_FILE,
              "%s (node '%s'): its first input is missing", n->op_type, n->name);
    RETURN_IF(n->output_count && n->outputs[0] == OCT_NO_VALUE, OCTET_CORRUPT_FILE,
              "%s (node '%s'): its first output is missing", n->op_type, n->name);
    return OCTET_OK;
}
