/* Shapes of conversions between floats and integers. */
#include "infer.h"
#include "sizes.h"

/* Scale (input 1) and zero point (input 2): one, or one per element of `axis`. */
static octet_status check_axis_quant(infer_ctx *c, octet_dtype zero_dtype)
{
    const oct_value *x = oct_infer_in(c, 0), *scale = oct_infer_in(c, 1), *zero = oct_infer_in(c, 2);
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_f32));
    RETURN_IF(oct_node_int(c->n, "block_size", 0) != 0, OCTET_UNSUPPORTED,
              "blocked quantization is not supported");
    RETURN_IF(scale->rank > 1, OCTET_UNSUPPORTED, "a scale of rank %d is not supported", scale->rank);
    int64_t elems = scale->rank ? scale->dims[0] : 1, axis, channels = 1;
    if (elems != 1) {
        RETURN_IF(c->n->opset < 13, OCTET_INVALID_ARGUMENT,
                  "a scale per axis needs opset 13; the model has %d", c->n->opset);
        FORWARD(oct_infer_axis(c, 1, x->rank, &axis));
        channels = x->dims[axis];
    }
    FORWARD(oct_infer_check_quant(c, 1, zero ? 2 : -1, zero_dtype, channels));
    int64_t zeros;
    RETURN_IF(zero && (!oct_shape_elems(zero->dims, zero->rank, &zeros) || zeros != elems),
              OCTET_INVALID_ARGUMENT, "scale and zero point must have the same number of elements");
    return OCTET_OK;
}

octet_status oct_infer_quantize(infer_ctx *c)
{
    static const octet_dtype from[] = {OCTET_F32, OCTET_S32, OCTET_DTYPE_NONE};
    static const octet_dtype to[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16, OCTET_DTYPE_NONE};
    static const octet_dtype by_onnx[] = {[2] = OCTET_U8, [3] = OCTET_S8, [4] = OCTET_U16, [5] = OCTET_S16};
    FORWARD(oct_infer_require_dtype(c, 0, from));
    FORWARD(oct_infer_require_input(c, 1));
    octet_dtype out = OCTET_U8;
    int64_t declared = oct_node_int(c->n, "output_dtype", 0);
    if (oct_infer_in(c, 2)) {
        FORWARD(oct_infer_require_dtype(c, 2, to));
        out = oct_infer_in(c, 2)->dtype;
    } else if (declared) {
        RETURN_IF(declared < 2 || declared > 5, OCTET_UNSUPPORTED, "output_dtype %lld is not supported",
                  (long long)declared);
        out = by_onnx[declared];
    }
    FORWARD(check_axis_quant(c, out));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, out, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_dequantize(infer_ctx *c)
{
    static const octet_dtype from[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_dtype(c, 0, from));
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(check_axis_quant(c, oct_infer_in(c, 0)->dtype));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_dynamic_quantize(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    const oct_value *x = oct_infer_in(c, 0);
    int64_t elems;
    RETURN_IF(!oct_shape_elems(x->dims, x->rank, &elems) || elems == 0, OCTET_UNSUPPORTED,
              "an empty tensor has no range to quantize by");
    oct_infer_out(c, 0, OCTET_U8, x->rank, x->dims);
    oct_infer_out(c, 1, OCTET_F32, 0, NULL);
    oct_infer_out(c, 2, OCTET_U8, 0, NULL);
    return OCTET_OK;
}
