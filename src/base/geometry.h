/* The geometry of a convolution: input and output NHWC, weights [co][c / group][kh][kw]. One type for whoever
 * speaks of one: model, kernels, reference, tuning, tests. */
#ifndef OCT_GEOMETRY_H
#define OCT_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct oct_geometry {
    int64_t n, h, w, c; /* input */
    int64_t oh, ow, co; /* output */
    int64_t kh, kw, group;
    int64_t stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left; /* bottom and right follow from oh, ow */
} oct_geometry;

/* Pixels of output, of all images. */
static inline int64_t oct_geometry_pixels(const oct_geometry *g)
{
    return g->n * g->oh * g->ow;
}

/* A group for each channel, and one output of it? */
static inline bool oct_geometry_is_depthwise(const oct_geometry *g)
{
    return g->group == g->c && g->co == g->c && g->c > 1;
}

/* As text, "1x8x8x3 to 4x4x16 window 3x3 stride 2x2 dilation 1x1 pad 1x1 group 1", and back; false: it is no
 * such text. */
#define OCT_GEOMETRY_TEXT 144
void oct_geometry_print(const oct_geometry *g, char text[OCT_GEOMETRY_TEXT]);
bool oct_geometry_parse(const char *text, oct_geometry *g);

#endif
