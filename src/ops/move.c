#include "move.h"
#include "dtype.h"
#include "move/move_args.clh"
#include "sizes.h"
#include "work_items.h"

#include <stdio.h>

octet_status oct_copy(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y)
{
    int64_t bytes = oct_operand_elems(x) * (int64_t)oct_dtype_bytes(x->dtype);
    oct_launch *l = oct_recipe_launch(r, "move/move.cl", "copy", "-DT=%s", "uchar");
    OCT_ARGS(l, copy, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .bytes = bytes,
             .chunk = oct_item_chunk(caps));
    oct_launch_1d(l, oct_item_count(caps, bytes), 0);
    return r->status;
}

/* Drop dimensions of 1 and merge neighbours that go on where the inner one ends, on both sides. */
static oct_box simplify(const oct_box *box)
{
    oct_box b = {.x_start = box->x_start, .y_start = box->y_start};
    for (int i = 0; i < box->rank; i++) {
        int last = b.rank - 1;
        int64_t size = box->dims[i];
        if (size == 1)
            continue;
        if (b.rank && b.x_steps[last] == box->x_steps[i] * size &&
            b.y_steps[last] == box->y_steps[i] * size) {
            b.dims[last] *= size;
            b.x_steps[last] = box->x_steps[i];
            b.y_steps[last] = box->y_steps[i];
            continue;
        }
        b.dims[b.rank] = size;
        b.x_steps[b.rank] = box->x_steps[i];
        b.y_steps[b.rank++] = box->y_steps[i];
    }
    return b;
}

static const char *element(const oct_operand *x)
{
    size_t bytes = oct_dtype_bytes(x->dtype);
    return bytes == 1 ? "uchar" : bytes == 2 ? "ushort" : bytes == 4 ? "uint" : "ulong";
}

void oct_dense_steps(const int64_t *dims, int rank, int64_t *steps)
{
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= dims[i];
    }
}

/* y[b][c][r] = x[b][r][c], both dense? Then rows r and columns c of a batch of matrices. */
static bool is_matrix_transpose(const oct_box *b, int64_t *batch, int64_t *rows, int64_t *columns)
{
    int first = b->rank - 2;
    if ((b->rank != 2 && b->rank != 3) || b->x_start || b->y_start)
        return false;
    *batch = b->rank == 3 ? b->dims[0] : 1;
    *columns = b->dims[first];
    *rows = b->dims[first + 1];
    return b->x_steps[first] == 1 && b->x_steps[first + 1] == *columns && b->y_steps[first + 1] == 1 &&
           b->y_steps[first] == *rows &&
           (b->rank == 2 || (b->x_steps[0] == *rows * *columns && b->y_steps[0] == *rows * *columns));
}

/* Bytes with a few rows or columns: the planes of a picture. */
static bool is_picture(const oct_operand *x, int64_t rows, int64_t columns)
{
    int64_t planes = rows < columns ? rows : columns;
    return oct_dtype_bytes(x->dtype) == 1 && planes >= 2 && planes <= 4;
}

static void transpose_picture(oct_recipe *r, const oct_caps *caps, const oct_operand *x, oct_mem y,
                              int64_t batch, int64_t rows, int64_t columns)
{
    bool apart = rows < columns; /* planes one after the other */
    int64_t pixels = apart ? columns : rows;
    oct_launch *l = oct_recipe_launch(r, "move/interleave.cl", apart ? "interleave" : "separate",
                                      "-DPLANES=%d", (int)(apart ? rows : columns));
    OCT_ARGS(l, picture, .x = oct_whole(x->mem), .y = oct_whole(y), .pixels = pixels,
             .chunk = oct_item_chunk(caps));
    oct_launch_3d(l, (size_t[3]){oct_item_count(caps, pixels), (size_t)batch, 1}, NULL);
}

static void transpose_tiles(oct_recipe *r, const oct_operand *x, oct_mem y, int64_t batch, int64_t rows,
                            int64_t columns)
{
    oct_launch *l = oct_recipe_launch(r, "move/move.cl", "transpose_tiles", "-DT=%s", element(x));
    OCT_ARGS(l, transpose, .x = oct_whole(x->mem), .y = oct_whole(y), .rows = rows, .columns = columns);
    oct_launch_3d(
        l, (size_t[3]){oct_ceil_div((size_t)rows, 16), oct_ceil_div((size_t)columns, 16), (size_t)batch},
        NULL);
}

/* Of a tile, and its rows that a work-group reads or writes at a time. */
enum { SIDE = 32, LINES = OCT_GROUP_ITEMS / SIDE };

static void transpose_coalesced(oct_recipe *r, const oct_operand *x, oct_mem y, int64_t batch, int64_t rows,
                                int64_t columns)
{
    const size_t across = oct_ceil_div((size_t)columns, SIDE), down = oct_ceil_div((size_t)rows, SIDE);
    oct_launch *l = oct_recipe_launch(r, "move/transpose_coalesced.cl", "transpose",
                                      "-DT=%s -DSIDE=%d -DLINES=%d", element(x), SIDE, LINES);
    OCT_ARGS(l, transpose, .x = oct_whole(x->mem), .y = oct_whole(y), .rows = rows, .columns = columns);
    oct_launch_3d(l, (size_t[3]){across * SIDE, down * LINES, (size_t)batch}, (size_t[3]){SIDE, LINES, 1});
}

octet_status oct_move_box(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                          const oct_box *box)
{
    oct_box b = simplify(box);
    int64_t batch, rows = 1, columns;
    for (int i = 0; i < box->rank; i++) {
        if (box->dims[i] == 0)
            return r->status;
    }
    if (is_matrix_transpose(&b, &batch, &rows, &columns)) {
        if (is_picture(x, rows, columns))
            transpose_picture(r, caps, x, y->mem, batch, rows, columns);
        else if (oct_lanes_select(caps, columns, batch * rows, oct_dtype_bytes(x->dtype))->coalesced)
            transpose_coalesced(r, x, y->mem, batch, rows, columns);
        else
            transpose_tiles(r, x, y->mem, batch, rows, columns);
        return r->status;
    }
    /* The row: the last dimension, or none. The others at the end of seven. */
    int outer = b.rank > 0 ? b.rank - 1 : 0;
    strided_args a = {.x = oct_whole(x->mem),
                      .y = oct_whole(y->mem),
                      .rows = 1,
                      .inner = b.rank ? b.dims[outer] : 1,
                      .inner_xs = b.rank ? b.x_steps[outer] : 1,
                      .inner_ys = b.rank ? b.y_steps[outer] : 1,
                      .x0 = b.x_start,
                      .y0 = b.y_start,
                      .dims = {1, 1, 1, 1, 1, 1, 1}};
    for (int i = 0; i < outer; i++) {
        a.dims[7 - outer + i] = b.dims[i];
        a.xs[7 - outer + i] = b.x_steps[i];
        a.ys[7 - outer + i] = b.y_steps[i];
        a.rows *= b.dims[i];
    }
    a.per_item = oct_item_chunk(caps) / a.inner + 1;
    oct_launch *l = oct_recipe_launch(r, "move/strided.cl", "strided", "-DT=%s", element(x));
    oct_launch_strided(l, &a);
    oct_launch_1d(l, oct_ceil_div((size_t)a.rows, (size_t)a.per_item), 0);
    return r->status;
}

octet_status oct_transpose(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                           const int *perm)
{
    oct_box box = {.rank = x->rank};
    int64_t steps[OCTET_MAX_RANK];
    oct_dense_steps(x->dims, x->rank, steps);
    for (int i = 0; i < x->rank; i++) {
        box.dims[i] = x->dims[perm[i]];
        box.x_steps[i] = steps[perm[i]];
    }
    oct_dense_steps(box.dims, box.rank, box.y_steps);
    if (simplify(&box).rank <= 1)
        return oct_copy(r, caps, x, y);
    return oct_move_box(r, caps, x, y, &box);
}

octet_status oct_gather(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *indices,
                        const oct_operand *y, int axis, const oct_check *check)
{
    int64_t outer = 1, inner = 1, picks = oct_operand_elems(indices);
    for (int d = 0; d < axis; d++)
        outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        inner *= x->dims[d];
    int64_t rows = outer * picks;
    if (rows * inner == 0)
        return r->status;
    int64_t per_item = oct_item_chunk(caps) / inner + 1;
    oct_launch *l = oct_recipe_launch(r, "move/gather.cl", "gather", "-DT=%s -DI=%s", element(x),
                                      oct_dtype_cl(indices->dtype));
    int code = oct_recipe_check(r, check);
    OCT_ARGS(l, gather, .x = oct_whole(x->mem), .indices = oct_whole(indices->mem), .y = oct_whole(y->mem),
             .flag = oct_flag_for(code), .check = code, .rows = rows, .per_item = per_item, .picks = picks,
             .size = x->dims[axis], .inner = inner);
    oct_launch_1d(l, oct_ceil_div((size_t)rows, (size_t)per_item), 0);
    return r->status;
}

/* Largest and smallest value of an integer type as OpenCL C writes it. */
static const char *const limits[OCTET_DTYPE_COUNT][2] = {
    [OCTET_U8] = {"0", "UCHAR_MAX"},      [OCTET_S8] = {"CHAR_MIN", "CHAR_MAX"},
    [OCTET_U16] = {"0", "USHRT_MAX"},     [OCTET_S16] = {"SHRT_MIN", "SHRT_MAX"},
    [OCTET_S32] = {"INT_MIN", "INT_MAX"}, [OCTET_S64] = {"LONG_MIN", "LONG_MAX"},
};

static bool can_cast(octet_dtype t)
{
    return t == OCTET_F32 || t == OCTET_BOOL || limits[t][0];
}

octet_status oct_cast(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y)
{
    RETURN_IF(!can_cast(x->dtype) || !can_cast(y->dtype), OCTET_UNSUPPORTED,
              "a cast from %s to %s is not supported", oct_dtype_name(x->dtype), oct_dtype_name(y->dtype));
    if (x->dtype == y->dtype)
        return oct_copy(r, caps, x, y);
    char to[96] = "-DTO_FLOAT";
    if (y->dtype == OCTET_BOOL)
        snprintf(to, sizeof to, "-DTO_BOOL");
    else if (y->dtype != OCTET_F32)
        snprintf(to, sizeof to, "-DTO_MIN=%s -DTO_MAX=%s", limits[y->dtype][0], limits[y->dtype][1]);
    int64_t n = oct_operand_elems(x);
    oct_launch *l =
        oct_recipe_launch(r, "move/cast.cl", "cast", "-DFROM=%s -DTO=%s%s %s", oct_dtype_cl(x->dtype),
                          oct_dtype_cl(y->dtype), x->dtype == OCTET_F32 ? " -DFROM_FLOAT" : "", to);
    OCT_ARGS(l, cast, .x = oct_whole(x->mem), .y = oct_whole(y->mem), .n = n, .chunk = oct_item_chunk(caps));
    oct_launch_1d(l, oct_item_count(caps, n), 0);
    return r->status;
}
