#include "reduce.h"
#include "dtype.h"
#include "reduce/reduce_args.clh"
#include "softmax/softmax_args.clh"

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
