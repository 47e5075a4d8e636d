#include "move.h"
#include "dtype.h"
#include "sizes.h"
#include "split.h"

#include <stdio.h>

octet_status oct_copy(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y)
{
    int64_t bytes = oct_operand_elems(x) * (int64_t)oct_dtype_bytes(x->dtype);
    oct_launch *l = oct_recipe_launch(r, "move/move.cl", "copy", "-DT=%s", "uchar");
    oct_launch_in(l, x->mem);
    oct_launch_out(l, y->mem);
    oct_launch_i64(l, bytes);
    oct_launch_i64(l, oct_split_chunk(caps));
    oct_launch_1d(l, oct_split_items(caps, bytes), 0);
    return r->status;
}

/* The permutation with dimensions of 1 dropped and neighbours that stay together merged: dims of y and their
 * steps in x. */
typedef struct permutation {
    int rank;
    int64_t dims[OCTET_MAX_RANK], steps[OCTET_MAX_RANK];
} permutation;

static permutation simplify(const oct_operand *x, const int *perm)
{
    permutation p = {.rank = 0};
    int64_t steps[OCTET_MAX_RANK], step = 1;
    for (int i = x->rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= x->dims[i];
    }
    for (int i = 0; i < x->rank; i++) {
        int64_t size = x->dims[perm[i]], s = steps[perm[i]];
        if (size == 1)
            continue;
        if (p.rank && p.steps[p.rank - 1] == s * size) {
            p.dims[p.rank - 1] *= size;
            p.steps[p.rank - 1] = s;
            continue;
        }
        p.dims[p.rank] = size;
        p.steps[p.rank++] = s;
    }
    return p;
}

static const char *element(const oct_operand *x)
{
    size_t bytes = oct_dtype_bytes(x->dtype);
    return bytes == 1 ? "uchar" : bytes == 2 ? "ushort" : bytes == 4 ? "uint" : "ulong";
}

/* y[b][c][r] = x[b][r][c]? Then rows r and columns c of a batch of matrices. */
static bool is_matrix_transpose(const permutation *p, int64_t *batch, int64_t *rows, int64_t *columns)
{
    int first = p->rank - 2;
    if (p->rank != 2 && p->rank != 3)
        return false;
    *batch = p->rank == 3 ? p->dims[0] : 1;
    *columns = p->dims[first];
    *rows = p->dims[first + 1];
    return p->steps[first] == 1 && p->steps[first + 1] == *columns &&
           (p->rank == 2 || p->steps[0] == *rows * *columns);
}

octet_status oct_transpose(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                           const int *perm)
{
    permutation p = simplify(x, perm);
    int64_t batch, rows, columns, elems = oct_operand_elems(x);
    if (p.rank <= 1)
        return oct_copy(r, caps, x, y);
    if (is_matrix_transpose(&p, &batch, &rows, &columns)) {
        oct_launch *l = oct_recipe_launch(r, "move/move.cl", "transpose_tiles", "-DT=%s", element(x));
        oct_launch_in(l, x->mem);
        oct_launch_out(l, y->mem);
        oct_launch_i64(l, rows);
        oct_launch_i64(l, columns);
        oct_launch_3d(
            l, (size_t[3]){oct_ceil_div((size_t)rows, 16), oct_ceil_div((size_t)columns, 16), (size_t)batch},
            NULL);
        return r->status;
    }
    int64_t inner = p.dims[p.rank - 1], dims[7] = {1, 1, 1, 1, 1, 1, 1}, steps[7] = {0};
    for (int i = 0; i + 1 < p.rank; i++) {
        dims[7 - (p.rank - 1) + i] = p.dims[i];
        steps[7 - (p.rank - 1) + i] = p.steps[i];
    }
    oct_launch *l = oct_recipe_launch(r, "move/move.cl", "transpose", "-DT=%s", element(x));
    oct_launch_in(l, x->mem);
    oct_launch_out(l, y->mem);
    oct_launch_i64(l, inner);
    oct_launch_i64(l, p.steps[p.rank - 1]);
    for (int i = 1; i < 7; i++)
        oct_launch_i64(l, dims[i]);
    for (int i = 0; i < 7; i++)
        oct_launch_i64(l, steps[i]);
    oct_launch_1d(l, elems ? (size_t)(elems / inner) : 0, 0);
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
    oct_launch_in(l, x->mem);
    oct_launch_out(l, y->mem);
    oct_launch_i64(l, n);
    oct_launch_i64(l, oct_split_chunk(caps));
    oct_launch_1d(l, oct_split_items(caps, n), 0);
    return r->status;
}
