#include "softmax.h"
#include "quant.h"
#include "sizes.h"
#include "softmax/softmax_args.clh"

#include <string.h>

octet_status oct_qsoftmax(oct_recipe *r, const oct_caps *caps, const oct_qsoftmax_request *q)
{
    float scale, table[256];
    RETURN_IF(!q->x_q.host_scale, OCTET_UNSUPPORTED, "the input's scale must be a constant");
    memcpy(&scale, q->x_q.host_scale, sizeof scale);
    oct_softmax_table(scale, q->axis, table);
    oct_mem exponentials = oct_recipe_const_copy(r, table, sizeof table);
    const int64_t rows_of_item = caps->info.type == OCTET_DEVICE_CPU ? 4 : 1, rows = q->outer * q->inner;
    oct_launch *l = oct_recipe_launch(r, "softmax/qsoftmax.cl", "qsoftmax", "%s -DROWS=%d%s",
                                      q->x.dtype == OCTET_S8 ? "-DT=char -DT_MIN=-128 -DT_MAX=127"
                                                             : "-DT=uchar -DT_MIN=0 -DT_MAX=255",
                                      (int)rows_of_item, q->inner == 1 ? " -DINNER=1" : "");
    OCT_ARGS(l, qsoftmax, .x = oct_whole(q->x.mem), .exponentials = oct_whole(exponentials),
             .y_scale = oct_whole(q->y_q.scale), .y_zero = oct_whole(q->y_q.zero), .y = oct_whole(q->y.mem),
             .rows = rows, .axis = q->axis, .inner = q->inner, .y_zeros = q->y_q.zero_count);
    oct_launch_1d(l, q->axis ? oct_ceil_div((size_t)rows, (size_t)rows_of_item) : 0, 0);
    return r->status;
}

octet_status oct_softmax(oct_recipe *r, const oct_caps *caps, bool logarithm, oct_mem x, int64_t outer,
                         int64_t axis, int64_t inner, oct_mem y)
{
    (void)caps;
    oct_launch *l = oct_recipe_launch(r, "softmax/softmax.cl", "softmax", "%s", "");
    OCT_ARGS(l, softmax, .x = oct_whole(x), .y = oct_whole(y), .axis = axis, .inner = inner,
             .logarithm = logarithm);
    oct_launch_2d(l, (size_t)inner, (size_t)outer, 0, 0);
    return r->status;
}
