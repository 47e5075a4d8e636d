/* PNG and JPEG pictures as tensors. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "picture_file.h"

#include <octet/octet.h>

/* Decode with 1 or 3 channels; what is transparent shows black. 0, or EXIT_FAILED with the error told. */
int picture_read(const char *path, int channels, picture *image);

/* Fill *tensor (its dtype, rank and dims set, data allocated) with [..., channels, height, width] of the
 * picture, once per outer element: the average of a box where it shrinks, the nearest pixel where it grows.
 * u8: 0..255; f32: 0..1. */
void picture_fill(const picture *image, octet_tensor *tensor);

#endif
