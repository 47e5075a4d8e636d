/* Tiles of the GPU kernels (kernels/product/tile.clh): their shape, whether a device can run them, how many
 * work-groups and parts of k a product becomes. Pure functions of sizes and capabilities. */
#ifndef OCT_TILE_H
#define OCT_TILE_H

#include "variant.h"

/* How a product is spread over a device. */
typedef struct oct_tiling {
    int64_t down, across; /* tiles of a batch */
    int64_t splits;       /* parts of k */
    int64_t split_groups; /* k groups (4) of a part */
} oct_tiling;

/* Work-items of a work-group. */
size_t oct_tile_items(const oct_tile *t);
/* Bytes of local memory. */
size_t oct_tile_local_bytes(const oct_tile *t);
/* Do its numbers fit together, and the device's limits? */
bool oct_tile_valid(const oct_tile *t, const oct_caps *caps);
/* How m x n x (groups * 4), `batch` times, is spread. */
oct_tiling oct_tile_spread(const oct_tile *t, const oct_caps *caps, int64_t m, int64_t n, int64_t groups,
                           int64_t batch);
/* The same in this many parts of k, at most 64 of them. */
oct_tiling oct_tile_spread_parts(const oct_tile *t, int64_t m, int64_t n, int64_t groups, int64_t splits);
/* The same without parts of k. */
oct_tiling oct_tile_spread_whole(const oct_tile *t, int64_t m, int64_t n, int64_t groups);
/* Estimated time in arbitrary units of a product spread so, for choosing among tiles. */
double oct_tile_cost(const oct_tile *t, const oct_caps *caps, const oct_tiling *s, int64_t batch);
/* Of a row: does its tile fit the device? */
bool oct_tile_fits(const oct_variant *v, const oct_caps *caps);
/* Build options: the tile of a row; and what the device has besides, its dot product path. */
void oct_tile_options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS]);
void oct_tile_device_options(const oct_tile *t, const oct_caps *caps, char text[64]);
/* The operand form that the device's dot product path multiplies. */
oct_form oct_tile_form(const oct_caps *caps);

#endif
