#include "floats.h"
#include "fuse.h"
#include "normalize/normalize_args.clh"
#include "sizes.h"
#include "split.h"
#include "unary/unary_args.clh"

octet_status oct_float_binary(oct_recipe *r, const oct_caps *caps, oct_float_op op, const oct_operand *a,
                              const oct_operand *b, const oct_operand *y)
{
    static const char *const names[] = {
        [OCT_FLOAT_ADD] = "Add", [OCT_FLOAT_SUB] = "Sub",     [OCT_FLOAT_MUL] = "Mul",
        [OCT_FLOAT_DIV] = "Div", [OCT_FLOAT_MIN] = "Min",     [OCT_FLOAT_MAX] = "Max",
        [OCT_FLOAT_POW] = "Pow", [OCT_FLOAT_PRELU] = "PRelu",
    };
    oct_broadcast shape;
    FORWARD(oct_broadcast_make((const oct_operand *[]){a, b}, 2, y, &shape));
    oct_launch *l = oct_recipe_launch(r, "pointwise/binary.cl", "binary", "-DOP=%s -DT=%s", names[op],
                                      y->dtype == OCTET_S32 ? "int" : "float");
    OCT_ARGS(l, binary, .a = oct_whole(a->mem), .b = oct_whole(b->mem), .c = oct_whole(y->mem),
             .broadcast = oct_broadcast_numbers(caps, &shape, NULL));
    oct_launch_in_place(l, a->mem);
    oct_launch_in_place(l, b->mem);
    oct_broadcast_launch(l, caps, &shape, NULL);
    if (y->dtype == OCTET_F32)
        oct_elementwise_mark(r, l,
                             &(oct_elementwise){.call = names[op], .count = 2, .in = {*a, *b}, .y = *y});
    return r->status;
}

octet_status oct_float_unary(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *x,
                             float a, float b, const oct_operand *y)
{
    int64_t n = oct_operand_elems(x);
    oct_launch *l = oct_recipe_launch(r, "unary/unary.cl", "unary", "-DOP=%s", name);
    OCT_ARGS(l, unary, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .n = n, .chunk = oct_split_chunk(caps),
             .p = a, .q = b);
    oct_launch_in_place(l, x->mem);
    oct_launch_1d(l, oct_split_items(caps, n), 0);
    oct_elementwise_mark(r, l,
                         &(oct_elementwise){.call = name, .count = 1, .in = {*x}, .y = *y, .f = {a, b}});
    return r->status;
}

octet_status oct_float_clip(oct_recipe *r, const oct_caps *caps, const oct_operand *x, float lo, float hi,
                            const oct_operand *y)
{
    return oct_float_unary(r, caps, "Clip", x, lo, hi, y);
}

octet_status oct_batch_norm(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                            const oct_mem parameters[4], float epsilon, const oct_operand *y)
{
    int64_t c = x->dims[x->rank - 1], pixels = c ? oct_operand_elems(x) / c : 0;
    int64_t per_item = c ? oct_split_chunk(caps) / c + 1 : 1;
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
