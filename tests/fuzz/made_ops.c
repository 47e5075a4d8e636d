/* See made_graph.h: products, arithmetic, tables, moves. */
#include "dtype.h"
#include "made_graph.h"
#include "quant.h"
#include "ref.h"

#include <stdlib.h>
#include <string.h>

static int64_t product(const made_tensor *x, int from, int to)
{
    int64_t p = 1;
    for (int d = from; d < to; d++)
        p *= x->dims[d];
    return p;
}

static int axis_of(made_graph *m, const made_tensor *x)
{
    return x->rank ? made_pick(m, x->rank) : 0;
}

/* The three operands that say what a tensor is. */
static void quantized(made_graph *m, const made_tensor *x, int in[3])
{
    in[0] = x->value;
    in[1] = made_const_f32(m, x->scale);
    in[2] = made_const_zero(m, x->dtype, x->zero);
}

static void result(made_graph *m, const made_tensor *y, int in[2])
{
    in[0] = made_const_f32(m, y->scale);
    in[1] = made_const_zero(m, y->dtype, y->zero);
}

/* Like x, with another scale and zero point where the bytes say so. */
static made_tensor *like(made_graph *m, const made_tensor *x, bool may_differ)
{
    made_tensor *y = made_new(m, x->dtype, x->rank, x->dims);
    if (y) {
        bool same = !may_differ || made_pick(m, 3) == 0;
        y->scale = same ? x->scale : made_scale(m);
        y->zero = same ? x->zero : made_zero(m, y->dtype);
    }
    return y;
}

/* ---- products ------------------------------------------------------------------------------------------ */

typedef struct matrix {
    octet_dtype dtype;
    int64_t k, n;
    uint8_t bytes[MADE_MOST];
    float scale[64];
    uint8_t zero;
    bool each_scale, transposed, has_bias;
    int32_t bias[64];
} matrix;

static bool fill_matrix(made_graph *m, int64_t k, matrix *b)
{
    b->k = k;
    b->n = 1 + made_pick(m, 40);
    if (b->k * b->n > MADE_MOST)
        return false;
    b->dtype = made_pick(m, 3) ? OCTET_S8 : OCTET_U8;
    b->each_scale = made_pick(m, 2);
    b->zero = (uint8_t)(made_pick(m, 2) ? made_zero(m, b->dtype) : 0);
    made_fill(m, b->dtype, b->bytes, (size_t)(b->k * b->n));
    for (int64_t i = 0; i < b->n; i++) {
        b->scale[i] = b->each_scale || !i ? made_scale(m) : b->scale[0];
        b->bias[i] = (int32_t)(made_random(m) % 8192) - 4096;
    }
    return true;
}

static void run_product(made_graph *m, const made_tensor *x, const matrix *b, made_tensor *y)
{
    uint8_t x_zero = (uint8_t)x->zero, y_zero;
    y->scale = x->scale * b->scale[0] * (float)(16 + made_random(m) % 1024);
    y->zero = made_zero(m, y->dtype);
    y_zero = (uint8_t)y->zero;
    oct_ref_gemm_params p = {.m = x->count / b->k,
                             .n = b->n,
                             .k = b->k,
                             .batch = 1,
                             .lda = b->k,
                             .ldb = b->transposed ? b->k : b->n,
                             .ldc = b->n,
                             .transpose_b = b->transposed,
                             .a_dtype = x->dtype,
                             .b_dtype = b->dtype,
                             .c_dtype = y->dtype,
                             .a = x->data,
                             .b = b->bytes,
                             .c = y->data,
                             .bias = b->has_bias ? b->bias : NULL,
                             .a_q = {&x->scale, &x_zero, 1, 1},
                             .b_q = {b->scale, &b->zero, b->each_scale ? b->n : 1, 1},
                             .c_q = {&y->scale, &y_zero, 1, 1},
                             .clamp_min = oct_dtype_min(y->dtype),
                             .clamp_max = oct_dtype_max(y->dtype)};
    oct_ref_gemm(&p);
}

static void matrix_inputs(made_graph *m, const matrix *b, int in[3])
{
    const int64_t shape[] = {b->transposed ? b->n : b->k, b->transposed ? b->k : b->n};
    in[0] = made_const(m, b->dtype, 2, shape, b->bytes);
    in[1] = b->each_scale ? made_const(m, OCTET_F32, 1, &b->n, b->scale) : made_const_f32(m, b->scale[0]);
    in[2] = made_const_zero(m, b->dtype, b->zero);
}

static made_tensor *new_product(made_graph *m, const made_tensor *x, const matrix *b)
{
    int64_t dims[MADE_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank - 1] = b->n;
    return made_new(m, x->dtype, x->rank, dims);
}

bool made_matmul(made_graph *m, made_tensor *x)
{
    static matrix b;
    int in[8];
    b.transposed = b.has_bias = false;
    if (x->rank < 2 || !fill_matrix(m, x->dims[x->rank - 1], &b))
        return false;
    made_tensor *y = new_product(m, x, &b);
    if (!y)
        return false;
    run_product(m, x, &b, y);
    quantized(m, x, in);
    matrix_inputs(m, &b, in + 3);
    result(m, y, in + 6);
    return made_node(m, OCT_OP_QLinearMatMul, in, 8, y);
}

bool made_qgemm(made_graph *m, made_tensor *x)
{
    static matrix b;
    int in[9];
    if (x->rank != 2 || !fill_matrix(m, x->dims[1], &b))
        return false;
    b.transposed = made_pick(m, 2);
    b.has_bias = made_pick(m, 2);
    made_tensor *y = new_product(m, x, &b);
    if (!y)
        return false;
    run_product(m, x, &b, y);
    quantized(m, x, in);
    matrix_inputs(m, &b, in + 3);
    in[6] = b.has_bias ? made_const(m, OCTET_S32, 1, &b.n, b.bias) : OCT_NO_VALUE;
    result(m, y, in + 7);
    if (!made_node(m, OCT_OP_QGemm, in, 9, y))
        return false;
    made_int(m, "transB", b.transposed);
    return true;
}

/* ---- element by element -------------------------------------------------------------------------------- */

static bool binary(made_graph *m, const made_tensor *a, const made_tensor *b, int b_value)
{
    int in[8];
    bool adds = made_pick(m, 3) != 0;
    made_tensor *y = like(m, a, true);
    if (!y)
        return false;
    oct_ref_qbinary_params p = {.shape.rank = a->rank,
                                .dtype = a->dtype,
                                .a_scale = a->scale,
                                .b_scale = b->scale,
                                .y_scale = y->scale,
                                .a_zero = a->zero,
                                .b_zero = b->zero,
                                .y_zero = y->zero,
                                .clamp_min = oct_dtype_min(a->dtype),
                                .clamp_max = oct_dtype_max(a->dtype)};
    for (int d = 0; d < a->rank; d++) {
        int at = d - (a->rank - b->rank);
        p.shape.dims[d] = p.shape.a_dims[d] = a->dims[d];
        p.shape.b_dims[d] = at < 0 ? 1 : b->dims[at];
    }
    p.swapped = adds && oct_ref_qadd_swapped(&p.shape);
    (adds ? oct_ref_qadd : oct_ref_qmul)(&p, a->data, b->data, y->data);
    quantized(m, a, in);
    quantized(m, b, in + 3);
    in[3] = b_value;
    result(m, y, in + 6);
    return made_node(m, adds ? OCT_OP_QLinearAdd : OCT_OP_QLinearMul, in, 8, y);
}

/* With another tensor of this shape: a residual, perhaps. */
bool made_binary(made_graph *m, made_tensor *x)
{
    int first = made_pick(m, m->count);
    for (int i = 0; i < m->count; i++) {
        const made_tensor *b = &m->tensors[(first + i) % m->count];
        if (b->dtype == x->dtype && b->rank == x->rank &&
            memcmp(b->dims, x->dims, (size_t)x->rank * sizeof *x->dims) == 0)
            return binary(m, x, b, b->value);
    }
    return false;
}

/* With a constant: of one element, of each channel, of the innermost dimension, or of all. */
bool made_binary_const(made_graph *m, made_tensor *x)
{
    made_tensor b = {.dtype = x->dtype,
                     .rank = x->rank,
                     .count = 1,
                     .scale = made_scale(m),
                     .zero = made_zero(m, x->dtype)};
    uint8_t bytes[256];
    int kind = made_pick(m, 4);
    for (int d = 0; d < x->rank; d++) {
        bool whole = kind == 3 || (kind == 1 && d == 1) || (kind == 2 && d == x->rank - 1);
        b.dims[d] = whole ? x->dims[d] : 1;
        b.count *= b.dims[d];
    }
    if (b.count > (int64_t)sizeof bytes)
        return false;
    made_fill(m, b.dtype, bytes, (size_t)b.count);
    b.data = bytes;
    int value = made_const(m, b.dtype, b.rank, b.dims, bytes);
    return value != OCT_NO_VALUE && binary(m, x, &b, value);
}

bool made_table(made_graph *m, made_tensor *x)
{
    int in[5];
    bool sigmoid = made_pick(m, 2);
    uint8_t table[256];
    made_tensor *y = like(m, x, true);
    if (!y)
        return false;
    float alpha = (float)(made_random(m) % 100) / 128.0f;
    oct_lut_params p = {x->dtype, y->dtype, x->scale, y->scale, x->zero, y->zero};
    if (sigmoid)
        oct_lut_sigmoid(&p, table);
    else
        oct_lut_leaky_relu(&p, alpha, table);
    oct_ref_lut(table, x->data, x->count, y->data);
    quantized(m, x, in);
    result(m, y, in + 3);
    if (!made_node(m, sigmoid ? OCT_OP_QLinearSigmoid : OCT_OP_QLinearLeakyRelu, in, 5, y))
        return false;
    if (!sigmoid)
        made_float(m, "alpha", alpha);
    return true;
}

/* Clip and Relu of bytes: the zero point plays no part. */
bool made_clip(made_graph *m, made_tensor *x)
{
    bool relu = x->dtype == OCTET_S8 && made_pick(m, 2);
    made_tensor *y = like(m, x, false);
    if (!y)
        return false;
    int32_t low = oct_dtype_min(x->dtype), span = (int32_t)(made_random(m) % 200);
    int32_t lo = relu ? 0 : low + (int32_t)(made_random(m) % 56),
            hi = relu ? oct_dtype_max(x->dtype) : lo + span;
    oct_ref_clamp8(x->dtype, x->data, x->count, lo, hi, y->data);
    if (relu)
        return made_node(m, OCT_OP_Relu, &x->value, 1, y);
    const int in[] = {x->value, made_const_zero(m, x->dtype, lo), made_const_zero(m, x->dtype, hi)};
    return made_node(m, OCT_OP_Clip, in, 3, y);
}

/* To floats and back, in other parameters, perhaps of the other type. */
bool made_requantize(made_graph *m, made_tensor *x)
{
    int in[3];
    octet_dtype dtype = made_pick(m, 2) ? OCTET_S8 : OCTET_U8;
    made_tensor *f = made_new(m, OCTET_F32, x->rank, x->dims);
    if (!f)
        return false;
    oct_dequantize_row(x->data, (size_t)x->count, x->scale, x->zero, x->dtype, f->data);
    quantized(m, x, in);
    if (!made_node(m, OCT_OP_DequantizeLinear, in, 3, f))
        return false;
    made_tensor *y = made_new(m, dtype, x->rank, x->dims);
    if (!y)
        return false;
    y->scale = made_pick(m, 2) ? x->scale : made_scale(m);
    y->zero = dtype == x->dtype && made_pick(m, 2) ? x->zero : made_zero(m, dtype);
    oct_quantize_row(f->data, (size_t)x->count, y->scale, y->zero, dtype, y->data);
    in[0] = f->value;
    result(m, y, in + 1);
    return made_node(m, OCT_OP_QuantizeLinear, in, 3, y);
}

bool made_softmax(made_graph *m, made_tensor *x)
{
    int in[5], axis = axis_of(m, x);
    made_tensor *y = like(m, x, true);
    if (!y)
        return false;
    y->scale = made_pick(m, 4) ? 1.0f / 256 : y->scale < 1 ? y->scale : 0.5f;
    oct_ref_softmax_params p = {.outer = product(x, 0, axis),
                                .axis = x->dims[axis],
                                .inner = product(x, axis + 1, x->rank),
                                .dtype = x->dtype,
                                .x_scale = x->scale,
                                .y_scale = y->scale,
                                .y_zero = y->zero};
    oct_ref_qsoftmax(&p, x->data, y->data);
    quantized(m, x, in);
    result(m, y, in + 3);
    if (!made_node(m, OCT_OP_QLinearSoftmax, in, 5, y))
        return false;
    made_int(m, "axis", axis);
    made_int(m, "opset", 13);
    return true;
}

/* ---- moves --------------------------------------------------------------------------------------------- */

bool made_concat(made_graph *m, made_tensor *x)
{
    int axis = axis_of(m, x), count = 1 + made_pick(m, 3), found = 0, in[2 + 3 * 3];
    oct_ref_concat_input parts[3];
    int64_t dims[MADE_RANK], total = 0;
    for (int first = made_pick(m, m->count), i = 0; i < m->count && found < count; i++) {
        const made_tensor *b = found ? &m->tensors[(first + i) % m->count] : x;
        bool fits = b->dtype == x->dtype && b->rank == x->rank;
        for (int d = 0; fits && d < x->rank; d++)
            fits = d == axis || b->dims[d] == x->dims[d];
        if (!fits)
            continue;
        parts[found] = (oct_ref_concat_input){b->data, b->dims[axis], b->scale, b->zero};
        quantized(m, b, in + 2 + 3 * found++);
        total += b->dims[axis];
    }
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = total;
    made_tensor *y = made_new(m, x->dtype, x->rank, dims);
    if (!y)
        return false;
    y->scale = made_pick(m, 2) ? x->scale : made_scale(m);
    y->zero = made_pick(m, 2) ? x->zero : made_zero(m, y->dtype);
    oct_ref_qconcat(x->dtype, parts, found, product(x, 0, axis), product(x, axis + 1, x->rank), y->scale,
                    y->zero, y->data);
    result(m, y, in);
    if (!made_node(m, OCT_OP_QLinearConcat, in, 2 + 3 * found, y))
        return false;
    made_int(m, "axis", axis);
    return true;
}

bool made_transpose(made_graph *m, made_tensor *x)
{
    int perm[MADE_RANK] = {0, 1, 2, 3};
    int64_t dims[MADE_RANK], attribute[MADE_RANK];
    for (int d = x->rank - 1; d > 0; d--) {
        int other = made_pick(m, d + 1), kept = perm[d];
        perm[d] = perm[other];
        perm[other] = kept;
    }
    for (int d = 0; d < x->rank; d++) {
        attribute[d] = perm[d];
        dims[d] = x->dims[perm[d]];
    }
    made_tensor *y = made_new(m, x->dtype, x->rank, dims);
    if (!y)
        return false;
    y->scale = x->scale;
    y->zero = x->zero;
    oct_ref_transpose(x->data, x->dims, x->rank, perm, 1, y->data);
    if (!made_node(m, OCT_OP_Transpose, &x->value, 1, y))
        return false;
    made_ints(m, "perm", attribute, (size_t)x->rank);
    return true;
}

/* To a matrix, or to four dimensions. */
bool made_reshape(made_graph *m, made_tensor *x)
{
    int at = axis_of(m, x);
    int64_t dims[MADE_RANK] = {product(x, 0, at), product(x, at, x->rank)};
    int rank = made_pick(m, 2) ? 2 : 4;
    if (rank == 4) {
        int64_t divisor = 1 + made_pick(m, 6), rest = dims[1];
        while (rest % divisor)
            divisor--;
        dims[1] = divisor;
        dims[2] = 1;
        dims[3] = rest / divisor;
    }
    made_tensor *y = made_new(m, x->dtype, rank, dims);
    if (!y)
        return false;
    y->scale = x->scale;
    y->zero = x->zero;
    memcpy(y->data, x->data, (size_t)x->count);
    const int in[] = {x->value, made_const_ints(m, dims, rank)};
    return made_node(m, OCT_OP_Reshape, in, 2, y);
}

/* Elements of y at `begin` of x, `step` apart; outside of x: the value given. */
static void window_of(const made_tensor *x, const int64_t *begin, const int64_t *step, uint8_t outside,
                      made_tensor *y)
{
    for (int64_t i = 0; i < y->count; i++) {
        int64_t rest = i, at = 0, stride = 1;
        bool inside = true;
        for (int d = y->rank - 1; d >= 0; d--) {
            int64_t p = begin[d] + rest % y->dims[d] * step[d];
            inside = inside && p >= 0 && p < x->dims[d];
            at += p * stride;
            stride *= x->dims[d];
            rest /= y->dims[d];
        }
        ((uint8_t *)y->data)[i] = inside ? ((const uint8_t *)x->data)[at] : outside;
    }
}

/* By the zero point, as before a convolution, or by another value. */
bool made_pad(made_graph *m, made_tensor *x)
{
    int64_t pads[2 * MADE_RANK], dims[MADE_RANK], begin[MADE_RANK];
    const int64_t step[MADE_RANK] = {1, 1, 1, 1};
    for (int d = 0; d < x->rank; d++) {
        bool spatial = x->rank == 4 ? d >= 2 : true;
        pads[d] = spatial ? made_pick(m, 3) : 0;
        pads[d + x->rank] = spatial ? made_pick(m, 3) : 0;
        begin[d] = -pads[d];
        dims[d] = x->dims[d] + pads[d] + pads[d + x->rank];
    }
    made_tensor *y = made_new(m, x->dtype, x->rank, dims);
    if (!y)
        return false;
    y->scale = x->scale;
    y->zero = x->zero;
    int32_t with = made_pick(m, 3) ? x->zero : made_zero(m, x->dtype);
    window_of(x, begin, step, (uint8_t)with, y);
    const int in[] = {x->value, made_const_ints(m, pads, 2 * x->rank), made_const_zero(m, x->dtype, with)};
    return made_node(m, OCT_OP_Pad, in, 3, y);
}

bool made_slice(made_graph *m, made_tensor *x)
{
    int64_t start[MADE_RANK], end[MADE_RANK], axes[MADE_RANK], step[MADE_RANK], dims[MADE_RANK];
    for (int d = 0; d < x->rank; d++) {
        axes[d] = d;
        step[d] = 1 + made_pick(m, 4) / 3;
        start[d] = made_pick(m, 2) ? made_pick(m, (int)x->dims[d]) : 0;
        end[d] = x->dims[d] - (made_pick(m, 3) == 0 && x->dims[d] - start[d] > 1);
        dims[d] = (end[d] - start[d] + step[d] - 1) / step[d];
    }
    made_tensor *y = made_new(m, x->dtype, x->rank, dims);
    if (!y)
        return false;
    y->scale = x->scale;
    y->zero = x->zero;
    window_of(x, start, step, 0, y);
    const int in[] = {x->value, made_const_ints(m, start, x->rank), made_const_ints(m, end, x->rank),
                      made_const_ints(m, axes, x->rank), made_const_ints(m, step, x->rank)};
    return made_node(m, OCT_OP_Slice, in, 5, y);
}

bool made_mean(made_graph *m, made_tensor *x)
{
    int in[5], axis = axis_of(m, x);
    const int64_t axes[] = {axis};
    int64_t dims[MADE_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = 1;
    made_tensor *y = made_new(m, x->dtype, x->rank, dims);
    if (!y)
        return false;
    y->scale = made_scale(m);
    y->zero = made_zero(m, y->dtype);
    oct_ref_q_parameters p = {x->dtype, x->scale, y->scale, x->zero, y->zero};
    oct_ref_q_reduce(OCT_REF_Q_MEAN, &p, x->data, product(x, 0, axis), x->dims[axis],
                     product(x, axis + 1, x->rank), y->data);
    quantized(m, x, in);
    result(m, y, in + 3);
    if (!made_node(m, OCT_OP_QLinearReduceMean, in, 5, y))
        return false;
    made_ints(m, "axes", axes, 1);
    made_int(m, "keepdims", 1);
    return true;
}
