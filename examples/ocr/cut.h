/* Pieces of a picture at the size and in the form that a network reads, and frames around them. */
#ifndef OCR_CUT_H
#define OCR_CUT_H

#include "boxes.h"
#include "picture_file.h"

/* What lies in the box, width x height pixels of it, at the left of *piece; the rest of piece is grey. 0, or
 * -1 when memory is short. */
int cut(const picture *page, const text_box *box, int width, int height, int piece_width, picture *piece);

/* [3][height][width], blue first, -1 to 1: what PP-OCR's networks are trained on. */
void to_planes(const picture *piece, float *planes);

void draw_frame(picture *page, const text_box *box, const unsigned char colour[3]);

#endif
