/* From a map of "how likely is text here" to the boxes around its lines: the second half of DB, "Real-time
 * Scene Text Detection with Differentiable Binarization" (Liao et al., 2020), section 3.2. Plain C, no
 * network here. */
#ifndef OCR_BOXES_H
#define OCR_BOXES_H

#include <stddef.h>

typedef struct point {
    double x, y;
} point;

/* A line of text as a parallelogram: where its first letter begins at the top, the way along the line, and
 * the way down to its foot. */
typedef struct text_box {
    point origin, across, down;
    double score; /* mean likelihood inside, before the box is widened */
    int row;      /* boxes of one row stand side by side; 0 is the topmost */
} text_box;

/* map [height][width], 0 to 1; a point of it is scale_x by scale_y pixels of the picture, in which the boxes
 * are. *boxes is the caller's to free. 0, or -1 when memory is short. */
int find_boxes(const float *map, int width, int height, double scale_x, double scale_y, text_box **boxes,
               size_t *count);

/* Sort into rows from top to bottom, which are as tilted as the text is, and each from left to right. */
void reading_order(text_box *boxes, size_t count);

point box_corner(const text_box *box, double along, double deep); /* 0, 0 is the origin; 1, 1 opposite */
double box_width(const text_box *box);
double box_height(const text_box *box);
text_box box_head(const text_box *box, double share); /* the share of it where the text starts */
void turn_upside_down(text_box *box);                 /* the text reads from the other end */
void turn_upright(text_box *box);                     /* a box that is tall: its text reads downwards */

#endif
