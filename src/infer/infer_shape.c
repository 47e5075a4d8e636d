/* What the host alone computes: shapes, ranges, constants. */
#include "dtype.h"
#include "infer.h"
#include "moves.h"
#include "sizes.h"

#include <string.h>

/* Constants have become values with data when the graph was built (oct_graph_fold_constants). */
octet_status oct_infer_constant(infer_ctx *c)
{
    (void)c;
    return oct_fail(OCTET_INTERNAL, "a Constant node was not folded; this is a defect in Octet");
}

/* Shape and Size. */
octet_status oct_infer_shape(infer_ctx *c)
{
    int64_t from = 0, to = 0, dim;
    FORWARD(oct_infer_require_input(c, 0));
    oct_shape_range(c->n, oct_infer_in(c, 0)->rank, &from, &to);
    dim = to - from;
    oct_infer_out(c, 0, OCTET_S64, c->n->op == OCT_OP_Shape, &dim);
    return OCTET_OK;
}

/* More would be a tensor for the device to make. */
#define MOST_MADE ((int64_t)1 << 16)

octet_status oct_infer_range(infer_ctx *c)
{
    int64_t ints[3], count;
    double numbers[3];
    for (int i = 0; i < 3; i++) {
        const oct_value *v = oct_infer_in(c, i);
        int one;
        float f;
        FORWARD(oct_infer_require_input(c, i));
        RETURN_IF(v->dtype != oct_infer_in(c, 0)->dtype, OCTET_INVALID_ARGUMENT,
                  "inputs have different dtypes");
        if (v->dtype == OCTET_F32 && v->data && v->data_bytes == sizeof f) {
            memcpy(&f, v->data, sizeof f);
            numbers[i] = (double)f;
            continue;
        }
        FORWARD(oct_infer_const_ints(c, i, &ints[i], 1, &one));
        RETURN_IF(one != 1, OCTET_INVALID_ARGUMENT, "input %d ('%s') must be one number", i, v->name);
        numbers[i] = (double)ints[i];
    }
    double steps = (numbers[1] - numbers[0]) / numbers[2];
    RETURN_IF(!(steps <= (double)MOST_MADE), OCTET_UNSUPPORTED, "from %g to %g by %g: at most %lld numbers",
              numbers[0], numbers[1], numbers[2], (long long)MOST_MADE);
    for (count = 0; (double)count < steps; count++) {
    }
    oct_infer_out(c, 0, oct_infer_in(c, 0)->dtype, 1, &count);
    return OCTET_OK;
}

octet_status oct_infer_constant_of_shape(infer_ctx *c)
{
    const oct_attr *value = oct_node_attr(c->n, "value");
    int64_t dims[OCTET_MAX_RANK], elems;
    int rank;
    FORWARD(oct_infer_require_input(c, 0));
    FORWARD(oct_infer_const_ints(c, 0, dims, OCTET_MAX_RANK, &rank));
    RETURN_IF(!oct_shape_elems(dims, rank, &elems) || elems > MOST_MADE, OCTET_UNSUPPORTED,
              "at most %lld elements are supported", (long long)MOST_MADE);
    RETURN_IF(value &&
                  (!value->tensor->data || value->tensor->data_bytes < oct_dtype_bytes(value->tensor->dtype)),
              OCTET_CORRUPT_FILE, "attribute value must be a tensor of one element");
    oct_infer_out(c, 0, value ? value->tensor->dtype : OCTET_F32, rank, dims);
    return OCTET_OK;
}
