/* The error of row w is e P e^T with e = w - scale * made and P the covariance of what the row meets. Each
 * weight makes up for the errors of those rounded before it, which is the best choice for one term of
 *
 *     e P e^T = sum over k of D_k (e_k + sum over j < k of e_j U_jk)^2,    P = U D U^T, U unit upper
 * triangular
 *
 * (GPTQ, Frantar et al., 2022, in the form that Chee et al., 2023, call LDLQ). The quantized network's inputs
 * differ from the float one's: w is first moved to w + w C P^-1, C the covariance of that difference with the
 * inputs, which takes back what of the difference can be told from them. */
#include "round_product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows, or scales of a row, that are worked on side by side. */
#define TILE 8

/* Scales that are tried lie within these factors of the first, for rows that are short: there they matter,
 * and samples tell them apart. */
static const double least_factor = 0.75, most_factor = 1.25;
#define TRIES     32
#define SHORT_ROW 64

typedef double tile[TILE];

/* One block of one group. */
typedef struct block {
    const oct_moments *m;
    int64_t group, first, size;
    double *p, *crossed; /* [size][pitch] */
    int *order;          /* [size]: which number is rounded first */
} block;

typedef struct rounder {
    oct_moments *m;
    const oct_round_options *how;
    float *scales;
    int8_t *made;
    double *targets;       /* [rows of a group][depth] */
    int *order;            /* [depth], within blocks */
    tile *errors;          /* [size] */
    int8_t (*lanes)[TILE]; /* [depth] */
} rounder;

static block block_of(const rounder *s, int64_t group, int64_t index)
{
    int64_t at = oct_moments_block_at(s->m, group, index), first = index * s->m->size;
    return (block){s->m,
                   group,
                   first,
                   oct_moments_block_size(s->m, index),
                   s->m->products + at,
                   s->m->crossed + at,
                   s->order + first};
}

/* What a weight of the float network is. */
static double whole_weight(const rounder *s, int64_t at)
{
    return (double)s->how->weights[at] + (s->how->others ? s->how->others[at] : 0);
}

static int64_t weight_at(const oct_moments *m, int64_t row, int64_t k)
{
    return row * m->row_step + k * m->step;
}

/* ---- covariance ---------------------------------------------------------------------------------------- */

/* Sums to covariances, that of the inputs with some of the mean variance added to the diagonal: more where
 * samples are few, and these are alike: neighbours in a picture. */
static void make_covariance(const block *b)
{
    const double damping = 0.01, few = 4, count = b->m->count;
    const double *sums = b->m->part_sums + b->group * b->m->depth + b->first;
    const double *moves = b->m->part_moves + b->group * b->m->depth + b->first;
    double trace = 0;
    for (int64_t i = 0; i < b->size; i++) {
        double *row = b->p + i * b->m->pitch, *crossed = b->crossed + i * b->m->pitch;
        for (int64_t j = 0; j < b->size; j++)
            crossed[j] = crossed[j] / count - moves[i] / count * (sums[j] / count);
        for (int64_t j = 0; j <= i; j++)
            row[j] = row[j] / count - sums[i] / count * (sums[j] / count);
        row[i] = fmax(row[i], 0);
        trace += row[i];
    }
    double mean = trace / (double)b->size;
    double more = mean > 0 ? mean * (damping + few * (double)b->size / count) : 1;
    for (int64_t i = 0; i < b->size; i++)
        b->p[i * b->m->pitch + i] += more;
}

typedef struct ranked {
    double variance;
    int index;
} ranked;

static int larger_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->variance != y->variance)
        return x->variance < y->variance ? 1 : -1;
    return x->index - y->index;
}

/* The numbers that vary most come first: rows and columns of p in that order. */
static void permute(const block *b, ranked *order, double *copy)
{
    int64_t pitch = b->m->pitch, size = b->size;
    for (int64_t k = 0; k < size; k++)
        order[k] = (ranked){b->p[k * pitch + k], (int)k};
    qsort(order, (size_t)size, sizeof *order, larger_first);
    for (int64_t i = 0; i < size; i++)
        memcpy(copy + i * size, b->p + i * pitch, (size_t)(i + 1) * sizeof *copy);
    for (int64_t i = 0; i < size; i++) {
        b->order[i] = order[i].index;
        for (int64_t j = 0; j <= i; j++) {
            int64_t x = order[i].index, y = order[j].index;
            b->p[i * pitch + j] = x > y ? copy[x * size + y] : copy[y * size + x];
        }
    }
}

/* P = U D U^T; row k of what is left below the diagonal of p is column k of U. */
static void factor(const block *b)
{
    int64_t pitch = b->m->pitch;
    for (int64_t k = b->size - 1; k > 0; k--) {
        double *row = b->p + k * pitch, d = row[k];
        for (int64_t i = 0; i < k; i++) {
            double a = row[i] / d, *to = b->p + i * pitch;
            for (int64_t j = 0; j <= i; j++)
                to[j] -= a * row[j];
        }
        for (int64_t i = 0; i < k; i++)
            row[i] /= d;
    }
}

/* ---- targets ------------------------------------------------------------------------------------------- */

/* t (P^-1), for TILE rows, in the order of the factor. */
static void solve(const block *b, tile *t)
{
    int64_t pitch = b->m->pitch;
    for (int64_t k = b->size - 1; k >= 0; k--) { /* t = y D U^T */
        const double *row = b->p + k * pitch;
        for (int64_t j = 0; j < k; j++) {
            for (int r = 0; r < TILE; r++)
                t[j][r] -= t[k][r] * row[j];
        }
    }
    for (int64_t j = 0; j < b->size; j++) { /* y = x U */
        const double *row = b->p + j * pitch;
        for (int r = 0; r < TILE; r++)
            t[j][r] /= row[j];
        for (int64_t k = 0; k < j; k++) {
            for (int r = 0; r < TILE; r++)
                t[j][r] -= t[k][r] * row[k];
        }
    }
}

/* t = weights C of TILE rows. */
static void meet_difference(const block *b, tile *w, tile *t)
{
    memset(t, 0, (size_t)b->size * sizeof *t);
    for (int64_t i = 0; i < b->size; i++) {
        const double *row = b->crossed + i * b->m->pitch;
        for (int64_t j = 0; j < b->size; j++) {
            for (int r = 0; r < TILE; r++)
                t[j][r] += w[i][r] * row[j];
        }
    }
}

static void find_targets(const rounder *s, const block *b, tile *w)
{
    const oct_moments *m = s->m;
    int64_t rows = m->rows / m->groups;
    for (int64_t from = 0; from < rows; from += TILE) {
        int count = (int)(rows - from < TILE ? rows - from : TILE);
        memset(w, 0, (size_t)b->size * sizeof *w);
        for (int r = 0; r < count; r++) {
            for (int64_t k = 0; k < b->size; k++)
                w[k][r] = whole_weight(s, weight_at(m, b->group * rows + from + r, b->first + k));
        }
        meet_difference(b, w, s->errors);
        for (int64_t k = 0; k < b->size; k++)
            memcpy(w[k], s->errors[b->order[k]], sizeof *w);
        solve(b, w);
        for (int r = 0; r < count; r++) {
            double *to = s->targets + (from + r) * m->depth;
            for (int64_t k = 0; k < b->size; k++) {
                int64_t at = b->first + b->order[k];
                to[at] = s->how->weights[weight_at(m, b->group * rows + from + r, at)] + w[k][r];
            }
        }
    }
}

/* ---- rounding ------------------------------------------------------------------------------------------ */

/* What a tile works on: lane l is row rows[l] of the group, with scale scales[l]. */
typedef struct lanes {
    int64_t rows[TILE];
    double scales[TILE], noise[TILE];
    int count;
} lanes;

static void round_block(const rounder *s, const block *b, lanes *l)
{
    const double *p = b->p;
    for (int64_t k = 0; k < b->size; k++, p += b->m->pitch) {
        double carried[TILE] = {0};
        for (int64_t j = 0; j < k; j++) {
            for (int r = 0; r < TILE; r++)
                carried[r] += p[j] * s->errors[j][r];
        }
        for (int r = 0; r < l->count; r++) {
            int64_t at = b->first + b->order[k];
            double want = s->targets[l->rows[r] * b->m->depth + at] / l->scales[r];
            double made = fmin(fmax(rint(want + carried[r]), -s->how->top), s->how->top);
            double left = want + carried[r] - made;
            s->lanes[at][r] = (int8_t)made;
            s->errors[k][r] = want - made;
            l->noise[r] += left * left * p[k] * l->scales[r] * l->scales[r];
        }
    }
}

static int count_tries(const rounder *s)
{
    return s->how->fixed_scales || s->m->depth > SHORT_ROW ? 1 : TRIES;
}

/* Targets have moved: room for them. */
static void widen_scales(const rounder *s, int64_t group)
{
    int64_t rows = s->m->rows / s->m->groups;
    for (int64_t r = 0; r < rows && !s->how->fixed_scales; r++) {
        float *scale = &s->scales[group * rows + r];
        for (int64_t k = 0; k < s->m->depth; k++)
            *scale = fmaxf(*scale, (float)(fabs(s->targets[r * s->m->depth + k]) / s->how->top));
    }
}

/* The first one is the scale as it came. */
static double try_scale(const rounder *s, int64_t row, int index, int tries)
{
    double part = tries > 1 ? (double)(index - 1) / (tries - 1) : 0;
    double factor = index ? least_factor + (most_factor - least_factor) * part : 1;
    return (float)fmax(s->scales[row] * factor, s->how->least[row]);
}

/* All rows of a group, each with several scales; the one with the least noise counts. */
static octet_status round_group(rounder *s, int64_t group)
{
    const oct_moments *m = s->m;
    int64_t rows = m->rows / m->groups, all;
    int tries = count_tries(s);
    double *best = malloc((size_t)rows * sizeof *best), *scales = malloc((size_t)rows * sizeof *scales);
    octet_status status = best && scales ? OCTET_OK : oct_out_of_memory("quantization");
    all = status == OCTET_OK ? rows * tries : 0;
    for (int64_t from = 0; from < all; from += TILE) {
        lanes l = {.count = (int)(all - from < TILE ? all - from : TILE)};
        for (int r = 0; r < l.count; r++) {
            l.rows[r] = (from + r) / tries;
            l.scales[r] = try_scale(s, group * rows + l.rows[r], (int)((from + r) % tries), tries);
        }
        for (int64_t i = 0; i < m->blocks; i++) {
            block b = block_of(s, group, i);
            round_block(s, &b, &l);
        }
        for (int r = 0; r < l.count; r++) {
            int64_t row = l.rows[r];
            if ((from + r) % tries && !(l.noise[r] < best[row]))
                continue;
            best[row] = l.noise[r];
            scales[row] = l.scales[r];
            for (int64_t k = 0; k < m->depth; k++)
                s->made[weight_at(m, group * rows + row, k)] = s->lanes[k][r];
        }
    }
    for (int64_t row = 0; row < rows && all; row++)
        s->scales[group * rows + row] = (float)scales[row];
    free(best);
    free(scales);
    return status;
}

static void find_shift(const rounder *s, double *shift)
{
    const oct_moments *m = s->m;
    for (int64_t r = 0; r < m->rows; r++) {
        int64_t group = r / (m->rows / m->groups);
        const double *sums = m->sums + group * m->depth, *wanted = m->wanted + group * m->depth;
        shift[r] = 0;
        for (int64_t k = 0; k < m->depth; k++) {
            int64_t i = weight_at(m, r, k);
            double others = s->how->others ? s->how->others[i] : 0;
            shift[r] += whole_weight(s, i) * (wanted[k] / m->seen) -
                        ((double)s->made[i] * s->scales[r] + others) * (sums[k] / m->seen);
        }
    }
}

octet_status oct_moments_round(oct_moments *m, const oct_round_options *how, float *scales, int8_t *made,
                               double *shift)
{
    RETURN_IF(m->count == 0, OCTET_INTERNAL, "adaptive rounding without samples");
    rounder s = {.m = m, .how = how, .scales = scales, .made = made};
    size_t size = (size_t)m->size, depth = (size_t)m->depth;
    ranked *order = malloc(size * sizeof *order);
    double *copy = malloc(size * size * sizeof *copy);
    tile *w = malloc(size * sizeof *w);
    s.targets = malloc((size_t)(m->rows / m->groups) * depth * sizeof *s.targets);
    s.order = malloc(depth * sizeof *s.order);
    s.errors = malloc(size * sizeof *s.errors);
    s.lanes = malloc(depth * sizeof *s.lanes);
    bool there = order && copy && w && s.targets && s.order && s.errors && s.lanes;
    octet_status status = there ? OCTET_OK : oct_out_of_memory("quantization");
    for (int64_t group = 0; status == OCTET_OK && group < m->groups; group++) {
        for (int64_t i = 0; i < m->blocks; i++) {
            block b = block_of(&s, group, i);
            make_covariance(&b);
            permute(&b, order, copy);
            factor(&b);
            find_targets(&s, &b, w);
        }
        widen_scales(&s, group);
        status = round_group(&s, group);
    }
    if (status == OCTET_OK)
        find_shift(&s, shift);
    free(order);
    free(copy);
    free(w);
    free(s.targets);
    free(s.order);
    free(s.errors);
    free(s.lanes);
    return status;
}
