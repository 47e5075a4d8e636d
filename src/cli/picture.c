/* From a picture's pixels to a network's input. */
#include "picture.h"
#include "cli.h"
#include "used_files.h"

#include <string.h>

int picture_read(const char *path, int channels, picture *image)
{
    char error[PICTURE_ERROR_BYTES];
    *image = (picture){0};
    if (input_note(path) != EXIT_DONE)
        return EXIT_FAILED;
    return picture_decode(path, channels, image, error) == 0 ? EXIT_DONE : cli_error("%s: %s", path, error);
}

/* The pixels from *first to *last-1 are the share of pixel i of `out`; never none, which makes growing
 * "nearest". */
static void share(int64_t i, int64_t out, int in, int *first, int *last)
{
    *first = (int)(i * in / out);
    *last = (int)((i + 1) * in / out);
    if (*last <= *first)
        *last = *first + 1;
}

static double box_mean(const picture *image, int channel, int x0, int x1, int y0, int y1)
{
    uint64_t sum = 0;
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++)
            sum += image->pixels[((size_t)y * image->width + x) * image->channels + channel];
    }
    return (double)sum / ((double)(x1 - x0) * (y1 - y0));
}

void picture_fill(const picture *image, octet_tensor *tensor)
{
    int64_t height = tensor->dims[tensor->rank - 2], width = tensor->dims[tensor->rank - 1];
    int64_t i = 0, count = (int64_t)(octet_tensor_bytes(tensor) / octet_dtype_bytes(tensor->dtype));
    int64_t each = height * width * image->channels;
    for (; i < each && i < count; i++) {
        int x0, x1, y0, y1;
        share(i % width, width, image->width, &x0, &x1);
        share(i / width % height, height, image->height, &y0, &y1);
        double mean = box_mean(image, (int)(i / (width * height)), x0, x1, y0, y1);
        if (tensor->dtype == OCTET_F32)
            ((float *)tensor->data)[i] = (float)(mean / 255);
        else
            ((unsigned char *)tensor->data)[i] = (unsigned char)(mean + 0.5);
    }
    size_t bytes = (size_t)each * octet_dtype_bytes(tensor->dtype);
    for (int64_t at = each; at < count; at += each)
        memcpy((char *)tensor->data + (size_t)at * octet_dtype_bytes(tensor->dtype), tensor->data, bytes);
}
