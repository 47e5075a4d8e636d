/* Shapes of arithmetic and activations, element by element. */
#include "dtype.h"
#include "infer.h"
#include "sizes.h"

#include <string.h>

octet_status oct_infer_q_binary(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_require_input(c, 3));
    const oct_value *a = oct_infer_in(c, 0), *b = oct_infer_in(c, 3);
    RETURN_IF(a->dtype != b->dtype, OCTET_INVALID_ARGUMENT, "operands have dtypes %s and %s; they must agree",
              oct_dtype_name(a->dtype), oct_dtype_name(b->dtype));
    FORWARD(oct_infer_check_scales(c, a->dtype));
    int rank;
    int64_t dims[OCTET_MAX_RANK];
    FORWARD(oct_infer_broadcast(c, a, b, &rank, dims));
    oct_infer_out(c, 0, a->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_q_table(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_check_scales(c, oct_infer_in(c, 0)->dtype));
    return oct_infer_like(c, oct_infer_int8);
}

/* y = table[x], the table [256] or one for each channel of `axis`, made by a pass. */
octet_status oct_infer_table(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_int8));
    const oct_value *x = oct_infer_in(c, 0), *table = oct_infer_in(c, 1);
    int64_t elems, axis = oct_node_int(c->n, "axis", 1);
    bool fits = oct_shape_elems(table->dims, table->rank, &elems) &&
                (elems == 256 || (axis > 0 && axis < x->rank && elems == 256 * x->dims[axis]));
    RETURN_IF(!fits, OCTET_INTERNAL, "a table does not fit its operand; this is a defect in Octet");
    oct_infer_out(c, 0, table->dtype, x->rank, x->dims);
    return OCTET_OK;
}

/* Relu and Clip. */
octet_status oct_infer_activation(infer_ctx *c)
{
    static const octet_dtype computes[] = {OCTET_U8, OCTET_S8, OCTET_F32, OCTET_DTYPE_NONE};
    bool is_clip = c->n->op == OCT_OP_Clip;
    const oct_value *x = oct_infer_in(c, 0);
    int since = is_clip ? 12 : 14;
    FORWARD(oct_infer_require_dtype(c, 0, computes));
    RETURN_IF(x->dtype != OCTET_F32 && c->n->opset < since, OCTET_UNSUPPORTED,
              "8-bit %s needs opset %d; the model has %d", c->n->op_type, since, c->n->opset);
    for (int i = 1; is_clip && i < 3; i++) {
        const oct_value *bound = oct_infer_in(c, i);
        int64_t elems;
        RETURN_IF(bound && (bound->dtype != x->dtype || !oct_shape_elems(bound->dims, bound->rank, &elems) ||
                            elems != 1),
                  OCTET_INVALID_ARGUMENT, "bound '%s' must be one %s", bound->name, oct_dtype_name(x->dtype));
    }
    return oct_infer_like(c, computes);
}

static octet_status check_arithmetic(infer_ctx *c, int i)
{
    static const octet_dtype types[] = {OCTET_F32, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_dtype(c, i, types));
    RETURN_IF(oct_infer_in(c, i)->dtype != oct_infer_in(c, 0)->dtype, OCTET_INVALID_ARGUMENT,
              "inputs have different dtypes");
    return OCTET_OK;
}

octet_status oct_infer_variadic(infer_ctx *c)
{
    oct_value sofar = *oct_infer_in(c, 0);
    FORWARD(check_arithmetic(c, 0));
    for (int i = 1; i < c->n->input_count; i++) {
        int rank;
        int64_t dims[OCTET_MAX_RANK];
        FORWARD(check_arithmetic(c, i));
        FORWARD(oct_infer_broadcast(c, &sofar, oct_infer_in(c, i), &rank, dims));
        sofar.rank = rank;
        memcpy(sofar.dims, dims, (size_t)rank * sizeof *dims);
    }
    oct_infer_out(c, 0, sofar.dtype, sofar.rank, sofar.dims);
    return OCTET_OK;
}

octet_status oct_infer_binary(infer_ctx *c)
{
    FORWARD(oct_infer_require_input(c, 1));
    for (int i = 0; i < 2 && (c->n->op == OCT_OP_Pow || c->n->op == OCT_OP_PRelu); i++)
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
    return oct_infer_variadic(c);
}
