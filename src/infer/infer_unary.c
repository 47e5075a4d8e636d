/* Shapes of float functions of one element. */
#include "infer.h"

octet_status oct_infer_unary(infer_ctx *c)
{
    return oct_infer_like(c, oct_infer_f32);
}
