/* Pictures of digits: PNG files in, 8x8 network inputs out, and a drawing of one in characters. */
#ifndef DIGITS_PICTURE_H
#define DIGITS_PICTURE_H

enum { PICTURE_SIDE = 8, PICTURE_PIXELS = PICTURE_SIDE * PICTURE_SIDE };

/* Read a PNG of any kind and size from 8x8 up, as grey shrunk by averages to 8x8, ink from 0 to 1. A picture
 * with a light border is taken as dark ink on paper and inverted. 0, or -1 with a line on stderr. */
int picture_read(const char *path, float pixels[PICTURE_PIXELS]);

/* Draw it on stdout, `indent` spaces in front of each line. */
void picture_draw(const float pixels[PICTURE_PIXELS], int indent);

#endif
