/* Decoding by libpng's simplified interface and by libjpeg; which of the two, the first bytes say. */
#include "picture_file.h"
#include "read_file.h"
#include "write_file.h"

#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum { SIDE_MAX = 16384, PIXELS_MAX = 1 << 27 };

/* Puts the text where the caller wants it; -1. */
static int fail(char *error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, PICTURE_ERROR_BYTES, fmt, args);
    va_end(args);
    return -1;
}

/* Memory for image->width x height. */
static int allocate(size_t width, size_t height, picture *image, char *error)
{
    if (!width || !height || width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX)
        return fail(error, "%zux%zu pixels; %d a side and %d in all can be read", width, height, SIDE_MAX,
                    PIXELS_MAX);
    image->width = (int)width;
    image->height = (int)height;
    image->pixels = calloc(width * height, (size_t)image->channels);
    return image->pixels ? 0 : fail(error, "out of memory");
}

static int read_png(FILE *file, picture *image, char *error)
{
    const png_color black = {0, 0, 0};
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_stdio(&png, file))
        return fail(error, "%s", png.message);
    png.format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    int status = allocate(png.width, png.height, image, error);
    if (status == 0 && !png_image_finish_read(&png, &black, image->pixels, 0, NULL))
        status = fail(error, "%s", png.message);
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

static int read_jpeg(FILE *file, picture *image, char *error)
{
    struct jpeg_decompress_struct jpeg;
    jpeg_errors errors;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jpeg_fatal;
    errors.base.emit_message = jpeg_warning;
    jpeg_create_decompress(&jpeg);
    if (setjmp(errors.escape)) {
        jpeg_destroy_decompress(&jpeg);
        return fail(error, "%s", errors.text);
    }
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    if (allocate(jpeg.output_width, jpeg.output_height, image, error) != 0) {
        jpeg_destroy_decompress(&jpeg);
        return -1;
    }
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = image->pixels + (size_t)jpeg.output_scanline * image->width * image->channels;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return 0;
}

int picture_decode(const char *path, int channels, picture *image, char *error)
{
    unsigned char head[2] = {0};
    *image = (picture){.channels = channels};
    FILE *file;
    size_t bytes;
    const char *why = oct_open_stream(path, &file, &bytes);
    if (why)
        return fail(error, "%s", why);
    size_t got = fread(head, 1, sizeof head, file);
    rewind(file);
    int status;
    if (got == 2 && head[0] == 0x89 && head[1] == 'P')
        status = read_png(file, image, error);
    else if (got == 2 && head[0] == 0xFF && head[1] == 0xD8)
        status = read_jpeg(file, image, error);
    else
        status = fail(error, "neither a PNG nor a JPEG picture");
    fclose(file);
    if (status != 0)
        picture_free(image);
    return status;
}

void picture_free(picture *image)
{
    free(image->pixels);
    image->pixels = NULL;
}

int picture_write_png(const char *path, const picture *image, char *error)
{
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = (png_uint_32)image->width;
    png.height = (png_uint_32)image->height;
    png.format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    oct_out_file out;
    size_t failed;
    const char *why = oct_out_open(path, &out);
    if (why)
        return fail(error, "%s", why);
    int status = png_image_write_to_stdio(&png, out.stream, 0, image->pixels, 0, NULL)
                     ? 0
                     : fail(error, "%s", png.message);
    why = status == 0 ? oct_out_finish(&out) : NULL;
    if (status == 0 && !why)
        why = oct_out_commit(&out, 1, &failed);
    oct_out_abandon(&out);
    return why ? fail(error, "%s", why) : status;
}
