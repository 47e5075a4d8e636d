/* Shapes of Softmax, LogSoftmax and QLinearSoftmax. */
#include "infer.h"

octet_status oct_infer_softmax(infer_ctx *c)
{
    return oct_infer_like(c, oct_infer_f32);
}

octet_status oct_infer_q_softmax(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_check_scales(c, oct_infer_in(c, 0)->dtype));
    return oct_infer_like(c, oct_infer_int8);
}
