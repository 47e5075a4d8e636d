/* Decoding by libpng's simplified interface and by libjpeg; which of the two, the first bytes say. */
#include "picture.h"
#include "cli.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum { SIDE_MAX = 16384, PIXELS_MAX = 1 << 27 };

/* Memory for image->width x height; 0, or EXIT_FAILED with the error told. */
static int allocate(const char *path, size_t width, size_t height, picture *image)
{
    if (!width || !height || width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX)
        return cli_error("%s: %zux%zu pixels; %d a side and %d in all can be read", path, width, height,
                         SIDE_MAX, PIXELS_MAX);
    image->width = (int)width;
    image->height = (int)height;
    image->pixels = calloc(width * height, (size_t)image->channels);
    return image->pixels ? EXIT_DONE : cli_error("%s: out of memory", path);
}

static int read_png(const char *path, FILE *file, picture *image)
{
    const png_color black = {0, 0, 0};
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_stdio(&png, file))
        return cli_error("%s: %s", path, png.message);
    png.format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    int status = allocate(path, png.width, png.height, image);
    if (status == EXIT_DONE && !png_image_finish_read(&png, &black, image->pixels, 0, NULL))
        status = cli_error("%s: %s", path, png.message);
    png_image_free(&png);
    return status;
}

/* libjpeg calls back on errors and must not return from one. */
typedef struct jpeg_errors {
    struct jpeg_error_mgr base; /* first: libjpeg hands out a pointer to it */
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
} jpeg_errors;

static void jpeg_fatal(j_common_ptr info)
{
    jpeg_errors *errors = (jpeg_errors *)info->err;
    errors->base.format_message(info, errors->text);
    longjmp(errors->escape, 1);
}

/* A warning says that pixels were made up; only stray bytes between the parts of a file do no harm. */
static void jpeg_warning(j_common_ptr info, int level)
{
    if (level < 0 && info->err->msg_code != JWRN_EXTRANEOUS_DATA)
        jpeg_fatal(info);
}

static int read_jpeg(const char *path, FILE *file, picture *image)
{
    struct jpeg_decompress_struct jpeg;
    jpeg_errors errors;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jpeg_fatal;
    errors.base.emit_message = jpeg_warning;
    jpeg_create_decompress(&jpeg);
    if (setjmp(errors.escape)) {
        jpeg_destroy_decompress(&jpeg);
        return cli_error("%s: %s", path, errors.text);
    }
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    if (allocate(path, jpeg.output_width, jpeg.output_height, image) != EXIT_DONE) {
        jpeg_destroy_decompress(&jpeg);
        return EXIT_FAILED;
    }
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = image->pixels + (size_t)jpeg.output_scanline * image->width * image->channels;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return EXIT_DONE;
}

int picture_read(const char *path, int channels, picture *image)
{
    unsigned char head[2] = {0};
    *image = (picture){.channels = channels};
    FILE *file = fopen(path, "rb");
    if (!file)
        return cli_error("%s: %s", path, strerror(errno));
    size_t got = fread(head, 1, sizeof head, file);
    rewind(file);
    int status;
    if (got == 2 && head[0] == 0x89 && head[1] == 'P')
        status = read_png(path, file, image);
    else if (got == 2 && head[0] == 0xFF && head[1] == 0xD8)
        status = read_jpeg(path, file, image);
    else
        status = cli_error("%s: neither a PNG nor a JPEG picture", path);
    fclose(file);
    if (status != EXIT_DONE)
        picture_free(image);
    return status;
}

void picture_free(picture *image)
{
    free(image->pixels);
    image->pixels = NULL;
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
