/* Arithmetic, tables and activations, element by element. */
#include "dtype.h"
#include "lower.h"
#include "move.h"
#include "pointwise.h"
#include "quant.h"
#include "unary.h"

#include <math.h>
#include <string.h>

octet_status oct_lower_q_binary(lowering *l, const oct_node *n)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand c = oct_lower_output(l, n, 0);
    oct_qbinary_request q = {.kind = n->op == OCT_OP_QLinearMul   ? OCT_QBINARY_MUL
                                     : n->op == OCT_OP_QLinearSub ? OCT_QBINARY_SUB
                                                                  : OCT_QBINARY_ADD,
                             .swapped = n->swapped,
                             .a = oct_lower_input(l, n, f->operands[0].value),
                             .b = oct_lower_input(l, n, f->operands[1].value),
                             .c = c,
                             .a_q = oct_lower_quant(l, n, f->operands[0], c.dtype),
                             .b_q = oct_lower_quant(l, n, f->operands[1], c.dtype),
                             .c_q = oct_lower_quant(l, n, f->result, c.dtype)};
    oct_lower_clamp(&n->clamp, c.dtype, &q.clamp_min, &q.clamp_max);
    return oct_qbinary(l->r, l->caps, &q);
}

/* A constant's first element. */
static int32_t first_zero(const oct_quant *q)
{
    const unsigned char *byte = q->host_zero;
    return !byte ? 0 : q->zero_dtype == OCTET_S8 ? (int32_t)(signed char)*byte : (int32_t)*byte;
}

static octet_status table_params(const oct_quant *x, const oct_quant *y, oct_lut_params *p)
{
    bool known = x->host_scale && y->host_scale && (!x->zero_count || x->host_zero) &&
                 (!y->zero_count || y->host_zero);
    RETURN_IF(!known, OCTET_UNSUPPORTED,
              "scales and zero points must be constants: the host makes a table of them");
    *p = (oct_lut_params){
        .x_dtype = x->zero_dtype, .y_dtype = y->zero_dtype, .x_zero = first_zero(x), .y_zero = first_zero(y)};
    memcpy(&p->x_scale, x->host_scale, sizeof p->x_scale);
    memcpy(&p->y_scale, y->host_scale, sizeof p->y_scale);
    return OCTET_OK;
}

octet_status oct_lower_q_table(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_quant x_q = oct_lower_quant(l, n, oct_op_facts(n->op)->operands[0], x.dtype),
              y_q = oct_lower_quant(l, n, oct_op_facts(n->op)->result, y.dtype);
    oct_lut_params p;
    uint8_t table[256];
    FORWARD(table_params(&x_q, &y_q, &p));
    if (n->op == OCT_OP_QLinearSigmoid)
        oct_lut_sigmoid(&p, table);
    else
        oct_lut_leaky_relu(&p, oct_node_float(n, "alpha", 0.01f), table);
    return oct_table_op(l->r, l->caps, &x, &y, table);
}

octet_status oct_lower_table(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), table = oct_lower_input(l, n, 1), y = oct_lower_output(l, n, 0);
    return oct_lookup(l->r, l->caps, &x, &table, oct_lower_axis(oct_node_int(n, "axis", 1), x.rank), &y);
}

/* A clamp of raw 8-bit values, as a table. */
static octet_status clamp8(lowering *l, const oct_operand *x, const oct_operand *y, int32_t lo, int32_t hi)
{
    uint8_t table[256];
    for (int i = 0; i < 256; i++) {
        int32_t v = x->dtype == OCTET_S8 ? (int32_t)(signed char)i : i;
        v = v < lo ? lo : v;
        table[i] = (uint8_t)(v > hi ? hi : v);
    }
    return oct_table_op(l->r, l->caps, x, y, table);
}

octet_status oct_lower_relu(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    if (x.dtype == OCTET_F32)
        return oct_float_unary(l->r, l->caps, "Clip", &x, 0.0f, INFINITY, &y);
    return clamp8(l, &x, &y, 0, oct_dtype_max(x.dtype));
}

/* A bound of Clip (the reader has turned the attributes of old operator sets into inputs). */
static octet_status bound(const lowering *l, const oct_node *n, int i, double otherwise, double *out)
{
    *out = otherwise;
    if (!oct_lower_has_input(n, i))
        return OCTET_OK;
    oct_operand t = oct_lower_input(l, n, i);
    RETURN_IF(!t.host, OCTET_UNSUPPORTED, "its bounds must be constants");
    float f;
    if (t.dtype == OCTET_F32) {
        memcpy(&f, t.host, sizeof f);
        *out = f;
    } else {
        *out = t.dtype == OCTET_S8 ? *(const signed char *)t.host : *(const unsigned char *)t.host;
    }
    return OCTET_OK;
}

octet_status oct_lower_clip(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool is_float = x.dtype == OCTET_F32;
    double lo, hi;
    FORWARD(bound(l, n, 1, is_float ? -INFINITY : oct_dtype_min(x.dtype), &lo));
    FORWARD(bound(l, n, 2, is_float ? INFINITY : oct_dtype_max(x.dtype), &hi));
    if (is_float)
        return oct_float_unary(l->r, l->caps, "Clip", &x, (float)lo, (float)hi, &y);
    return clamp8(l, &x, &y, (int32_t)lo, (int32_t)hi);
}

static oct_float_op float_op(oct_op op)
{
    switch (op) {
    case OCT_OP_Add:
        return OCT_FLOAT_ADD;
    case OCT_OP_Sub:
        return OCT_FLOAT_SUB;
    case OCT_OP_Mul:
        return OCT_FLOAT_MUL;
    case OCT_OP_Div:
        return OCT_FLOAT_DIV;
    case OCT_OP_Min:
        return OCT_FLOAT_MIN;
    case OCT_OP_Pow:
        return OCT_FLOAT_POW;
    case OCT_OP_PRelu:
        return OCT_FLOAT_PRELU;
    default:
        return OCT_FLOAT_MAX;
    }
}

octet_status oct_lower_binary(lowering *l, const oct_node *n)
{
    oct_operand a = oct_lower_input(l, n, 0), b = oct_lower_input(l, n, 1), y = oct_lower_output(l, n, 0);
    return oct_float_binary(l->r, l->caps, float_op(n->op), &a, &b, &y);
}

/* A fold from the left; each step has the output's full shape. */
octet_status oct_lower_variadic(lowering *l, const oct_node *n)
{
    oct_operand sofar = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    if (n->input_count == 1)
        return oct_copy(l->r, l->caps, &sofar, &y);
    for (int i = 1; i < n->input_count; i++) {
        oct_operand b = oct_lower_input(l, n, i), to = y;
        if (i + 1 < n->input_count)
            to.mem = oct_recipe_temp(l->r, (size_t)oct_operand_elems(&y) * 4);
        FORWARD(oct_float_binary(l->r, l->caps, float_op(n->op), &sofar, &b, &to));
        sofar = to;
    }
    return OCTET_OK;
}
