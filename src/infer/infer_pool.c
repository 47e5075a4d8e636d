/* Shapes of pools. */
#include "infer.h"
#include "op_facts.h"
#include "window.h"

/* Averages are of floats or, with scales, of `quantized`; the largest can be chosen of all. */
static octet_status require_data(const infer_ctx *c, const octet_dtype *quantized)
{
    static const octet_dtype ordered[] = {OCTET_U8,  OCTET_S8,  OCTET_U16,
                                          OCTET_S16, OCTET_F32, OCTET_DTYPE_NONE};
    oct_result_kind kind = oct_op_facts(c->n->op)->result_kind;
    return oct_infer_require_dtype(c, 0,
                                   kind == OCT_RESULT_GIVEN  ? quantized
                                   : kind == OCT_RESULT_LIKE ? ordered
                                                             : oct_infer_f32);
}

octet_status oct_infer_pool(infer_ctx *c)
{
    FORWARD(require_data(c, oct_infer_int8));
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_spatial(c));
    RETURN_IF(c->n->op == OCT_OP_MaxPool && x->dtype != OCTET_F32 && c->n->opset < 12, OCTET_UNSUPPORTED,
              "8-bit MaxPool needs opset 12; the model has %d", c->n->opset);
    RETURN_IF(oct_node_int(c->n, "storage_order", 0) != 0, OCTET_UNSUPPORTED,
              "storage_order 1 is not supported");
    infer_ctx view = *c;
    oct_node as_file = *c->n;
    /* QLinearAveragePool's own channels_last attribute says how the file's tensor lies. */
    as_file.channels_last = c->n->channels_last || oct_node_int(c->n, "channels_last", 0) != 0;
    view.n = &as_file;
    oct_window win;
    FORWARD(oct_window_resolve(&as_file, x, NULL, true, &win));
    FORWARD(oct_infer_check_scales(c, x->dtype));
    oct_infer_spatial_out(&view, x->dtype, x, x->dims[oct_infer_channel_axis(&view, x)], &win);
    return OCTET_OK;
}

octet_status oct_infer_global_pool(infer_ctx *c)
{
    FORWARD(require_data(c, oct_infer_int16));
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_spatial(c));
    FORWARD(oct_infer_check_scales(c, x->dtype));
    int64_t dims[OCTET_MAX_RANK];
    bool last = c->n->channels_last || oct_node_int(c->n, "channels_last", 0) != 0;
    for (int i = 0; i < x->rank; i++)
        dims[i] = i == 0 || i == (last ? x->rank - 1 : 1) ? x->dims[i] : 1;
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}
