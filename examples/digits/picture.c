/* libpng's simplified interface does the decoding; see picture.h. */
#include "picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 16384 };

/* Mean grey value of the outermost pixels. */
static double border_mean(const unsigned char *grey, size_t width, size_t height)
{
    double sum = 0;
    for (size_t x = 0; x < width; x++)
        sum += grey[x] + grey[(height - 1) * width + x];
    for (size_t y = 0; y < height; y++)
        sum += grey[y * width] + grey[y * width + width - 1];
    return sum / (double)(2 * (width + height));
}

/* Each of the 8x8 pixels is the average of its share of the picture. */
static void shrink(const unsigned char *grey, size_t width, size_t height, float pixels[PICTURE_PIXELS])
{
    int inverted = border_mean(grey, width, height) > 127;
    for (size_t i = 0; i < PICTURE_PIXELS; i++) {
        size_t row = i / PICTURE_SIDE, column = i % PICTURE_SIDE;
        size_t y0 = row * height / PICTURE_SIDE, y1 = (row + 1) * height / PICTURE_SIDE;
        size_t x0 = column * width / PICTURE_SIDE, x1 = (column + 1) * width / PICTURE_SIDE;
        double sum = 0;
        for (size_t y = y0; y < y1; y++)
            for (size_t x = x0; x < x1; x++)
                sum += inverted ? 255 - grey[y * width + x] : grey[y * width + x];
        pixels[i] = (float)(sum / (double)((y1 - y0) * (x1 - x0)) / 255);
    }
}

int picture_read(const char *path, float pixels[PICTURE_PIXELS])
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    unsigned char *grey = NULL;
    int result = -1;
    if (!png_image_begin_read_from_file(&image, path)) {
        fprintf(stderr, "%s: %s\n", path, image.message);
        return -1;
    }
    image.format = PNG_FORMAT_GRAY;
    if (image.width < PICTURE_SIDE || image.height < PICTURE_SIDE || image.width > SIDE_MAX ||
        image.height > SIDE_MAX) {
        fprintf(stderr, "%s: %ux%u pixels; give a picture from 8x8 to %dx%d\n", path, (unsigned)image.width,
                (unsigned)image.height, SIDE_MAX, SIDE_MAX);
        goto done;
    }
    const png_color black = {0, 0, 0}; /* what shines through where the picture is transparent */
    grey = malloc(PNG_IMAGE_SIZE(image));
    if (!grey || !png_image_finish_read(&image, &black, grey, 0, NULL)) {
        fprintf(stderr, "%s: %s\n", path, grey ? image.message : "out of memory");
        goto done;
    }
    shrink(grey, image.width, image.height, pixels);
    result = 0;
done:
    free(grey);
    png_image_free(&image);
    return result;
}

void picture_draw(const float pixels[PICTURE_PIXELS], int indent)
{
    static const char ink[] = " .:-=+*#%@";
    const int top = (int)sizeof ink - 2;
    for (int y = 0; y < PICTURE_SIDE; y++) {
        printf("%*s", indent, "");
        for (int x = 0; x < PICTURE_SIDE; x++) {
            char c = ink[(int)(pixels[y * PICTURE_SIDE + x] * (float)top + 0.5f)];
            printf("%c%c", c, c);
        }
        printf("\n");
    }
}
