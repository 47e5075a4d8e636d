/* Shapes of Resize. */
#include "dtype.h"
#include "infer.h"
#include "resize.h"

#include <string.h>

octet_status oct_infer_resize(infer_ctx *c)
{
    oct_resize r;
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_resize_resolve(c->g, c->n, &r));
    RETURN_IF(c->n->op == OCT_OP_Resize && r.linear && x->dtype != OCTET_F32, OCTET_UNSUPPORTED,
              "linear resizing of %s is not supported; use f32, or QDQ", oct_dtype_name(x->dtype));
    int64_t dims[OCTET_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < r.spatial; i++)
        dims[(c->n->channels_last ? 1 : 2) + i] = r.out[i + 2 - r.spatial];
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}
