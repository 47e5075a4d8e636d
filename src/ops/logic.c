#include "logic.h"
#include "dtype.h"
#include "logic/logic_args.clh"
#include "move.h"
#include "pointwise.h"
#include "work_items.h"

#include <string.h>

octet_status oct_logic(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *a,
                       const oct_operand *b, const oct_operand *y)
{
    oct_broadcast shape;
    bool ordered = a->dtype == OCTET_F32 || a->dtype == OCTET_BOOL || a->dtype == OCTET_S64 ||
                   oct_dtype_max(a->dtype) != 0;
    RETURN_IF(!ordered, OCTET_UNSUPPORTED, "%s of %s is not supported", name, oct_dtype_name(a->dtype));
    FORWARD(oct_broadcast_make((const oct_operand *[]){a, b}, 2, y, &shape));
    oct_launch *l =
        oct_recipe_launch(r, "logic/logic.cl", "logic", "-DOP=%s -DT=%s", name, oct_dtype_cl(a->dtype));
    OCT_ARGS(l, binary, .a = oct_whole(a->mem), .b = oct_whole(b->mem), .c = oct_whole(y->mem),
             .broadcast = oct_broadcast_numbers(caps, &shape, NULL));
    oct_broadcast_launch(l, caps, &shape, NULL);
    return r->status;
}

octet_status oct_not(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y)
{
    int64_t n = oct_operand_elems(x);
    oct_launch *l = oct_recipe_launch(r, "logic/logic.cl", "not_each", "-DT=%s", "uchar");
    OCT_ARGS(l, not_each, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .n = n,
             .chunk = oct_item_chunk(caps));
    oct_launch_1d(l, oct_item_count(caps, n), 0);
    return r->status;
}

static bool same_dims(const oct_operand *a, const oct_operand *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++)
        same = a->dims[i] == b->dims[i];
    return same;
}

/* t as it is where it has y's shape or one element, else repeated to y's shape. */
static octet_status repeat_to(oct_recipe *r, const oct_caps *caps, const oct_operand *y, oct_operand *t)
{
    if (same_dims(t, y) || oct_operand_elems(t) == 1)
        return r->status;
    RETURN_IF(t->rank > y->rank, OCTET_INVALID_ARGUMENT,
              "an operand of rank %d does not broadcast to rank %d", t->rank, y->rank);
    oct_box box = {.rank = y->rank};
    int64_t dims[OCTET_MAX_RANK];
    int missing = y->rank - t->rank;
    for (int i = 0; i < y->rank; i++) {
        dims[i] = i < missing ? 1 : t->dims[i - missing];
        box.dims[i] = y->dims[i];
    }
    oct_dense_steps(dims, y->rank, box.x_steps);
    oct_dense_steps(y->dims, y->rank, box.y_steps);
    for (int i = 0; i < y->rank; i++)
        box.x_steps[i] = dims[i] == 1 ? 0 : box.x_steps[i];
    oct_operand from = *t;
    *t = *y;
    t->dtype = from.dtype;
    t->mem = oct_recipe_temp(r, (size_t)oct_operand_elems(y) * oct_dtype_bytes(from.dtype));
    return oct_move_box(r, caps, &from, t, &box);
}

/* Condition and operands, t, as a kernel that chooses between them wants them, and its numbers. */
static octet_status prepare_choice(oct_recipe *r, const oct_caps *caps, const oct_operand *y,
                                   oct_operand t[3], choice_part *numbers)
{
    int64_t n = oct_operand_elems(y);
    int steps[3];
    for (int i = 0; i < 3; i++) {
        if (n)
            FORWARD(repeat_to(r, caps, y, &t[i]));
        steps[i] = oct_operand_elems(&t[i]) == n && n != 1;
    }
    *numbers = (choice_part){
        .n = n, .chunk = oct_item_chunk(caps), .c_step = steps[0], .a_step = steps[1], .b_step = steps[2]};
    return OCTET_OK;
}

octet_status oct_where(oct_recipe *r, const oct_caps *caps, const oct_operand *c, const oct_operand *a,
                       const oct_operand *b, const oct_operand *y)
{
    oct_operand t[3] = {*c, *a, *b};
    size_t bytes = oct_dtype_bytes(y->dtype);
    choice_part choice;
    FORWARD(prepare_choice(r, caps, y, t, &choice));
    oct_launch *l = oct_recipe_launch(r, "logic/logic.cl", "where_each", "-DT=%s",
                                      bytes == 1   ? "uchar"
                                      : bytes == 2 ? "short"
                                      : bytes == 4 ? "int"
                                                   : "long");
    OCT_ARGS(l, where_each, .c = oct_whole(t[0].mem), .a = oct_whole(t[1].mem), .b = oct_whole(t[2].mem),
             .y = oct_whole(y->mem), .choice = choice);
    oct_launch_1d(l, oct_item_count(caps, choice.n), 0);
    return r->status;
}

octet_status oct_qwhere(oct_recipe *r, const oct_caps *caps, const oct_qwhere_request *q)
{
    oct_operand t[3] = {q->condition, q->x, q->y};
    choice_part choice;
    FORWARD(prepare_choice(r, caps, &q->z, t, &choice));
    oct_mem x_values = oct_requantize_table(r, q->z.dtype, &q->x_q, &q->z_q),
            y_values = oct_requantize_table(r, q->z.dtype, &q->y_q, &q->z_q);
    oct_launch *l = oct_recipe_launch(r, "logic/logic.cl", "qwhere", "%s", "");
    OCT_ARGS(l, qwhere, .c = oct_whole(t[0].mem), .a = oct_whole(t[1].mem), .b = oct_whole(t[2].mem),
             .a_values = oct_whole(x_values), .b_values = oct_whole(y_values), .y = oct_whole(q->z.mem),
             .choice = choice);
    oct_launch_1d(l, oct_item_count(caps, choice.n), 0);
    return r->status;
}
