#include "normalize.h"
#include "sizes.h"
#include "split.h"

octet_status oct_normalize(oct_recipe *r, const oct_normalize_request *q)
{
    oct_launch *l = oct_recipe_launch(r, "float/normalize.cl", "normalize_rows", "%s", "");
    oct_launch_in(l, q->x);
    oct_launch_in(l, q->scale);
    oct_launch_in(l, q->bias);
    oct_launch_out(l, q->y);
    oct_launch_out(l, q->mean);
    oct_launch_out(l, q->inverse);
    oct_launch_i64(l, q->length);
    oct_launch_i64(l, q->run);
    oct_launch_i64(l, q->scales);
    oct_launch_f32(l, q->epsilon);
    oct_launch_i32(l, q->bias != OCT_MEM_NONE);
    oct_launch_i32(l, (q->mean != OCT_MEM_NONE) + 2 * (q->inverse != OCT_MEM_NONE));
    oct_launch_1d(l, (size_t)q->rows, 0);
    return r->status;
}

octet_status oct_lrn(oct_recipe *r, const oct_caps *caps, const oct_operand *x, int64_t size, float alpha,
                     float beta, float bias, const oct_operand *y)
{
    int64_t c = x->dims[x->rank - 1], pixels = c ? oct_operand_elems(x) / c : 0;
    int64_t per_item = c ? oct_split_chunk(caps) / c + 1 : 1;
    RETURN_IF(c > INT32_MAX / 4 || size < 1 || size > INT32_MAX / 4, OCTET_UNSUPPORTED,
              "%lld channels in windows of %lld are not supported", (long long)c, (long long)size);
    oct_launch *l = oct_recipe_launch(r, "float/normalize.cl", "lrn", "%s", "");
    oct_launch_in(l, x->mem);
    oct_launch_out(l, y->mem);
    oct_launch_i64(l, pixels);
    oct_launch_i64(l, per_item);
    oct_launch_i32(l, c);
    oct_launch_i32(l, (size - 1) / 2);
    oct_launch_i32(l, size / 2);
    oct_launch_f32(l, alpha / (float)size);
    oct_launch_f32(l, beta);
    oct_launch_f32(l, bias);
    oct_launch_1d(l, oct_ceil_div((size_t)pixels, (size_t)per_item), 0);
    return r->status;
}
