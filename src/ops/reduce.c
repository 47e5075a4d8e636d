#include "reduce.h"
#include "dtype.h"
#include "quant.h"
#include "reduce/reduce_args.clh"
#include "sizes.h"
#include "work_items.h"

#include <stdio.h>

octet_status oct_reduce(oct_recipe *r, const oct_caps *caps, oct_combine combine, oct_before before,
                        oct_after after, float scale, oct_mem x, int64_t outer, int64_t axis, int64_t inner,
                        oct_mem y)
{
    (void)caps;
    oct_launch *l = oct_recipe_launch(r, "reduce/reduce.cl", "reduce", "-DCOMBINE=%d -DBEFORE=%d -DAFTER=%d",
                                      (int)combine, (int)before, (int)after);
    OCT_ARGS(l, reduce, .x = oct_whole(x), .y = oct_whole(y), .axis = axis, .inner = inner, .scale = scale);
    oct_launch_2d(l, (size_t)inner, (size_t)outer, 0, 0);
    return r->status;
}

octet_status oct_arg_best(oct_recipe *r, const oct_caps *caps, bool largest, bool last, const oct_operand *x,
                          int64_t outer, int64_t axis, int64_t inner, oct_mem y)
{
    (void)caps;
    RETURN_IF(x->dtype != OCTET_F32 && !oct_dtype_is_int8(x->dtype), OCTET_UNSUPPORTED, "%s is not supported",
              oct_dtype_name(x->dtype));
    oct_launch *l = oct_recipe_launch(r, "reduce/reduce.cl", "arg_best", "-DT=%s", oct_dtype_cl(x->dtype));
    OCT_ARGS(l, arg_best, .x = oct_whole(x->mem), .y = oct_whole(y), .axis = axis, .inner = inner,
             .largest = largest, .last = last);
    oct_launch_2d(l, (size_t)inner, (size_t)outer, 0, 0);
    return r->status;
}

/* One launch: a run of neighbouring reduced axes. */
typedef struct run {
    oct_mem x, y;
    octet_dtype x_dtype, y_dtype;
    int64_t outer, axis, inner;
    bool first, last;
} run;

static octet_status launch(oct_recipe *r, const oct_caps *caps, const oct_q_reduce_request *q, const run *n,
                           int64_t total)
{
    bool sum = q->combine == OCT_COMBINE_SUM, quantize = sum && n->last, rows = n->inner == 1;
    char bounds[64] = "";
    if (quantize)
        snprintf(bounds, sizeof bounds, " -DQUANTIZE -DOUT_MIN=%d -DOUT_MAX=%d", oct_dtype_min(n->y_dtype),
                 oct_dtype_max(n->y_dtype));
    oct_launch *l = oct_recipe_launch(r, "reduce/qreduce.cl", rows ? "reduce_rows" : "reduce_columns",
                                      "-DT=%s -DOUT=%s -DCOMBINE=%d%s", oct_dtype_cl(n->x_dtype),
                                      oct_dtype_cl(n->y_dtype), (int)q->combine, bounds);
    bool zero = sum && n->first && q->x_q.zero_count;
    int64_t rows_of_item = rows ? 16 : oct_item_chunk(caps) / (16 * n->axis) + 1;
    OCT_ARGS(l, qreduce, .x = oct_whole(n->x), .y = oct_whole(n->y),
             .x_scale = oct_whole(quantize ? q->x_q.scale : OCT_MEM_NONE),
             .x_zero = oct_whole(zero ? q->x_q.zero : OCT_MEM_NONE),
             .y_scale = oct_whole(quantize ? q->y_q.scale : OCT_MEM_NONE),
             .y_zero = oct_whole(quantize ? q->y_q.zero : OCT_MEM_NONE), .x_zeros = zero,
             .y_zeros = quantize && q->y_q.zero_count, .divisor = q->mean ? (float)total : 1.0f,
             .outer = n->outer, .rows_of_item = rows_of_item, .axis = n->axis, .inner = n->inner);
    size_t down = oct_ceil_div((size_t)n->outer, (size_t)rows_of_item);
    if (rows)
        oct_launch_1d(l, down, 0);
    else
        oct_launch_2d(l, oct_ceil_div((size_t)n->inner, 16), down, 0, 0);
    return r->status;
}

octet_status oct_q_reduce(oct_recipe *r, const oct_caps *caps, const oct_q_reduce_request *q)
{
    int64_t elems = oct_operand_elems(&q->x), results = oct_operand_elems(&q->y);
    if (elems == 0)
        return r->status;
    const int64_t total = elems / results;
    int64_t left = total, inner = 1; /* left: elements still to be combined into one */
    bool sum = q->combine == OCT_COMBINE_SUM;
    RETURN_IF(sum && total > oct_sum_most(q->x.dtype), OCTET_UNSUPPORTED,
              "a sum of %lld elements is more than int32 holds exactly", (long long)total);
    run n = {.x = q->x.mem, .x_dtype = q->x.dtype, .first = true};
    /* From the last axis to the first; a reduction over no axis ends as one over a single element each. */
    for (int i = q->x.rank;;) {
        if (i > 0 && !q->reduced[i - 1]) {
            inner *= q->x.dims[--i];
            continue;
        }
        n.axis = 1;
        while (i > 0 && q->reduced[i - 1])
            n.axis *= q->x.dims[--i];
        left /= n.axis;
        n.inner = inner;
        n.last = left == 1;
        n.outer = (elems /= n.axis) / inner;
        n.y_dtype = n.last || !sum ? q->y.dtype : OCTET_S32;
        n.y = n.last ? q->y.mem : oct_recipe_temp(r, (size_t)elems * oct_dtype_bytes(n.y_dtype));
        FORWARD(launch(r, caps, q, &n, total));
        if (n.last)
            return r->status;
        n = (run){.x = n.y, .x_dtype = n.y_dtype};
    }
}
