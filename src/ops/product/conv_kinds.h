/* The kinds of convolution kernels, and what their launchers are given (conv_kinds.c). */
#ifndef OCT_CONV_KINDS_H
#define OCT_CONV_KINDS_H

#include "conv.h"

/* A part of the output channels, whose weights are packed and prepared. */
typedef struct oct_conv_work {
    const oct_conv_request *q; /* force.spread is chosen; x with its padding where rows are merged */
    const oct_product *p;      /* of the part */
    const oct_part *part;
    int64_t first;      /* output channel */
    int64_t tap;        /* channels under one tap */
    oct_mem pad_row;    /* a pixel of padding */
    oct_mem sum_params; /* of the chain, or OCT_MEM_NONE */
} oct_conv_work;

extern const oct_kind oct_conv_blocks;          /* x86: a work-item takes a block of pixels */
extern const oct_kind oct_conv_grid;            /* portable: a work-item takes a tile */
extern const oct_kind oct_conv_tiles;           /* GPUs: a work-group takes a tile */
extern const oct_kind oct_conv_depthwise_rows;  /* x86: a work-item takes output rows of an image */
extern const oct_kind oct_conv_depthwise_grid;  /* portable: a work-item takes a tile */
extern const oct_kind oct_conv_depthwise_quads; /* GPUs: a work-item takes 4 channels of some pixels */

#endif
