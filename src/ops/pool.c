#include "pool.h"
#include "dtype.h"
#include "pool/pool_args.clh"
#include "quant.h"
#include "sizes.h"
#include "work_items.h"

#include <stdio.h>

static const char *type_options(octet_dtype t)
{
    switch (t) {
    case OCTET_F32:
        return "-DT=float -DT_MIN=-INFINITY -DT_IS_FLOAT";
    case OCTET_S8:
        return "-DT=char -DT_MIN=-128 -DT_MAX=127";
    case OCTET_U16:
        return "-DT=ushort -DT_MIN=0 -DT_MAX=65535";
    case OCTET_S16:
        return "-DT=short -DT_MIN=-32768 -DT_MAX=32767";
    default:
        return "-DT=uchar -DT_MIN=0 -DT_MAX=255";
    }
}

/* A work-group that sums pixels: work-items side by side (64 bytes, or 256), the others are pixels. */
enum { GROUP_CHANNELS = 16, GROUP_PIXELS = OCT_GROUP_ITEMS / GROUP_CHANNELS };

/* Sums take 32 bits an element: short vectors. */
static const oct_lanes *average_lanes(const oct_caps *caps, const oct_pool_request *q)
{
    return oct_lanes_select(caps, q->c, q->n * q->h * q->w, sizeof(float));
}

/* Channels in rows of work-items; on GPUs a work-group sums the pixels of an image together. */
static octet_status global_pool(oct_recipe *r, const oct_caps *caps, const oct_pool_request *q)
{
    bool quantized = q->x.dtype != OCTET_F32;
    const oct_lanes *v = average_lanes(caps, q);
    bool groups = quantized && v->coalesced;
    const char *entry = groups      ? "global_average_groups"
                        : quantized ? "global_average_pool"
                                    : "global_average_float";
    char options[96];
    snprintf(options, sizeof options, "%s -DGROUP_CHANNELS=%d -DGROUP_PIXELS=%d", oct_lanes_options(v),
             GROUP_CHANNELS, GROUP_PIXELS);
    oct_launch *l =
        oct_recipe_launch(r, "pool/pool.cl", entry, "%s%s", type_options(q->x.dtype), groups ? options : "");
    const oct_quant none = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE};
    const oct_quant *x_q = quantized ? &q->x_q : &none, *y_q = quantized ? &q->y_q : &none;
    OCT_ARGS(l, global_average, .x = oct_whole(q->x.mem), .x_scale = oct_whole(x_q->scale),
             .x_zero = oct_whole(x_q->zero), .y_scale = oct_whole(y_q->scale), .y_zero = oct_whole(y_q->zero),
             .y = oct_whole(q->y.mem), .pixels = q->h * q->w, .c = q->c, .x_zeros = x_q->zero_count,
             .y_zeros = y_q->zero_count);
    size_t across = oct_ceil_div((size_t)q->c, groups ? (size_t)v->lanes : 16);
    if (groups)
        oct_launch_2d(l, oct_round_up(across, GROUP_CHANNELS), (size_t)q->n * GROUP_PIXELS, GROUP_CHANNELS,
                      GROUP_PIXELS);
    else
        oct_launch_2d(l, across, (size_t)q->n, 0, 0);
    return r->status;
}

/* A window as large as the input without padding is a global average, with its formula (docs/numerics.md). */
static bool covers_input(const oct_pool_request *q)
{
    return q->kh == q->h && q->kw == q->w && q->dilation_h == 1 && q->dilation_w == 1 && !q->pad_top &&
           !q->pad_left && !q->pad_bottom && !q->pad_right && q->oh == 1 && q->ow == 1;
}

octet_status oct_pool(oct_recipe *r, const oct_caps *caps, const oct_pool_request *q)
{
    const int64_t dims[] = {q->h,          q->w,       q->c,        q->oh,       q->ow,
                            q->kh,         q->kw,      q->stride_h, q->stride_w, q->dilation_h,
                            q->dilation_w, q->pad_top, q->pad_left};
    /* Leading pads come last; ONNX's SAME_* rule can make them negative. */
    const size_t count = sizeof dims / sizeof dims[0], pads = count - 2;
    for (size_t i = 0; i < count; i++)
        RETURN_IF(dims[i] > INT32_MAX / 4 || dims[i] < (i < pads ? 0 : -INT32_MAX / 4), OCTET_UNSUPPORTED,
                  "pooling: %lld is out of range for a size", (long long)dims[i]);
    RETURN_IF(q->oh * q->ow > INT32_MAX, OCTET_UNSUPPORTED, "pooling: %lld pixels of output are too many",
              (long long)(q->oh * q->ow));
    if (q->kind == OCT_POOL_GLOBAL_AVERAGE || (q->kind == OCT_POOL_AVERAGE && covers_input(q))) {
        RETURN_IF(q->h * q->w > oct_sum_most(q->x.dtype), OCTET_UNSUPPORTED,
                  "pooling: %lld pixels are more than an exact int32 sum holds", (long long)(q->h * q->w));
        return global_pool(r, caps, q);
    }
    oct_mem reciprocals = OCT_MEM_NONE;
    bool average = q->kind == OCT_POOL_AVERAGE, quantized = average && q->x.dtype != OCTET_F32;
    if (quantized) {
        RETURN_IF(q->kh * q->kw >= 1 << 24, OCTET_UNSUPPORTED,
                  "pooling: a window of %lld x %lld is too large", (long long)q->kh, (long long)q->kw);
        reciprocals = oct_recipe_temp(r, (size_t)(q->kh * q->kw + 1) * sizeof(float));
        oct_launch *p =
            oct_recipe_launch(r, "pool/pool.cl", "prepare_average", "%s", type_options(q->x.dtype));
        OCT_ARGS(p, prepare_average, .y_scale = oct_whole(q->y_q.scale),
                 .reciprocals = oct_whole(reciprocals), .count = q->kh * q->kw + 1);
        oct_launch_1d(p, (size_t)(q->kh * q->kw + 1), 0);
    }
    const char *entry = quantized ? "average_pool" : average ? "average_pool_float" : "max_pool";
    const oct_lanes *v =
        average ? average_lanes(caps, q)
                : oct_lanes_select(caps, q->c, q->n * q->oh * q->ow, oct_dtype_bytes(q->x.dtype));
    oct_launch *l =
        oct_recipe_launch(r, "pool/pool.cl", entry, "%s%s", type_options(q->x.dtype), oct_lanes_options(v));
    /* A stretch of whole pixels, or one vector. */
    int64_t channels = v->coalesced ? v->lanes : q->c,
            pixels = v->coalesced ? 1 : oct_item_chunk(caps) / (q->c + 1) + 1;
    const pool_window_part window = {.h = q->h,
                                     .w = q->w,
                                     .c = q->c,
                                     .oh = q->oh,
                                     .ow = q->ow,
                                     .kh = q->kh,
                                     .kw = q->kw,
                                     .stride_h = q->stride_h,
                                     .stride_w = q->stride_w,
                                     .dilation_h = q->dilation_h,
                                     .dilation_w = q->dilation_w,
                                     .pad_top = q->pad_top,
                                     .pad_left = q->pad_left,
                                     .item_channels = channels,
                                     .item_pixels = pixels};
    if (quantized)
        OCT_ARGS(l, average_pool, .x = oct_whole(q->x.mem), .x_scale = oct_whole(q->x_q.scale),
                 .x_zero = oct_whole(q->x_q.zero), .y_scale = oct_whole(q->y_q.scale),
                 .y_zero = oct_whole(q->y_q.zero), .reciprocals = oct_whole(reciprocals),
                 .y = oct_whole(q->y.mem), .pool_window = window, .x_zeros = q->x_q.zero_count,
                 .y_zeros = q->y_q.zero_count, .include_pad = q->count_include_pad);
    else
        OCT_ARGS(l, pool, .x = oct_whole(q->x.mem), .y = oct_whole(q->y.mem), .pool_window = window,
                 .include_pad = q->count_include_pad);
    size_t local[3], global[3] = {oct_ceil_div((size_t)q->c, (size_t)(channels ? channels : 1)),
                                  oct_ceil_div((size_t)(q->oh * q->ow), (size_t)pixels), (size_t)q->n};
    if (v->coalesced)
        oct_group_items(caps, global, local);
    oct_launch_3d(l, global, v->coalesced ? local : NULL);
    return r->status;
}
