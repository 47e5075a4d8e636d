#include "geometry.h"

#include <inttypes.h>
#include <stdio.h>

#define FORM(L)                                                                                              \
    L "x" L "x" L "x" L " to " L "x" L "x" L " window " L "x" L " stride " L "x" L " dilation " L "x" L      \
      " pad " L "x" L " group " L

void oct_geometry_print(const oct_geometry *g, char text[OCT_GEOMETRY_TEXT])
{
    snprintf(text, OCT_GEOMETRY_TEXT, FORM("%" PRId64), g->n, g->h, g->w, g->c, g->oh, g->ow, g->co, g->kh,
             g->kw, g->stride_h, g->stride_w, g->dilation_h, g->dilation_w, g->pad_top, g->pad_left,
             g->group);
}

bool oct_geometry_parse(const char *text, oct_geometry *g)
{
    int end = 0;
    int fields = sscanf(text, FORM("%" SCNd64) "%n", &g->n, &g->h, &g->w, &g->c, &g->oh, &g->ow, &g->co,
                        &g->kh, &g->kw, &g->stride_h, &g->stride_w, &g->dilation_h, &g->dilation_w,
                        &g->pad_top, &g->pad_left, &g->group, &end);
    return fields == 16 && text[end] == '\0';
}
