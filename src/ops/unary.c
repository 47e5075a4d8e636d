#include "unary.h"
#include "fuse.h"
#include "unary/unary_args.clh"
#include "work_items.h"

octet_status oct_float_unary(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *x,
                             float a, float b, const oct_operand *y)
{
    int64_t n = oct_operand_elems(x);
    oct_launch *l = oct_recipe_launch(r, "unary/unary.cl", "unary", "-DOP=%s", name);
    OCT_ARGS(l, unary, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .n = n, .chunk = oct_item_chunk(caps),
             .p = a, .q = b);
    oct_launch_in_place(l, x->mem);
    oct_launch_1d(l, oct_item_count(caps, n), 0);
    oct_elementwise_mark(r, l,
                         &(oct_elementwise){.call = name, .count = 1, .in = {*x}, .y = *y, .f = {a, b}});
    return r->status;
}
