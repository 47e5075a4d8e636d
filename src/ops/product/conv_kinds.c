#include "conv_kinds.h"
#include "dtype.h"
#include "sizes.h"
#include "tile.h"
#include "work_items.h"

#include <stdio.h>

static bool depthwise(const void *request)
{
    return oct_geometry_is_depthwise(&((const oct_conv_request *)request)->g);
}

/* The kernel of rows has the window as build options and its loops over it written out. */
static bool depthwise_in_rows(const void *request)
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    return oct_geometry_is_depthwise(g) && g->dilation_h == 1 && g->kh <= 11 && g->kw <= 11 &&
           g->stride_h <= 4;
}

/* What a k group of all pixels takes, for each tile the products, the loads of B and, worth half of one,
 * those of the pixels. */
static double cost(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    const int64_t pixels = oct_geometry_pixels(g), channels = g->co / g->group, vectors = v->nb / 16;
    const int64_t tiles = (pixels / v->rows + (pixels % v->rows != 0)) * ((channels + v->nb - 1) / v->nb);
    (void)caps;
    return (double)(tiles * (2 * v->rows * vectors + v->rows + 2 * vectors));
}

static double tile_cost(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    int64_t groups = g->kh * g->kw * ((g->c / g->group + 3) / 4);
    oct_tiling s = oct_tile_spread_whole(&v->tile, oct_geometry_pixels(g), g->co / g->group, groups);
    return oct_tile_cost(&v->tile, caps, &s, g->group);
}

static oct_spreads spreads(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    int64_t pixels = oct_geometry_pixels(g), panels = (g->co / g->group + v->nb - 1) / v->nb * g->group;
    (void)caps;
    return oct_product_block_choices(pixels, v->rows, oct_product_block_rows(pixels, v->rows, panels));
}

static void options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS])
{
    (void)request;
    snprintf(text, OCT_VARIANT_OPTIONS, "-DROWS=%d -DNB=%d", v->rows, v->nb);
}

static void row_options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS])
{
    const oct_geometry *g = &((const oct_conv_request *)request)->g;
    snprintf(text, OCT_VARIANT_OPTIONS, "-DROWS=%d -DKH=%d -DKW=%d -DSTRIDE_H=%d", v->rows, (int)g->kh,
             (int)g->kw, (int)g->stride_h);
}

/* What every kernel is given, but for how its work is spread. */
static conv_args args_of(const oct_conv_work *w)
{
    const oct_conv_request *q = w->q;
    const oct_conv_chain *c = &q->then;
    const size_t x_at = (size_t)(w->part->block * (q->g.c / q->g.group)) * oct_dtype_bytes(q->x_dtype);
    conv_args args = {.x = oct_from(q->x, x_at),
                      .packed = oct_whole(w->p->packed),
                      .prep = oct_whole(w->p->prep),
                      .pad_row = oct_whole(w->pad_row),
                      .y = oct_from(q->y, (size_t)w->first * oct_dtype_bytes(q->y_dtype)),
                      .pixels = oct_geometry_pixels(&q->g),
                      .geometry = q->g,
                      .group_c = w->tap,
                      .group_co = w->p->n,
                      .packed_stride = w->p->packed_stride,
                      .prep_stride = w->p->prep_stride,
                      .clamp_min = q->clamp_min,
                      .clamp_max = q->clamp_max,
                      .swapped = c->swapped,
                      .sum_min = c->sum_min,
                      .sum_max = c->sum_max};
    if (c->has_table)
        args.table = oct_whole(c->table);
    if (c->has_sum) {
        args.residual = oct_from(c->residual, (size_t)w->first);
        args.sum_params = oct_whole(w->sum_params);
    }
    return args;
}

/* The launch but for its work sizes. of_device: build options besides those of row and product. */
static oct_launch *append(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const oct_conv_work *w,
                          const conv_args *args, const char *of_device)
{
    const oct_conv_chain *c = &w->q->then;
    char own[OCT_VARIANT_OPTIONS], of_product[64];
    oct_variant_options(v, w->q, own);
    oct_product_options(w->p, of_product);
    oct_launch *l = oct_recipe_launch(r, v->file, "conv", "%s %s %s%s%s%s", of_device, own, of_product,
                                      c->has_table ? " -DCHAIN_TABLE" : "",
                                      c->has_table && caps->x86_avx512_vbmi ? " -DX86_VBMI" : "",
                                      c->has_sum ? " -DCHAIN_SUM" : "");
    oct_launch_conv(l, args);
    if (c->has_sum && c->residual != w->q->x) /* which other work-items read */
        oct_launch_in_place(l, c->residual);
    return l;
}

static size_t pixel_tiles(const oct_conv_work *w, int64_t rows)
{
    return oct_ceil_div((size_t)oct_geometry_pixels(&w->q->g), (size_t)rows);
}

static octet_status launch_grid(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_conv_work *w = work;
    const conv_args args = args_of(w);
    oct_launch_3d(append(r, caps, v, w, &args, ""),
                  (size_t[3]){(size_t)w->p->panels, pixel_tiles(w, v->rows), (size_t)w->p->blocks}, NULL);
    return r->status;
}

static octet_status launch_blocks(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_conv_work *w = work;
    conv_args args = args_of(w);
    int64_t wanted = w->q->force.spread, pixels = args.pixels;
    args.block_pixels = wanted ? (int64_t)oct_round_up((size_t)wanted, (size_t)v->rows)
                               : oct_product_block_rows(pixels, v->rows, w->p->panels * w->p->blocks);
    oct_launch_3d(append(r, caps, v, w, &args, ""),
                  (size_t[3]){pixel_tiles(w, args.block_pixels), (size_t)w->p->panels, (size_t)w->p->blocks},
                  (size_t[3]){1, 1, 1});
    return r->status;
}

static octet_status launch_tiles(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_conv_work *w = work;
    const conv_args args = args_of(w);
    oct_tiling s = oct_tile_spread_whole(&v->tile, oct_geometry_pixels(&w->q->g), w->p->n, w->p->groups);
    size_t items = oct_tile_items(&v->tile);
    char of_device[64];
    oct_tile_device_options(&v->tile, caps, of_device);
    oct_launch_3d(append(r, caps, v, w, &args, of_device),
                  (size_t[3]){(size_t)(s.down * s.across) * items, 1, (size_t)w->p->blocks},
                  (size_t[3]){items, 1, 1});
    return r->status;
}

static octet_status launch_rows(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_conv_work *w = work;
    const conv_args args = args_of(w);
    size_t tiles = (size_t)w->q->g.n * oct_ceil_div((size_t)w->q->g.oh, (size_t)v->rows);
    oct_launch_3d(append(r, caps, v, w, &args, ""), (size_t[3]){tiles, (size_t)w->p->panels, 1},
                  (size_t[3]){1, 1, 1});
    return r->status;
}

static octet_status launch_quads(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_conv_work *w = work;
    const conv_args args = args_of(w);
    size_t local[3], global[3] = {oct_ceil_div((size_t)w->p->n, 4), pixel_tiles(w, v->rows), 1};
    oct_group_items(caps, global, local);
    oct_launch_3d(append(r, caps, v, w, &args, ""), global, local);
    return r->status;
}

const oct_kind oct_conv_blocks = {
    .cost = cost, .spreads = spreads, .options = options, .launch = launch_blocks};
const oct_kind oct_conv_grid = {.cost = cost, .options = options, .launch = launch_grid};
const oct_kind oct_conv_tiles = {.fits = oct_tile_fits,
                                 .suits = oct_suits_gpu,
                                 .cost = tile_cost,
                                 .options = oct_tile_options,
                                 .launch = launch_tiles};
const oct_kind oct_conv_depthwise_rows = {.applies = depthwise_in_rows,
                                          .cost = cost,
                                          .options = row_options,
                                          .launch = launch_rows,
                                          .depthwise = true,
                                          .row_taps = true};
const oct_kind oct_conv_depthwise_grid = {
    .applies = depthwise, .cost = cost, .options = options, .launch = launch_grid, .depthwise = true};
const oct_kind oct_conv_depthwise_quads = {.applies = depthwise,
                                           .suits = oct_suits_gpu,
                                           .cost = cost,
                                           .options = options,
                                           .launch = launch_quads,
                                           .depthwise = true};
