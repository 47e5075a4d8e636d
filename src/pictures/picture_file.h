/* PNG and JPEG files to pixels, and pixels to PNG files: for the command and for the examples, no part of the
 * library. Files are not trusted. Every function returns 0, or -1 with a line of text in
 * error[PICTURE_ERROR_BYTES], which does not name the file. */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

enum { PICTURE_ERROR_BYTES = 256 };

typedef struct picture {
    int width, height, channels; /* channels: 1 (grey) or 3 (RGB, interleaved) */
    unsigned char *pixels;       /* [height][width][channels] */
} picture;

/* Decode with 1 or 3 channels; what is transparent shows black. */
int picture_decode(const char *path, int channels, picture *image, char *error);
int picture_write_png(const char *path, const picture *image, char *error);
void picture_free(picture *image);

#endif
