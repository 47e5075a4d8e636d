/* Sampling, planes, frames: see cut.h. */
#include "cut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GREY = 127, SAMPLES_MAX = 8 };

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Between the four nearest pixels; beyond the edge lies the edge. */
static void sample(const picture *page, point at, double colour[3])
{
    double x = clamp(at.x - 0.5, 0, page->width - 1), y = clamp(at.y - 0.5, 0, page->height - 1);
    int x0 = (int)x, y0 = (int)y;
    int x1 = x0 + 1 < page->width ? x0 + 1 : x0, y1 = y0 + 1 < page->height ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0;
    const unsigned char *top = page->pixels + (size_t)y0 * (size_t)page->width * 3;
    const unsigned char *bottom = page->pixels + (size_t)y1 * (size_t)page->width * 3;
    for (int c = 0; c < 3; c++)
        colour[c] += (top[x0 * 3 + c] * (1 - fx) + top[x1 * 3 + c] * fx) * (1 - fy) +
                     (bottom[x0 * 3 + c] * (1 - fx) + bottom[x1 * 3 + c] * fx) * fy;
}

int cut(const picture *page, const text_box *box, int width, int height, int piece_width, picture *piece)
{
    /* Where pixels of the page outnumber those of the piece, the mean of several. */
    int nx = (int)clamp(ceil(box_width(box) / width), 1, SAMPLES_MAX);
    int ny = (int)clamp(ceil(box_height(box) / height), 1, SAMPLES_MAX);
    *piece = (picture){piece_width, height, 3, malloc((size_t)piece_width * (size_t)height * 3)};
    if (!piece->pixels)
        return -1;
    memset(piece->pixels, GREY, (size_t)piece_width * (size_t)height * 3);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double colour[3] = {0};
            for (int i = 0; i < nx * ny; i++)
                sample(page,
                       box_corner(box, (x + (i % nx + 0.5) / nx) / width, (y + (i / nx + 0.5) / ny) / height),
                       colour);
            for (int c = 0; c < 3; c++)
                piece->pixels[(y * piece_width + x) * 3 + c] = (unsigned char)(colour[c] / (nx * ny) + 0.5);
        }
    }
    return 0;
}

void to_planes(const picture *piece, float *planes)
{
    size_t count = (size_t)piece->width * (size_t)piece->height;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < 3; c++)
            planes[c * count + i] = (float)piece->pixels[i * 3 + 2 - c] / 127.5f - 1;
    }
}

/* A dot of 3x3 pixels, what of it is on the page. */
static void dot_at(picture *page, point at, const unsigned char colour[3])
{
    for (int i = 0; i < 9; i++) {
        double x = at.x + i % 3 - 1, y = at.y + i / 3 - 1;
        if (x >= 0 && y >= 0 && x < page->width && y < page->height)
            memcpy(page->pixels + ((size_t)y * (size_t)page->width + (size_t)x) * 3, colour, 3);
    }
}

void draw_frame(picture *page, const text_box *box, const unsigned char colour[3])
{
    int steps = (int)fmax(box_width(box), box_height(box)) + 1;
    for (int i = 0; i <= steps; i++) {
        double t = (double)i / steps;
        dot_at(page, box_corner(box, t, 0), colour);
        dot_at(page, box_corner(box, t, 1), colour);
        dot_at(page, box_corner(box, 0, t), colour);
        dot_at(page, box_corner(box, 1, t), colour);
    }
}
