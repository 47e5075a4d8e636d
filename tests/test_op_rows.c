/* The rows of op_table.def: do their columns agree with each other, and what is said of scales with what ONNX
 * and com.microsoft define? */
#include "correspond.h"
#include "op_facts.h"
#include "rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL_ROWS(op) for (oct_op op = (oct_op)0; op < OCT_OP_COUNT; op = (oct_op)(op + 1))
#define EXPECT(row, what)                                                                                    \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            fail_msg("%s: %s", (row)->name, #what);                                                          \
    } while (0)

static bool is_input(const oct_facts *f, int i)
{
    return i >= 0 && (f->max_in < 0 || i < f->max_in);
}

/* Inputs that a row names exist, in order, and no two columns mean the same one. */
static void positions(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        unsigned seen = 0;
        int at[3 * OCT_MOST_OPERANDS + 3], count = 0;
        EXPECT(f, f->operand_count <= OCT_MOST_OPERANDS && f->since >= 1 && f->min_out <= 3);
        EXPECT(f, f->max_in < 0 || f->min_in <= f->max_in);
        EXPECT(f, f->step == 0 || f->max_in < 0);
        for (int k = 0; k < f->operand_count; k++) {
            EXPECT(f, is_input(f, f->operands[k].value) && f->operands[k].value >= 0);
            EXPECT(f, oct_op_is_data(op, f->operands[k].value));
            EXPECT(f, k == 0 || f->operands[k].value > f->operands[k - 1].value);
            at[count++] = f->operands[k].value;
            at[count++] = f->operands[k].scale;
            at[count++] = f->operands[k].zero;
        }
        at[count++] = f->result.scale;
        at[count++] = f->result.zero;
        at[count++] = f->bias;
        for (int i = 0; i < count; i++) {
            if (at[i] < 0)
                continue;
            EXPECT(f, is_input(f, at[i]) && !(seen >> at[i] & 1));
            EXPECT(f, i % 3 == 0 || i >= 3 * f->operand_count || !oct_op_is_data(op, at[i]));
            seen |= 1u << at[i];
        }
    }
}

/* What one column says follows from what another does. */
static void columns_agree(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        bool given = f->result_kind == OCT_RESULT_GIVEN, like = f->result.value >= 0;
        EXPECT(f, given == (f->result.scale >= 0) && given == (f->result.zero >= 0));
        EXPECT(f, like == (f->result_kind == OCT_RESULT_LIKE || f->result_kind == OCT_RESULT_SAME));
        EXPECT(f, !like || oct_op_is_data(op, f->result.value));
        EXPECT(f, f->weights == OCT_WEIGHTS_NONE ? f->bias < 0 : f->operand_count == 2);
        EXPECT(f, f->clamp != OCT_CLAMP_TAKES || given);
        EXPECT(f, f->clamp != OCT_CLAMP_IS || (f->pointwise != OCT_POINTWISE_NO && like));
        EXPECT(f, f->pointwise == OCT_POINTWISE_NO || f->layout != OCT_LAYOUT_PLAIN);
        EXPECT(f, f->place != OCT_PLACE_POINTWISE || f->pointwise != OCT_POINTWISE_NO);
        EXPECT(f, f->place != OCT_PLACE_PRODUCT || f->weights != OCT_WEIGHTS_NONE);
        EXPECT(f, f->place != OCT_PLACE_SAME || (like && f->sinks != OCT_SINKS_NO));
        EXPECT(f,
               (f->place != OCT_PLACE_INTEGER && f->place != OCT_PLACE_PRODUCT) || f->twin != OCT_OP_COUNT);
        EXPECT(f, f->sinks == OCT_SINKS_NO || f->sinks == OCT_SINKS_INDEX || like);
        EXPECT(f, f->sinks != OCT_SINKS_ALL || f->step == 1);
        EXPECT(f, f->sinks != OCT_SINKS_NO || f->sinks_reach == OCT_REACH_OURS);
    }
}

/* Attributes that other columns and passes count on are listed, each list is in order, and what passes alone
 * make has in no file any. */
static void attributes(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        EXPECT(f, f->attrs);
        for (const oct_attr_row *a = f->attrs; a->name; a++) {
            EXPECT(f, *a->name && oct_op_attr(op, a->name) == a);
            EXPECT(f, a == f->attrs || strcmp(a[-1].name, a->name) < 0);
        }
        const oct_attr_row *axis = oct_op_attr(op, "axis"), *trans = oct_op_attr(op, "transB");
        EXPECT(f, f->layout != OCT_LAYOUT_AXIS || (axis && axis->kind == OCT_ATTR_INT));
        EXPECT(f, f->weights != OCT_WEIGHTS_TRANS_B || (trans && trans->kind == OCT_ATTR_INT));
        EXPECT(f, !oct_op_attr(op, "") && !oct_op_attr(op, "no_such_attribute"));
    }
}

/* The integer form of a float operator has its operands, with a scale for each that it has no other use for,
 * and a result of its own scale; a file can hold it where the row says so. */
static void twins(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op), *t = f->twin == OCT_OP_COUNT ? NULL : oct_op_facts(f->twin);
        if (!t)
            continue;
        EXPECT(f, f->result_kind != OCT_RESULT_GIVEN && t->result_kind == OCT_RESULT_GIVEN);
        EXPECT(f, f->operand_count == t->operand_count && (f->step != 0) == (t->step != 0));
        EXPECT(f, f->weights == t->weights || op == OCT_OP_ConvTranspose);
        EXPECT(f, (f->bias < 0) == (t->bias < 0));
        EXPECT(f, f->twin_reach == OCT_REACH_OURS || t->domain);
        bool scaled = false;
        for (int k = 0; k < t->operand_count; k++)
            scaled = scaled || (t->operands[k].scale >= 0 && t->operands[k].zero >= 0);
        EXPECT(f, scaled);
    }
}

static bool side_by_side(oct_at at)
{
    return at.scale < 0 || (at.scale == at.value + 1 && at.zero == at.scale + 1);
}

/* ONNX and com.microsoft list the inputs of all quantized operators alike: value, scale, zero point; the
 * result's scale and zero point behind the operands, or in front of those that have no end. A bias is all
 * that is left: the last, but for QGemm's. */
static void inputs_in_order(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        if (!f->domain || f->result_kind != OCT_RESULT_GIVEN)
            continue;
        int named = f->bias >= 0 ? 3 : 2;
        EXPECT(f, f->result.zero == f->result.scale + 1);
        EXPECT(f, f->bias < 0 || f->bias == (op == OCT_OP_QGemm ? 6 : f->max_in - 1));
        for (int k = 0; k < f->operand_count; k++) {
            const oct_at at = f->operands[k];
            EXPECT(f, side_by_side(at));
            EXPECT(f, f->step ? f->result.zero < at.value
                              : f->result.scale > at.value && f->result.scale > at.zero);
            named += at.scale >= 0 ? 3 : 1;
        }
        EXPECT(f, f->step ? f->step == 3 && named == 5 : named == f->max_in);
    }
}

/* A node whose input i is the float i + 1, its zero points the byte i. */
static void one_node(oct_graph *g, oct_op op, int inputs, int zero)
{
    *g = (oct_graph){0};
    for (int i = 0; i < inputs; i++) {
        float scale = (float)(i + 1);
        unsigned char byte = (unsigned char)i;
        assert_int_equal(i == zero ? oct_add_const(g, OCTET_U8, 0, NULL, &byte)
                                   : oct_add_const(g, OCTET_F32, 0, NULL, &scale),
                         i);
    }
    int y = oct_add_like(g, "y", OCTET_U8, 0, NULL);
    oct_node *n = oct_graph_add_node(g, op, "n", inputs, 1);
    assert_true(y == inputs && n);
    for (int i = 0; i < inputs; i++)
        n->inputs[i] = i;
    n->outputs[0] = y;
    g->values[y].producer = 0;
}

/* What compare --layers shows of a result is read by these columns. */
static void scales_of_results(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        if (f->result_kind != OCT_RESULT_GIVEN)
            continue;
        oct_graph g;
        oct_shown *shown = NULL;
        int count = 0;
        one_node(&g, op, f->max_in < 0 ? 8 : f->max_in, f->result.zero);
        assert_int_equal(oct_shown_find(&g, &g, &shown, &count), OCTET_OK);
        EXPECT(f, count == 1);
        EXPECT(f, shown[0].scale == (float)(f->result.scale + 1) && shown[0].zero == f->result.zero);
        free(shown);
        oct_graph_free(&g);
    }
}

/* What Where chooses from are its second and third inputs, not the condition. */
static void where_chooses(void **state)
{
    (void)state;
    oct_graph g = {0};
    const float scales[2] = {0.5f, 0.25f};
    const unsigned char zero = 7;
    int made[2], at = oct_graph_add_value(&g, "x"), z = oct_add_const(&g, OCTET_U8, 0, NULL, &zero);
    g.values[at].dtype = OCTET_F32;
    g.values[at].rank = 0;
    for (int i = 0; i < 2; i++) {
        int s = oct_add_const(&g, OCTET_F32, 0, NULL, &scales[i]);
        made[i] = oct_add_like(&g, i ? "b" : "a", OCTET_U8, 0, NULL);
        oct_node *q = oct_graph_add_node(&g, OCT_OP_QuantizeLinear, "q", 3, 1);
        q->inputs[0] = at;
        q->inputs[1] = s;
        q->inputs[2] = z;
        q->outputs[0] = made[i];
    }
    int c = oct_add_like(&g, "c", OCTET_BOOL, 0, NULL), y = oct_add_like(&g, "y", OCTET_U8, 0, NULL);
    oct_node *equal = oct_graph_add_node(&g, OCT_OP_Equal, "equal", 2, 1);
    equal->inputs[0] = equal->inputs[1] = made[0];
    equal->outputs[0] = c;
    oct_node *where = oct_graph_add_node(&g, OCT_OP_Where, "where", 3, 1);
    where->inputs[0] = c;
    where->inputs[1] = where->inputs[2] = made[1];
    where->outputs[0] = y;
    for (int i = 0; i < g.node_count; i++)
        g.values[g.nodes[i].outputs[0]].producer = i;
    oct_shown *shown = NULL;
    int count = 0;
    assert_int_equal(oct_shown_find(&g, &g, &shown, &count), OCTET_OK);
    bool found = false;
    for (int i = 0; i < count; i++) {
        if (shown[i].value != y)
            continue;
        found = true;
        assert_true(shown[i].scale == scales[1]);
    }
    assert_true(found);
    free(shown);
    oct_graph_free(&g);
}

/* Operands that come again and again, and what of them a node has. */
static void operands(void **state)
{
    (void)state;
    oct_at at = oct_op_operand(OCT_OP_QLinearConcat, 100);
    assert_true(at.value == 302 && at.scale == 303 && at.zero == 304);
    assert_true(oct_op_is_data(OCT_OP_QLinearConcat, 302) && !oct_op_is_data(OCT_OP_QLinearConcat, 303));
    assert_true(!oct_op_is_data(OCT_OP_QLinearConcat, 0) && oct_op_is_data(OCT_OP_Max, 77));
    assert_true(oct_op_is_data(OCT_OP_QLinearAdd, 3) && !oct_op_is_data(OCT_OP_QLinearAdd, 6));
    oct_node n = {.op = OCT_OP_QLinearConcat, .input_count = 8};
    assert_int_equal(oct_node_operands(&n), 2);
    n = (oct_node){.op = OCT_OP_Concat, .input_count = 3};
    assert_int_equal(oct_node_operands(&n), 3);
    n = (oct_node){.op = OCT_OP_Resize, .input_count = 4};
    assert_int_equal(oct_node_operands(&n), 1);
    n = (oct_node){.op = OCT_OP_QLinearMatMul, .input_count = 8};
    assert_int_equal(oct_node_operands(&n), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions),       cmocka_unit_test(columns_agree),
        cmocka_unit_test(attributes),      cmocka_unit_test(twins),
        cmocka_unit_test(inputs_in_order), cmocka_unit_test(scales_of_results),
        cmocka_unit_test(where_chooses),   cmocka_unit_test(operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
