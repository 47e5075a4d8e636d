/* Connected parts of the map, the smallest rectangle around each, widened: the network is trained to mark the
 * middle of a line only. See boxes.h. */
#include "boxes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIKELY     0.3 /* a point of the map is text */
#define CERTAIN    0.5 /* a box is, by the mean of its points */
#define UNCLIP     2.0 /* how far a box is widened: this times area over circumference */
#define SIDE_LEAST 3   /* points of the map; smaller ones are specks */
enum { BOXES_MAX = 1000 };

/* A connected part: the extremes of each row that it touches. */
typedef struct part {
    int top, bottom;
    int *left, *right; /* [height of the map] */
} part;

/* Turned by the direction `along`, a unit vector. */
typedef struct rectangle {
    point centre, along;
    double width, height;
} rectangle;

typedef struct search {
    const float *map;
    int width, height;
    unsigned char *seen;
    int *stack;
    part part;
    point *points, *hull; /* [2 * height], [2 * height + 1] */
} search;

static int is_new_text(const search *s, int x, int y)
{
    return x >= 0 && y >= 0 && x < s->width && y < s->height && !s->seen[y * s->width + x] &&
           s->map[y * s->width + x] > LIKELY;
}

/* Everything connected with (x, y), corners count, becomes s->part. */
static void gather(search *s, int x, int y)
{
    size_t depth = 0;
    s->part.top = s->height;
    s->part.bottom = -1;
    for (int row = 0; row < s->height; row++) {
        s->part.left[row] = s->width;
        s->part.right[row] = -1;
    }
    s->seen[y * s->width + x] = 1;
    s->stack[depth++] = y * s->width + x;
    while (depth) {
        int at = s->stack[--depth], row = at / s->width, column = at % s->width;
        s->part.top = row < s->part.top ? row : s->part.top;
        s->part.bottom = row > s->part.bottom ? row : s->part.bottom;
        s->part.left[row] = column < s->part.left[row] ? column : s->part.left[row];
        s->part.right[row] = column > s->part.right[row] ? column : s->part.right[row];
        for (int i = 0; i < 9; i++) {
            int nx = column + i % 3 - 1, ny = row + i / 3 - 1;
            if (is_new_text(s, nx, ny)) {
                s->seen[ny * s->width + nx] = 1;
                s->stack[depth++] = ny * s->width + nx;
            }
        }
    }
}

static double cross(point o, point a, point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* Andrew's monotone chain over points sorted by y, then x: one side of the hull on the way down, the other on
 * the way back. Returns how many corners. */
static size_t convex_hull(const point *points, size_t count, point *hull)
{
    size_t corners = 0;
    for (int back = 0; back < 2; back++) {
        size_t base = corners;
        for (size_t i = 0; i < count; i++) {
            point p = points[back ? count - 1 - i : i];
            while (corners >= base + 2 && cross(hull[corners - 2], hull[corners - 1], p) <= 0)
                corners--;
            hull[corners++] = p;
        }
        corners--; /* the last of this side is the first of the other */
    }
    return corners;
}

static double dot(point a, point b)
{
    return a.x * b.x + a.y * b.y;
}

/* The rectangle in direction `along` around the hull. */
static rectangle enclose(const point *hull, size_t corners, point along)
{
    point down = {-along.y, along.x};
    double low_u = DBL_MAX, high_u = -DBL_MAX, low_v = DBL_MAX, high_v = -DBL_MAX;
    for (size_t i = 0; i < corners; i++) {
        double u = dot(hull[i], along), v = dot(hull[i], down);
        low_u = fmin(low_u, u);
        high_u = fmax(high_u, u);
        low_v = fmin(low_v, v);
        high_v = fmax(high_v, v);
    }
    double u = (low_u + high_u) / 2, v = (low_v + high_v) / 2;
    point centre = {u * along.x + v * down.x, u * along.y + v * down.y};
    return (rectangle){centre, along, high_u - low_u + 1, high_v - low_v + 1}; /* a point is a pixel wide */
}

/* The one of least area: one side of it lies along a side of the hull. */
static rectangle smallest(const point *hull, size_t corners)
{
    rectangle best = enclose(hull, corners, (point){1, 0});
    for (size_t i = 0; i < corners; i++) {
        point a = hull[i], b = hull[(i + 1) % corners];
        double length = hypot(b.x - a.x, b.y - a.y);
        if (length == 0)
            continue;
        point along = {(b.x - a.x) / length, (b.y - a.y) / length};
        if (fabs(along.x) < fabs(along.y)) /* the other side of the same rectangle is nearer to level */
            along = (point){along.y, -along.x};
        if (along.x < 0)
            along = (point){-along.x, -along.y};
        rectangle found = enclose(hull, corners, along);
        if (found.width * found.height < best.width * best.height)
            best = found;
    }
    return best;
}

/* The mean of the map inside. */
static double mean_inside(const search *s, const rectangle *r)
{
    point down = {-r->along.y, r->along.x};
    double reach = (r->width + r->height) / 2, sum = 0;
    int x0 = (int)fmax(0, r->centre.x - reach), x1 = (int)fmin(s->width - 1, r->centre.x + reach);
    int y0 = (int)fmax(0, r->centre.y - reach), y1 = (int)fmin(s->height - 1, r->centre.y + reach);
    size_t count = 0;
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            point p = {x + 0.5 - r->centre.x, y + 0.5 - r->centre.y};
            if (fabs(dot(p, r->along)) <= r->width / 2 && fabs(dot(p, down)) <= r->height / 2) {
                sum += s->map[y * s->width + x];
                count++;
            }
        }
    }
    return count ? sum / (double)count : 0;
}

/* The rectangle around s->part. */
static rectangle around(search *s)
{
    size_t count = 0;
    for (int row = s->part.top; row <= s->part.bottom; row++) {
        s->points[count++] = (point){s->part.left[row] + 0.5, row + 0.5};
        if (s->part.right[row] > s->part.left[row])
            s->points[count++] = (point){s->part.right[row] + 0.5, row + 0.5};
    }
    return smallest(s->hull, convex_hull(s->points, count, s->hull));
}

/* From the map to the picture. */
static text_box widened(const rectangle *r, double scale_x, double scale_y, double score)
{
    double more = 2 * UNCLIP * r->width * r->height / (2 * (r->width + r->height));
    double width = r->width + more, height = r->height + more;
    point across = {r->along.x * width * scale_x, r->along.y * width * scale_y};
    point down = {-r->along.y * height * scale_x, r->along.x * height * scale_y};
    point origin = {r->centre.x * scale_x - (across.x + down.x) / 2,
                    r->centre.y * scale_y - (across.y + down.y) / 2};
    return (text_box){origin, across, down, score, 0};
}

/* Memory for a map of this size; 0 or -1. search_free either way. */
static int search_begin(search *s, const float *map, int width, int height)
{
    size_t points = (size_t)width * (size_t)height, rows = (size_t)height;
    *s = (search){.map = map, .width = width, .height = height};
    s->seen = calloc(points, 1);
    s->stack = malloc(points * sizeof *s->stack);
    s->part.left = malloc(rows * sizeof(int));
    s->part.right = malloc(rows * sizeof(int));
    s->points = malloc(2 * rows * sizeof *s->points);
    s->hull = malloc((2 * rows + 2) * sizeof *s->hull);
    return s->seen && s->stack && s->part.left && s->part.right && s->points && s->hull ? 0 : -1;
}

static void search_free(search *s)
{
    free(s->seen);
    free(s->stack);
    free(s->part.left);
    free(s->part.right);
    free(s->points);
    free(s->hull);
}

int find_boxes(const float *map, int width, int height, double scale_x, double scale_y, text_box **boxes,
               size_t *count)
{
    search s;
    int status = search_begin(&s, map, width, height);
    *count = 0;
    *boxes = status == 0 ? malloc(BOXES_MAX * sizeof **boxes) : NULL;
    for (int i = 0; *boxes && i < width * height && *count < BOXES_MAX; i++) {
        if (!is_new_text(&s, i % width, i / width))
            continue;
        gather(&s, i % width, i / width);
        rectangle r = around(&s);
        double score = fmin(r.width, r.height) >= SIDE_LEAST ? mean_inside(&s, &r) : 0;
        if (score >= CERTAIN)
            (*boxes)[(*count)++] = widened(&r, scale_x, scale_y, score);
    }
    search_free(&s);
    return *boxes ? 0 : -1;
}

point box_corner(const text_box *box, double along, double deep)
{
    return (point){box->origin.x + along * box->across.x + deep * box->down.x,
                   box->origin.y + along * box->across.y + deep * box->down.y};
}

double box_width(const text_box *box)
{
    return hypot(box->across.x, box->across.y);
}

double box_height(const text_box *box)
{
    return hypot(box->down.x, box->down.y);
}

text_box box_head(const text_box *box, double share)
{
    text_box head = *box;
    head.across = (point){share * box->across.x, share * box->across.y};
    return head;
}

void turn_upside_down(text_box *box)
{
    box->origin = box_corner(box, 1, 1);
    box->across = (point){-box->across.x, -box->across.y};
    box->down = (point){-box->down.x, -box->down.y};
}

void turn_upright(text_box *box)
{
    point across = box->across;
    box->origin = box_corner(box, 1, 0);
    box->across = box->down;
    box->down = (point){-across.x, -across.y};
}

static double distance_along(const text_box *box, point direction)
{
    return dot(box_corner(box, 0.5, 0.5), direction);
}

/* Row by row, along the lines in each. Stable; there are few enough for insertion. */
static void sort(text_box *boxes, size_t count, point across)
{
    for (size_t i = 1; i < count; i++) {
        text_box box = boxes[i];
        size_t to = i;
        for (; to > 0; to--) {
            const text_box *other = &boxes[to - 1];
            if (other->row < box.row ||
                (other->row == box.row && distance_along(other, across) <= distance_along(&box, across)))
                break;
            boxes[to] = *other;
        }
        boxes[to] = box;
    }
}

void reading_order(text_box *boxes, size_t count)
{
    point across = {1e-9, 0}; /* the way most of the text runs: a page may be tilted */
    for (size_t i = 0; i < count; i++) {
        across = (point){across.x + boxes[i].across.x, across.y + boxes[i].across.y};
        boxes[i].row = 0;
    }
    double length = hypot(across.x, across.y);
    across = (point){across.x / length, across.y / length};
    point down = {-across.y, across.x};
    sort(boxes, count, down);
    size_t first = 0; /* of the row */
    for (size_t i = 0; i < count; i++) {
        double gap = distance_along(&boxes[i], down) - distance_along(&boxes[first], down);
        boxes[i].row = boxes[first].row;
        if (gap > fmin(box_height(&boxes[i]), box_height(&boxes[first])) / 2) {
            boxes[i].row++;
            first = i;
        }
    }
    sort(boxes, count, across);
}
