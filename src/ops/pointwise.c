#include "pointwise.h"
#include "distrust.h"
#include "fuse.h"
#include "sizes.h"
#include "work_items.h"

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

/* Bytes through tables into the rows of y: up to PARTS inputs in one launch, each with a table and a place of
 * its own in a row of y (a concatenation; the whole tensor as one row otherwise). */
enum { PARTS = 4 };

typedef struct table_part {
    oct_mem x, table;
    int64_t run, start; /* bytes of a row of x; where they begin in a row of y */
} table_part;

bool oct_table_is_x86(const oct_caps *caps)
{
    return caps->x86_avx512_vbmi && !oct_is_distrusted(caps->distrust, OCT_TABLE_X86);
}

static void table_rows(oct_recipe *r, const oct_caps *caps, const table_part *parts, int count, oct_mem y,
                       int64_t rows, int64_t y_row)
{
    int64_t longest = 1;
    for (int i = 0; i < count; i++)
        longest = parts[i].run > longest ? parts[i].run : longest;
    const oct_lanes *v = oct_lanes_select(caps, longest, rows, 1);
    const char *file = v->coalesced             ? "pointwise/table_coalesced.cl"
                       : oct_table_is_x86(caps) ? OCT_TABLE_X86_FILE
                                                : "pointwise/table.cl";
    int64_t chunk = oct_lanes_chunk(v, caps);
    table_args a = {.y = oct_whole(y),
                    .rows = rows,
                    .rows_of_item = longest < chunk && !v->coalesced ? chunk / longest : 1,
                    .y_row = y_row,
                    .chunk = chunk};
    for (int i = 0; i < count; i++) {
        a.x[i] = oct_whole(parts[i].x);
        a.tables[i] = oct_whole(parts[i].table);
        a.run[i] = parts[i].run;
        a.start[i] = parts[i].start;
    }
    oct_launch *l = oct_recipe_launch(r, file, "table", "%s", oct_lanes_options(v));
    oct_launch_table(l, &a);
    if (count == 1 && rows == 1 && parts[0].start == 0)
        oct_launch_in_place(l, parts[0].x);
    oct_lanes_launch(l, caps, v, longest, (int64_t)oct_ceil_div((size_t)rows, (size_t)a.rows_of_item), count);
}

static void table_all(oct_recipe *r, const oct_caps *caps, const oct_operand *x, oct_mem table,
                      const oct_operand *y)
{
    const table_part all = {.x = x->mem, .table = table, .run = oct_operand_elems(x)};
    table_rows(r, caps, &all, 1, y->mem, all.run ? 1 : 0, all.run);
}

octet_status oct_table_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                          const uint8_t table[256])
{
    oct_mem values = oct_recipe_const_copy(r, table, 256);
    table_all(r, caps, x, values, y);
    return r->status;
}

octet_status oct_lookup(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *table,
                        int axis, const oct_operand *y)
{
    int64_t channels = oct_operand_elems(table) / 256, inner = 1, elems = oct_operand_elems(x);
    if (channels <= 1) {
        table_all(r, caps, x, table->mem, y);
        return r->status;
    }
    for (int d = axis + 1; d < x->rank; d++)
        inner *= x->dims[d];
    const oct_lanes *v = oct_lanes_select(caps, elems, 1, 1);
    if (v->coalesced) {
        oct_launch *l =
            oct_recipe_launch(r, "pointwise/table_coalesced.cl", "table_each", "%s", oct_lanes_options(v));
        OCT_ARGS(l, table_each, .x = oct_whole(x->mem), .values_of = oct_whole(table->mem),
                 .y = oct_whole(y->mem), .n = elems, .inner = inner, .channels = channels);
        oct_launch_in_place(l, x->mem);
        oct_lanes_launch(l, caps, v, elems, 1, 1);
        return r->status;
    }
    int64_t row = inner == 1 ? channels : inner; /* with one element a channel, a row is all channels */
    oct_launch *l =
        oct_recipe_launch(r, "pointwise/table.cl", inner == 1 ? "table_last" : "table_channels", "%s", "");
    int64_t rows = row ? elems / row : 0, per_item = row ? oct_item_chunk(caps) / row + 1 : 1;
    OCT_ARGS(l, table_channels, .x = oct_whole(x->mem), .values_of = oct_whole(table->mem),
             .y = oct_whole(y->mem), .rows = rows, .run = row, .channels = channels, .per_item = per_item);
    oct_launch_in_place(l, x->mem);
    oct_launch_1d(l, oct_ceil_div((size_t)rows, (size_t)per_item), 0);
    return r->status;
}

static const char *type_options(octet_dtype t)
{
    return t == OCTET_S8 ? "-DT=char" : "-DT=uchar";
}

oct_mem oct_qbinary_params(oct_recipe *r, octet_dtype dtype, oct_qbinary_kind kind, bool swapped,
                           const oct_quant *a_q, const oct_quant *b_q, const oct_quant *c_q)
{
    oct_mem params = oct_recipe_temp(r, 5 * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "pointwise/qbinary.cl", "prepare", "%s", type_options(dtype));
    OCT_ARGS(l, qbinary_prepare, .a_scale = oct_whole(a_q->scale), .a_zero = oct_whole(a_q->zero),
             .b_scale = oct_whole(b_q->scale), .b_zero = oct_whole(b_q->zero),
             .c_scale = oct_whole(c_q->scale), .c_zero = oct_whole(c_q->zero), .params = oct_whole(params),
             .kind = kind, .swapped = swapped, .a_zeros = a_q->zero_count, .b_zeros = b_q->zero_count,
             .c_zeros = c_q->zero_count);
    oct_launch_1d(l, 1, 1);
    return params;
}

octet_status oct_qbinary(oct_recipe *r, const oct_caps *caps, const oct_qbinary_request *q)
{
    oct_broadcast shape;
    FORWARD(oct_broadcast_make((const oct_operand *[]){&q->a, &q->b}, 2, &q->c, &shape));
    oct_mem params = oct_qbinary_params(r, q->c.dtype, q->kind, q->swapped, &q->a_q, &q->b_q, &q->c_q);
    const oct_lanes *v = oct_broadcast_lanes(caps, &shape, 1);
    oct_launch *l = oct_recipe_launch(r, "pointwise/qbinary.cl", q->kind == OCT_QBINARY_MUL ? "mul" : "add",
                                      "%s%s", type_options(q->c.dtype), oct_lanes_options(v));
    OCT_ARGS(l, qbinary, .a = oct_whole(q->a.mem), .b = oct_whole(q->b.mem), .params = oct_whole(params),
             .c = oct_whole(q->c.mem), .swapped = q->swapped, .clamp_min = q->clamp_min,
             .clamp_max = q->clamp_max, .broadcast = oct_broadcast_numbers(caps, &shape, v));
    oct_launch_in_place(l, q->a.mem);
    oct_launch_in_place(l, q->b.mem);
    oct_broadcast_launch(l, caps, &shape, v);
    return r->status;
}

oct_mem oct_requantize_table(oct_recipe *r, octet_dtype dtype, const oct_quant *x_q, const oct_quant *y_q)
{
    oct_mem table = oct_recipe_temp(r, 256);
    oct_launch *l = oct_recipe_launch(r, "pointwise/table.cl", "requantize_table", "%s", "");
    OCT_ARGS(l, requantize_table, .x_scale = oct_whole(x_q->scale), .x_zero = oct_whole(x_q->zero),
             .y_scale = oct_whole(y_q->scale), .y_zero = oct_whole(y_q->zero), .values = oct_whole(table),
             .is_signed = dtype == OCTET_S8, .x_zeros = x_q->zero_count, .y_zeros = y_q->zero_count);
    oct_launch_1d(l, 256, 0);
    return table;
}

/* Requantizing to the same parameters is the identity, so a table serves copies too; one code path. */
octet_status oct_qconcat(oct_recipe *r, const oct_caps *caps, const oct_operand *inputs,
                         const oct_quant *input_q, int count, int axis, const oct_operand *y,
                         const oct_quant *y_q)
{
    int64_t outer = 1, inner = 1, start = 0;
    for (int i = 0; i < y->rank; i++) {
        if (i != axis)
            *(i < axis ? &outer : &inner) *= y->dims[i];
    }
    for (int first = 0; first < count; first += PARTS) {
        table_part parts[PARTS];
        int n = count - first < PARTS ? count - first : PARTS;
        for (int i = 0; i < n; i++) {
            parts[i] = (table_part){.x = inputs[first + i].mem,
                                    .table = oct_requantize_table(r, y->dtype, &input_q[first + i], y_q),
                                    .run = inputs[first + i].dims[axis] * inner,
                                    .start = start};
            start += parts[i].run;
        }
        table_rows(r, caps, parts, n, y->mem, outer, y->dims[axis] * inner);
    }
    return r->status;
}
