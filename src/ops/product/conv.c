#include "conv.h"
#include "conv_kinds.h"
#include "dtype.h"
#include "pointwise.h"
#include "sizes.h"
#include "wide.h"

#include <stdio.h>

static const oct_variant variants[] = {
#include "conv_variants.def"
};

static double macs(const void *request)
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    return (double)oct_geometry_pixels(g) * (double)g->co * (double)(g->kh * g->kw) * (double)g->c /
           (double)g->group;
}

static void key(const void *request, char text[OCT_TUNING_KEY])
{
    const oct_conv_request *q = request;
    char geometry[OCT_GEOMETRY_TEXT];
    oct_geometry_print(&q->g, geometry);
    snprintf(text, OCT_TUNING_KEY, "conv %s%s", geometry,
             oct_dtype_is_int16(q->x_dtype) ? " of 16 bits" : "");
}

const oct_family oct_conv_family = {"convolution", variants, sizeof variants / sizeof variants[0], macs, key};

/* Does the variant that is chosen take x as it is? */
static bool multiplies_wide(const oct_caps *caps, const oct_conv_request *q)
{
    const oct_variant *v = oct_variant_select(&oct_conv_family, caps, q, NULL);
    return v && oct_dtype_is_int16(q->x_dtype) && v->form == OCT_U8S8;
}

/* What one dimension of output reads must not leave int: the kernels index positions with it. */
static bool reach_fits(int64_t out, int64_t stride, int64_t kernel, int64_t dilation, int64_t pad)
{
    const int64_t limit = INT32_MAX / 2;
    return out >= 0 && stride >= 1 && kernel >= 1 && dilation >= 1 && pad >= 0 && pad < limit &&
           out <= limit / stride && kernel <= limit / dilation;
}

static octet_status check(const oct_conv_request *q)
{
    const oct_geometry *g = &q->g;
    RETURN_IF(g->group < 1 || g->c % g->group || g->co % g->group, OCTET_INVALID_ARGUMENT,
              "convolution: %lld input and %lld output channels do not divide into %lld groups",
              (long long)g->c, (long long)g->co, (long long)g->group);
    RETURN_IF(!reach_fits(g->oh, g->stride_h, g->kh, g->dilation_h, g->pad_top) ||
                  !reach_fits(g->ow, g->stride_w, g->kw, g->dilation_w, g->pad_left),
              OCTET_INVALID_ARGUMENT, "convolution: a size, stride, dilation or pad is out of range");
    RETURN_IF((q->then.has_table || q->then.has_sum) && !oct_dtype_is_int8(q->y_dtype),
              OCTET_INVALID_ARGUMENT, "convolution: a table or a sum wants 8-bit results");
    const int64_t dims[] = {g->n, g->h, g->w, g->c, g->co};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        RETURN_IF(dims[i] < 0 || dims[i] > INT32_MAX - 4096, OCTET_UNSUPPORTED,
                  "convolution: a dimension is past 2^31");
    return OCTET_OK;
}

/* Pack a part of the weights, whose first channel is `first`, in slices where they are a constant. */
static void pack(oct_recipe *r, const oct_conv_request *q, const oct_product *p, int64_t span, int64_t first)
{
    bool is_const = oct_recipe_is_const(r, q->weights);
    size_t limit = is_const && p->k * p->n * p->blocks > (int64_t)r->slice_bytes ? r->slice_bytes : SIZE_MAX;
    for (oct_part slice = {0}; oct_product_next_part(p, limit, &slice);) {
        int64_t rows = slice.blocks * slice.cols, at = first + slice.block * p->n + slice.col;
        oct_mem w = q->weights;
        if (is_const && rows != q->g.co) {
            w = oct_recipe_const_part(r, w, (size_t)(at * p->k), (size_t)rows, (size_t)p->k, (size_t)p->k);
            at = 0;
        }
        oct_launch *l = oct_product_launch(r, p, "pack_weights");
        OCT_ARGS(l, pack_weights, .w = oct_from(w, (size_t)(at * p->k)),
                 .b_zero = oct_product_b_zero(p, slice.block * p->n + slice.col),
                 .packed = oct_from(p->packed, oct_product_packed_at(p, &slice)), .n = slice.cols,
                 .channels = p->k / (q->g.kh * q->g.kw), .taps = q->g.kh * q->g.kw, .span = span,
                 .groups = p->groups, .packed_stride = p->packed_stride, .stored = oct_product_stored(p));
        size_t panels = oct_ceil_div((size_t)slice.cols, (size_t)p->nb);
        oct_launch_3d(l, (size_t[3]){(size_t)p->groups, panels, (size_t)slice.blocks}, NULL);
    }
}

static oct_mem padding_row(oct_recipe *r, const oct_conv_request *q)
{
    size_t elem = oct_dtype_bytes(q->x_dtype), bytes = (size_t)q->g.c * elem;
    oct_mem row = oct_recipe_temp(r, bytes + OCT_BUFFER_PAD);
    oct_launch *l = oct_recipe_launch(r, "conv/pad_rows.cl", "padding_row", "%s", "");
    OCT_ARGS(l, padding_row, .zero = oct_whole(q->x_q.zero), .row = oct_whole(row), .bytes = (int64_t)elem,
             .has_zero = q->x_q.zero_count != 0);
    oct_launch_1d(l, bytes, 0);
    return row;
}

/* Few channels would leave bytes of most k groups empty: a row of the window is then taken as one tap. */
static bool merges_rows(const oct_variant *v, const oct_conv_request *q)
{
    const oct_geometry *g = &q->g;
    return g->group == 1 && g->dilation_w == 1 && g->kw > 1 && g->c < 16 &&
           g->c % oct_product_terms(q->x_dtype, v->kb);
}

/* The same convolution over an input with its padding written out, where rows of the window are contiguous.
 */
static octet_status write_padding(oct_recipe *r, oct_conv_request *q, oct_mem pad_row)
{
    oct_geometry *g = &q->g;
    const int64_t h = (g->oh - 1) * g->stride_h + (g->kh - 1) * g->dilation_h + 1;
    const int64_t w = (g->ow - 1) * g->stride_w + g->kw;
    const int64_t elem = (int64_t)oct_dtype_bytes(q->x_dtype), pixel = g->c * elem;
    size_t bytes;
    RETURN_IF(!oct_size_mul((size_t)(g->n * h), (size_t)(w * pixel), &bytes) || bytes > SIZE_MAX / 4,
              OCTET_OUT_OF_MEMORY, "convolution: its input with the padding exceeds the address space");
    oct_mem padded = oct_recipe_temp(r, bytes + OCT_BUFFER_PAD); /* the last k group is read whole */
    oct_launch *l = oct_recipe_launch(r, "conv/pad_rows.cl", "pad_rows", "%s", "");
    OCT_ARGS(l, pad_rows, .x = oct_whole(q->x), .pad_row = oct_whole(pad_row), .y = oct_whole(padded),
             .rows = g->h, .y_rows = h, .row_length = g->w * pixel, .length = w * pixel, .top = g->pad_top,
             .left = g->pad_left * pixel, .bytes = elem);
    oct_launch_2d(l, (size_t)h, (size_t)g->n, 1, 1);
    q->x = padded;
    g->h = h;
    g->w = w;
    g->kw = 1;
    g->pad_top = g->pad_left = 0;
    return r->status;
}

/* A convolution with 16 bits on either side that no variant takes: one for each 8-bit part of x. */
static octet_status conv_wide(oct_recipe *r, const oct_caps *caps, const oct_conv_request *q)
{
    const oct_geometry *g = &q->g;
    int64_t elems, sums, pixels = oct_geometry_pixels(g);
    RETURN_IF(!oct_shape_elems((int64_t[]){g->n, g->h, g->w, g->c}, 4, &elems) ||
                  !oct_shape_elems((int64_t[]){g->n, g->oh, g->ow, g->co}, 4, &sums),
              OCTET_OUT_OF_MEMORY, "convolution: its tensors exceed the address space");
    oct_wide wide;
    FORWARD(oct_wide_halves(r, caps, q->x, q->x_dtype, elems, &q->x_q, sums, &wide));
    for (int i = 0; i < wide.count; i++) {
        oct_conv_request part = *q;
        part.x = wide.parts[i].x;
        part.x_dtype = wide.parts[i].dtype;
        part.x_q = wide.parts[i].q;
        part.w_q.scale = OCT_MEM_NONE;
        part.w_q.scale_count = 0;
        part.y_q = (oct_quant){.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE};
        part.y = wide.parts[i].sums;
        part.y_dtype = OCTET_S32;
        part.bias = OCT_MEM_NONE;
        FORWARD(oct_conv(r, caps, &part));
    }
    return oct_wide_join(r, caps, &wide,
                         &(oct_wide_result){.rows = pixels,
                                            .n = g->co,
                                            .bias = q->bias,
                                            .x_q = q->x_q,
                                            .w_q = q->w_q,
                                            .y_q = q->y_q,
                                            .y = q->y,
                                            .y_dtype = q->y_dtype,
                                            .clamp_min = q->clamp_min,
                                            .clamp_max = q->clamp_max});
}

octet_status oct_conv(oct_recipe *r, const oct_caps *caps, const oct_conv_request *request)
{
    FORWARD(check(request));
    if (oct_is_wide(request->x_dtype, request->y_dtype) && !multiplies_wide(caps, request))
        return conv_wide(r, caps, request);
    oct_conv_request chosen = *request;
    const oct_conv_request *q = &chosen;
    const oct_geometry *g = &q->g;
    const oct_variant *v;
    FORWARD(oct_variant_choose(&oct_conv_family, caps, request, &v, &chosen.force.spread));
    oct_recipe_note(r, &oct_conv_family, q, sizeof *q);
    const bool depthwise = v->kind->depthwise;
    int64_t taps = g->kh * g->kw, group_c = g->c / g->group;
    bool merge = merges_rows(v, q);
    int64_t span = merge || v->kind->row_taps ? g->kw : 1; /* taps that share groups of k */
    RETURN_IF(taps > INT32_MAX / (group_c + 4), OCTET_UNSUPPORTED,
              "convolution: %lld terms a sum are past the bound", (long long)taps);
    oct_product p = {.a_dtype = q->x_dtype,
                     .b_dtype = q->w_dtype,
                     .c_dtype = q->y_dtype,
                     .a_q = q->x_q,
                     .b_q = q->w_q,
                     .c_q = q->y_q,
                     .bias = q->bias,
                     .n = depthwise ? g->c : g->co / g->group,
                     .k = taps * group_c,
                     .blocks = depthwise ? 1 : g->group,
                     .channels_follow = true};
    oct_product_pack_for(&p, v, caps);
    p.groups = taps / span * (int64_t)oct_ceil_div((size_t)(span * group_c), (size_t)p.kb);
    FORWARD(oct_product_check(&p));
    if (g->n == 0 || g->oh == 0 || g->ow == 0 || g->co == 0)
        return OCTET_OK;
    p.whole = depthwise || !oct_product_can_cut(r, &p, q->weights);
    oct_conv_request seen = *q; /* by the kernel */
    oct_conv_work work = {.q = &seen, .pad_row = padding_row(r, q), .sum_params = OCT_MEM_NONE};
    if (q->then.has_sum)
        work.sum_params = oct_qbinary_params(r, q->y_dtype, OCT_QBINARY_ADD, q->then.swapped, &q->then.own_q,
                                             &q->then.residual_q, &q->then.sum_q);
    if (merge)
        FORWARD(write_padding(r, &seen, work.pad_row));
    /* The end of the last k group meets zeros in B, but would count in a sum of A. */
    const int64_t tap = span * group_c, whole = (int64_t)oct_round_up((size_t)tap, (size_t)p.kb);
    for (oct_part part = {0}; oct_product_next_part(&p, r->piece_bytes, &part);) {
        oct_product piece = oct_product_of_part(r, &p, &part);
        work.p = &piece;
        work.part = &part;
        work.first = part.block * p.n + part.col;
        FORWARD(oct_product_begin(r, &piece));
        if (piece.groups)
            pack(r, q, &piece, span, work.first);
        oct_product_prepare(r, &piece);
        work.tap = merge && !piece.needs_rowsum ? whole : tap;
        FORWARD(v->kind->launch(r, caps, v, &work));
    }
    return r->status;
}
