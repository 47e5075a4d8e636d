#include "normalize.h"
#include "normalize/normalize_args.clh"
#include "sizes.h"
#include "work_items.h"

octet_status oct_normalize(oct_recipe *r, const oct_normalize_request *q)
{
    oct_launch *l = oct_recipe_launch(r, "normalize/normalize.cl", "normalize_rows", "%s", "");
    OCT_ARGS(l, normalize_rows, .x = oct_whole(q->x), .scale = oct_whole(q->scale),
             .bias = oct_whole(q->bias), .y = oct_whole(q->y), .mean = oct_whole(q->mean),
             .inverse = oct_whole(q->inverse), .length = q->length, .run = q->run, .scales = q->scales,
             .epsilon = q->epsilon, .has_bias = q->bias != OCT_MEM_NONE,
             .statistics = (q->mean != OCT_MEM_NONE) + 2 * (q->inverse != OCT_MEM_NONE));
    oct_launch_1d(l, (size_t)q->rows, 0);
    return r->status;
}

octet_status oct_lrn(oct_recipe *r, const oct_caps *caps, const oct_operand *x, int64_t size, float alpha,
                     float beta, float bias, const oct_operand *y)
{
    int64_t c = x->dims[x->rank - 1], pixels = c ? oct_operand_elems(x) / c : 0;
    int64_t per_item = c ? oct_item_chunk(caps) / c + 1 : 1;
    RETURN_IF(c > INT32_MAX / 4 || size < 1 || size > INT32_MAX / 4, OCTET_UNSUPPORTED,
              "%lld channels in windows of %lld are not supported", (long long)c, (long long)size);
    oct_launch *l = oct_recipe_launch(r, "normalize/normalize.cl", "lrn", "%s", "");
    OCT_ARGS(l, lrn, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .pixels = pixels, .per_item = per_item,
             .c = c, .before = (size - 1) / 2, .after = size / 2, .alpha_n = alpha / (float)size,
             .beta = beta, .bias = bias);
    oct_launch_1d(l, oct_ceil_div((size_t)pixels, (size_t)per_item), 0);
    return r->status;
}

octet_status oct_batch_norm(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                            const oct_mem parameters[4], float epsilon, const oct_operand *y)
{
    int64_t c = x->dims[x->rank - 1], pixels = c ? oct_operand_elems(x) / c : 0;
    int64_t per_item = c ? oct_item_chunk(caps) / c + 1 : 1;
    RETURN_IF(c > INT32_MAX, OCTET_UNSUPPORTED, "%lld channels are past 2^31", (long long)c);
    oct_mem st = oct_recipe_temp(r, (size_t)c * 2 * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "normalize/batch_norm.cl", "prepare", "%s", "");
    OCT_ARGS(l, batch_norm_prepare, .scale = oct_whole(parameters[0]), .b = oct_whole(parameters[1]),
             .mean = oct_whole(parameters[2]), .var = oct_whole(parameters[3]), .st = oct_whole(st), .c = c,
             .epsilon = epsilon);
    oct_launch_1d(l, (size_t)c, 0);
    l = oct_recipe_launch(r, "normalize/batch_norm.cl", "batch_norm", "%s", "");
    OCT_ARGS(l, batch_norm, .x = oct_whole(x->mem), .st = oct_whole(st), .y = oct_whole(y->mem),
             .pixels = pixels, .per_item = per_item, .c = c);
    oct_launch_in_place(l, x->mem);
    oct_launch_1d(l, oct_ceil_div((size_t)pixels, (size_t)per_item), 0);
    return r->status;
}
