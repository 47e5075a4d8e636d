#include "conv.h"
#include "dtype.h"
#include "pointwise.h"
#include "product.h"
#include "sizes.h"
#include "split.h"
#include "tile.h"
#include "wide.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef enum conv_kind { CONV_ANY, CONV_DEPTHWISE, CONV_DEPTHWISE_ROWS } conv_kind;

typedef struct conv_variant {
    const char *name, *file;
    int rows, nb, kb;
    oct_form form;
    size_t capability; /* offset of a bool in oct_caps */
    conv_kind kind;
    oct_tile tile; /* bm 0: none */
    bool gpu;      /* taken by GPUs, by others only when asked for */
} conv_variant;

static const conv_variant variants[] = {
#define CONV_VARIANT(name, file, rows, nb, kb, form, capability, kind)                                       \
    {#name, file, rows, nb, kb, form, offsetof(oct_caps, capability), kind, {0}, false},
#define CONV_TILE(name, bm, bn, bk, tm, tn)                                                                  \
    {#name,    "conv/conv_tiled.cl", bm,  64, 4, OCT_DOT4, offsetof(oct_caps, any_device),                   \
     CONV_ANY, {bm, bn, bk, tm, tn}, true},
#define CONV_QUAD(name, rows)                                                                                \
    {#name,     "conv/conv_depthwise_quad.cl",  rows,           16,  1,                                      \
     OCT_AS_IS, offsetof(oct_caps, any_device), CONV_DEPTHWISE, {0}, true},
#include "conv_variants.def"
#undef CONV_VARIANT
#undef CONV_TILE
#undef CONV_QUAD
};
#define VARIANT_COUNT (sizeof variants / sizeof variants[0])

static bool runs_on(const conv_variant *v, const oct_caps *caps)
{
    return oct_product_runs_on(v->capability, caps) && (!v->tile.bm || oct_tile_valid(&v->tile, caps));
}

const char *oct_conv_variant_name(const oct_caps *caps, size_t index)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (runs_on(&variants[i], caps) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

static bool is_depthwise(const oct_conv_request *q)
{
    return q->group == q->c && q->co == q->c && q->c > 1;
}

static bool fits(const conv_variant *v, const oct_conv_request *q)
{
    /* The kernel of rows has these as build options and its loops over them written out. */
    bool rows = q->dilation_h == 1 && q->kh <= 11 && q->kw <= 11 && q->stride_h <= 4;
    return v->kind == CONV_ANY || (is_depthwise(q) && (v->kind == CONV_DEPTHWISE || rows));
}

/* A tile for GPUs: its estimated time. Others: what a k group of all pixels takes, for each tile the
 * products, the loads of B and, worth half of one, those of the pixels. */
static double tile_cost(const conv_variant *v, const oct_caps *caps, const oct_conv_request *q)
{
    const int64_t pixels = q->n * q->oh * q->ow, channels = q->co / q->group, vectors = v->nb / 16;
    if (v->tile.bm) {
        int64_t groups = q->kh * q->kw * ((q->c / q->group + 3) / 4);
        oct_tiling s = oct_tile_spread_whole(&v->tile, pixels, channels, groups);
        return oct_tile_cost(&v->tile, caps, &s, q->group);
    }
    const int64_t tiles = (pixels / v->rows + (pixels % v->rows != 0)) * ((channels + v->nb - 1) / v->nb);
    return (double)(tiles * (2 * v->rows * vectors + v->rows + 2 * vectors));
}

/* Devices that are not GPUs take the kernels for GPUs only when asked to. */
static bool may_serve(const conv_variant *v, const oct_caps *caps, const oct_conv_request *q)
{
    return runs_on(v, caps) && fits(v, q) && (!v->gpu || caps->prefers_tiles);
}

static const conv_variant *find_variant(const oct_caps *caps, const oct_conv_request *q, const char *name)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (strcmp(name, variants[i].name) == 0)
            return runs_on(&variants[i], caps) && fits(&variants[i], q) ? &variants[i] : NULL;
    }
    return NULL;
}

/* The cheapest of the kind and capability that fit first. */
static const conv_variant *cheapest(const oct_caps *caps, const oct_conv_request *q)
{
    const conv_variant *best = NULL;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        const conv_variant *v = &variants[i];
        if (!may_serve(v, caps, q))
            continue;
        bool alike =
            best && v->capability == best->capability && v->kind == best->kind && v->gpu == best->gpu;
        if (!best || (alike && tile_cost(v, caps, q) < tile_cost(best, caps, q)))
            best = v;
    }
    return best;
}

/* The forced variant, that of the tuning row, or the cheapest; NULL when the forced one does not serve.
 * *spread: how its work is spread. */
static const conv_variant *select_variant(const oct_caps *caps, const oct_conv_request *q, int64_t *spread)
{
    *spread = q->spread;
    if (q->variant)
        return find_variant(caps, q, q->variant);
    char key[OCT_TUNING_KEY];
    oct_conv_key(q, key);
    const oct_tuning_row *row = oct_tuning_find(caps->tuning, key);
    const conv_variant *v = row ? find_variant(caps, q, row->variant) : NULL;
    *spread = v ? row->spread : 0;
    return v ? v : cheapest(caps, q);
}

/* Does the variant that is chosen take x as it is? */
static bool multiplies_wide(const oct_caps *caps, const oct_conv_request *q)
{
    int64_t spread;
    const conv_variant *v = select_variant(caps, q, &spread);
    return v && oct_dtype_is_int16(q->x_dtype) && v->form == OCT_U8S8;
}

const char *oct_conv_select(const oct_caps *caps, const oct_conv_request *q)
{
    int64_t spread;
    const conv_variant *v = select_variant(caps, q, &spread);
    return v ? v->name : NULL;
}

void oct_conv_key(const oct_conv_request *q, char key[OCT_TUNING_KEY])
{
    snprintf(key, OCT_TUNING_KEY,
             "conv %lldx%lldx%lldx%lld to %lldx%lldx%lld window %lldx%lld stride %lldx%lld dilation "
             "%lldx%lld pad %lldx%lld group %lld%s",
             (long long)q->n, (long long)q->h, (long long)q->w, (long long)q->c, (long long)q->oh,
             (long long)q->ow, (long long)q->co, (long long)q->kh, (long long)q->kw, (long long)q->stride_h,
             (long long)q->stride_w, (long long)q->dilation_h, (long long)q->dilation_w,
             (long long)q->pad_top, (long long)q->pad_left, (long long)q->group,
             oct_dtype_is_int16(q->x_dtype) ? " of 16 bits" : "");
}

const char *oct_conv_candidate(const oct_caps *caps, const oct_conv_request *q, size_t index)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (may_serve(&variants[i], caps, q) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

oct_spreads oct_conv_spreads(const oct_caps *caps, const oct_conv_request *q, const char *variant)
{
    const conv_variant *v = find_variant(caps, q, variant);
    if (!v || v->gpu || v->kind != CONV_ANY || v->capability == offsetof(oct_caps, any_device))
        return (oct_spreads){.count = 0};
    int64_t pixels = q->n * q->oh * q->ow, panels = (q->co / q->group + v->nb - 1) / v->nb * q->group;
    return oct_product_block_choices(pixels, v->rows, oct_product_block_rows(pixels, v->rows, panels));
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
    RETURN_IF(q->group < 1 || q->c % q->group || q->co % q->group, OCTET_INVALID_ARGUMENT,
              "convolution: %lld input and %lld output channels do not divide into %lld groups",
              (long long)q->c, (long long)q->co, (long long)q->group);
    RETURN_IF(!reach_fits(q->oh, q->stride_h, q->kh, q->dilation_h, q->pad_top) ||
                  !reach_fits(q->ow, q->stride_w, q->kw, q->dilation_w, q->pad_left),
              OCTET_INVALID_ARGUMENT, "convolution: a size, stride, dilation or pad is out of range");
    RETURN_IF((q->then.has_table || q->then.has_sum) && !oct_dtype_is_int8(q->y_dtype),
              OCTET_INVALID_ARGUMENT, "convolution: a table or a sum wants 8-bit results");
    const int64_t dims[] = {q->n, q->h, q->w, q->c, q->co};
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
        if (is_const && rows != q->co) {
            w = oct_recipe_const_part(r, w, (size_t)(at * p->k), (size_t)rows, (size_t)p->k, (size_t)p->k);
            at = 0;
        }
        oct_launch *l = oct_product_launch(r, p, "pack_weights");
        oct_launch_in_at(l, w, (size_t)(at * p->k));
        oct_launch_out_at(l, p->packed, oct_product_packed_at(p, &slice));
        oct_launch_i32(l, slice.cols);
        oct_launch_i32(l, p->k / (q->kh * q->kw));
        oct_launch_i32(l, q->kh * q->kw);
        oct_launch_i32(l, span);
        oct_launch_i64(l, p->packed_stride);
        oct_product_stored_as(l, p, slice.block * p->n + slice.col);
        size_t panels = oct_ceil_div((size_t)slice.cols, (size_t)p->nb);
        oct_launch_3d(l, (size_t[3]){(size_t)p->groups, panels, (size_t)slice.blocks}, NULL);
    }
}

static oct_mem padding_row(oct_recipe *r, const oct_conv_request *q)
{
    size_t elem = oct_dtype_bytes(q->x_dtype), bytes = (size_t)q->c * elem;
    oct_mem row = oct_recipe_temp(r, bytes + OCT_BUFFER_PAD);
    oct_launch *l = oct_recipe_launch(r, "conv/pad_rows.cl", "padding_row", "%s", "");
    oct_launch_in(l, q->x_q.zero);
    oct_launch_out(l, row);
    oct_launch_i32(l, q->x_q.zero_count);
    oct_launch_i32(l, (int64_t)elem);
    oct_launch_1d(l, bytes, 0);
    return row;
}

/* What all parts of a convolution share. */
typedef struct prepared {
    oct_mem pad_row;
    oct_mem sum_params; /* of the chain, or OCT_MEM_NONE */
} prepared;

/* Few channels would leave bytes of most k groups empty: a row of the window is then taken as one tap. */
static bool merges_rows(const conv_variant *v, const oct_conv_request *q)
{
    return v->kind == CONV_ANY && v->kb == 4 && q->group == 1 && q->dilation_w == 1 && q->kw > 1 &&
           q->c < 16 && q->c % oct_product_terms(q->x_dtype, v->kb);
}

/* The same convolution over an input with its padding written out, where rows of the window are contiguous.
 */
static octet_status write_padding(oct_recipe *r, oct_conv_request *q, oct_mem pad_row)
{
    const int64_t h = (q->oh - 1) * q->stride_h + (q->kh - 1) * q->dilation_h + 1;
    const int64_t w = (q->ow - 1) * q->stride_w + q->kw;
    const int64_t elem = (int64_t)oct_dtype_bytes(q->x_dtype), pixel = q->c * elem;
    size_t bytes;
    RETURN_IF(!oct_size_mul((size_t)(q->n * h), (size_t)(w * pixel), &bytes) || bytes > SIZE_MAX / 4,
              OCTET_OUT_OF_MEMORY, "convolution: its input with the padding exceeds the address space");
    oct_mem padded = oct_recipe_temp(r, bytes + OCT_BUFFER_PAD); /* the last k group is read whole */
    oct_launch *l = oct_recipe_launch(r, "conv/pad_rows.cl", "pad_rows", "%s", "");
    oct_launch_in(l, q->x);
    oct_launch_in(l, pad_row);
    oct_launch_out(l, padded);
    oct_launch_i32(l, q->h);
    oct_launch_i64(l, q->w * pixel);
    oct_launch_i64(l, w * pixel);
    oct_launch_i32(l, q->pad_top);
    oct_launch_i64(l, q->pad_left * pixel);
    oct_launch_i32(l, elem);
    oct_launch_2d(l, (size_t)h, (size_t)q->n, 1, 1);
    q->x = padded;
    q->h = h;
    q->w = w;
    q->kw = 1;
    q->pad_top = q->pad_left = 0;
    return r->status;
}

/* Options of the chain, at most 48 bytes. */
static void chain_options(const oct_caps *caps, const oct_conv_chain *c, char text[48])
{
    snprintf(text, 48, "%s%s%s", c->has_table ? " -DCHAIN_TABLE" : "",
             c->has_table && caps->x86_avx512_vbmi ? " -DX86_VBMI" : "", c->has_sum ? " -DCHAIN_SUM" : "");
}

/* Its arguments (kernels/conv/conv.clh). */
static void chain_arguments(oct_launch *l, const oct_conv_request *q, oct_mem sum_params, size_t offset)
{
    if (q->then.has_table)
        oct_launch_in(l, q->then.table);
    if (!q->then.has_sum)
        return;
    oct_launch_in_at(l, q->then.residual, offset);
    if (q->then.residual != q->x) /* which other work-items read */
        oct_launch_in_place(l, q->then.residual);
    oct_launch_in(l, sum_params);
    oct_launch_i32(l, q->then.swapped);
    oct_launch_i32(l, q->then.sum_min);
    oct_launch_i32(l, q->then.sum_max);
}

/* A part of the output channels, the first of which is `first`. tap: channels under one. */
static void convolve(oct_recipe *r, const oct_caps *caps, const oct_conv_request *q, const oct_product *p,
                     const conv_variant *v, const oct_part *part, int64_t first, const prepared *made,
                     int64_t tap)
{
    char options[64], tile[128], chain[48];
    oct_product_options(p, options);
    chain_options(caps, &q->then, chain);
    if (v->tile.bm)
        oct_tile_options(&v->tile, caps, tile);
    else
        snprintf(tile, sizeof tile, "-DROWS=%d -DNB=%d", v->rows, v->nb);
    bool rows_kernel = v->kind == CONV_DEPTHWISE_ROWS;
    oct_launch *l =
        rows_kernel ? oct_recipe_launch(r, v->file, "conv", "-DROWS=%d -DKH=%d -DKW=%d -DSTRIDE_H=%d %s%s",
                                        v->rows, (int)q->kh, (int)q->kw, (int)q->stride_h, options, chain)
                    : oct_recipe_launch(r, v->file, "conv", "%s %s%s", tile, options, chain);
    oct_launch_in_at(l, q->x, (size_t)(part->block * (q->c / q->group)) * oct_dtype_bytes(q->x_dtype));
    oct_launch_in(l, p->packed);
    oct_launch_in(l, p->prep);
    oct_launch_in(l, made->pad_row);
    oct_launch_out_at(l, q->y, (size_t)first * oct_dtype_bytes(q->y_dtype));
    int64_t pixels = q->n * q->oh * q->ow;
    oct_launch_i64(l, pixels);
    const int64_t numbers[] = {
        q->h,        q->w,        q->c,          q->oh,         q->ow,      q->co,       q->kh, q->kw,
        q->stride_h, q->stride_w, q->dilation_h, q->dilation_w, q->pad_top, q->pad_left, tap,   p->n};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        oct_launch_i32(l, numbers[i]);
    oct_launch_i64(l, p->packed_stride);
    oct_launch_i64(l, p->prep_stride);
    oct_launch_i32(l, q->clamp_min);
    oct_launch_i32(l, q->clamp_max);
    chain_arguments(l, q, made->sum_params, (size_t)first);
    size_t panels = (size_t)p->panels, blocks = (size_t)p->blocks;
    if (v->tile.bm) {
        oct_tiling s = oct_tile_spread_whole(&v->tile, pixels, p->n, p->groups);
        size_t items = oct_tile_items(&v->tile);
        oct_launch_3d(l, (size_t[3]){(size_t)(s.down * s.across) * items, 1, blocks},
                      (size_t[3]){items, 1, 1});
        return;
    }
    if (v->gpu) {
        size_t local[3],
            global[3] = {oct_ceil_div((size_t)p->n, 4), oct_ceil_div((size_t)pixels, (size_t)v->rows), 1};
        oct_group_items(caps, global, local);
        oct_launch_3d(l, global, local);
        return;
    }
    if (v->capability == offsetof(oct_caps, any_device)) {
        oct_launch_3d(l, (size_t[3]){panels, oct_ceil_div((size_t)pixels, (size_t)v->rows), blocks}, NULL);
        return;
    }
    if (rows_kernel) {
        size_t tiles = (size_t)q->n * oct_ceil_div((size_t)q->oh, (size_t)v->rows);
        oct_launch_3d(l, (size_t[3]){tiles, panels, 1}, (size_t[3]){1, 1, 1});
        return;
    }
    int64_t rows = q->spread ? (int64_t)oct_round_up((size_t)q->spread, (size_t)v->rows)
                             : oct_product_block_rows(pixels, v->rows, p->panels * p->blocks);
    oct_launch_i32(l, rows);
    oct_launch_3d(l, (size_t[3]){oct_ceil_div((size_t)pixels, (size_t)rows), panels, blocks},
                  (size_t[3]){1, 1, 1});
}

/* A convolution with 16 bits on either side that no variant takes: one for each 8-bit part of x. */
static octet_status conv_wide(oct_recipe *r, const oct_caps *caps, const oct_conv_request *q)
{
    int64_t elems, sums, pixels = q->n * q->oh * q->ow;
    RETURN_IF(!oct_shape_elems((int64_t[]){q->n, q->h, q->w, q->c}, 4, &elems) ||
                  !oct_shape_elems((int64_t[]){q->n, q->oh, q->ow, q->co}, 4, &sums),
              OCTET_OUT_OF_MEMORY, "convolution: its tensors exceed the address space");
    oct_wide wide;
    FORWARD(oct_wide_split(r, caps, q->x, q->x_dtype, elems, &q->x_q, sums, &wide));
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
                                            .n = q->co,
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
    const conv_variant *v = select_variant(caps, request, &chosen.spread);
    RETURN_IF(!v, OCTET_UNSUPPORTED,
              "convolution variant '%s' is unknown or does not fit this device or convolution",
              q->variant ? q->variant : "");
    oct_recipe_note(r, OCT_FAMILY_CONV, q, sizeof *q);
    bool depthwise = v->kind != CONV_ANY;
    int64_t taps = q->kh * q->kw, group_c = q->c / q->group;
    bool merge = merges_rows(v, q);
    const int kb = oct_product_terms(q->x_dtype, v->kb);
    int64_t span = merge || v->kind == CONV_DEPTHWISE_ROWS ? q->kw : 1; /* taps that share groups of k */
    RETURN_IF(taps > INT32_MAX / (group_c + 4), OCTET_UNSUPPORTED,
              "convolution: %lld terms a sum are past the bound", (long long)taps);
    oct_product p = {.a_dtype = q->x_dtype,
                     .b_dtype = q->w_dtype,
                     .c_dtype = q->y_dtype,
                     .a_q = q->x_q,
                     .b_q = q->w_q,
                     .c_q = q->y_q,
                     .bias = q->bias,
                     .n = depthwise ? q->c : q->co / q->group,
                     .k = taps * group_c,
                     .groups = taps / span * (int64_t)oct_ceil_div((size_t)(span * group_c), (size_t)kb),
                     .blocks = depthwise ? 1 : q->group,
                     .channels_follow = true,
                     .nb = v->nb,
                     .kb = kb,
                     .form = v->form == OCT_DOT4 ? oct_tile_form(caps) : v->form};
    FORWARD(oct_product_check(&p));
    if (q->n == 0 || q->oh == 0 || q->ow == 0 || q->co == 0)
        return OCTET_OK;
    p.whole = depthwise || !oct_product_can_split(r, &p, q->weights);
    prepared made = {.pad_row = padding_row(r, q), .sum_params = OCT_MEM_NONE};
    if (q->then.has_sum)
        made.sum_params = oct_qbinary_params(r, q->y_dtype, OCT_QBINARY_ADD, q->then.swapped, &q->then.own_q,
                                             &q->then.residual_q, &q->then.sum_q);
    oct_conv_request seen = *q; /* by the kernel */
    if (merge)
        FORWARD(write_padding(r, &seen, made.pad_row));
    for (oct_part part = {0}; oct_product_next_part(&p, r->piece_bytes, &part);) {
        oct_product piece = oct_product_of_part(r, &p, &part);
        int64_t first = part.block * p.n + part.col;
        FORWARD(oct_product_begin(r, &piece));
        if (piece.groups)
            pack(r, q, &piece, span, first);
        oct_product_prepare(r, &piece);
        /* The end of the last k group meets zeros in B, but would count in a sum of A. */
        int64_t tap = span * group_c, whole = (int64_t)oct_round_up((size_t)tap, (size_t)kb);
        convolve(r, caps, &seen, &piece, v, &part, first, &made, merge && !piece.needs_rowsum ? whole : tap);
    }
    return r->status;
}
