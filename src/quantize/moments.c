#include "moments.h"
#include "place.h"
#include "prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of one covariance matrix; longer rows are cut. Rows of samples that are multiplied at a time. */
#define BLOCK 768
#define CHUNK 32

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
}

static int64_t block_count(const oct_moments *m)
{
    return (m->depth + BLOCK - 1) / BLOCK;
}

static int64_t block_size(const oct_moments *m, int64_t block)
{
    int64_t rest = m->depth - block * BLOCK;
    return rest < BLOCK ? rest : BLOCK;
}

/* Rows are as wide as the largest block. */
static int64_t pitch(const oct_moments *m)
{
    return m->depth < BLOCK ? m->depth : BLOCK;
}

static double *block_products(const oct_moments *m, int64_t group, int64_t block)
{
    return m->products + (group * block_count(m) + block) * pitch(m) * pitch(m);
}

static bool find_layout(const oct_graph *g, const oct_node *n, oct_moments *m)
{
    const oct_value *w = &g->values[n->inputs[1]];
    if (n->op == OCT_OP_Conv) {
        m->groups = oct_node_int(n, "group", 1);
        m->rows = w->dims[0];
        m->depth = 1;
        for (int d = 1; d < w->rank; d++)
            m->depth *= w->dims[d];
        m->row_step = m->depth;
        m->step = 1;
        return true;
    }
    if ((n->op != OCT_OP_Gemm && n->op != OCT_OP_MatMul) || w->rank != 2 || oct_node_int(n, "transA", 0))
        return false;
    int rows = oct_weight_axis(g, n);
    m->groups = 1;
    m->rows = w->dims[rows];
    m->depth = w->dims[1 - rows];
    m->row_step = rows == 0 ? w->dims[1] : 1;
    m->step = rows == 0 ? 1 : w->dims[1];
    return true;
}

octet_status oct_moments_make(const oct_graph *g, const oct_node *n, oct_moments **moments)
{
    oct_moments found = {0};
    *moments = NULL;
    if (!find_layout(g, n, &found) || found.depth == 0 || found.rows == 0)
        return OCTET_OK;
    oct_moments *m = malloc(sizeof *m);
    if (!m)
        return no_memory();
    *m = found;
    size_t products = (size_t)(m->groups * block_count(m) * pitch(m) * pitch(m));
    m->sums = calloc((size_t)(m->groups * m->depth), sizeof *m->sums);
    m->part_sums = calloc((size_t)(m->groups * m->depth), sizeof *m->part_sums);
    m->products = calloc(products, sizeof *m->products);
    m->made = calloc((size_t)(m->rows * m->depth), 1);
    if (!m->sums || !m->part_sums || !m->products || !m->made) {
        oct_moments_free(m);
        return no_memory();
    }
    *moments = m;
    return OCTET_OK;
}

void oct_moments_free(oct_moments *m)
{
    if (!m)
        return;
    free(m->sums);
    free(m->part_sums);
    free(m->products);
    free(m->order);
    free(m->made);
    free(m->made_with);
    free(m);
}

double oct_moments_mean(const oct_moments *m, int64_t row, int64_t k)
{
    int64_t group = row / (m->rows / m->groups);
    return m->seen > 0 ? m->sums[group * m->depth + k] / m->seen : 0;
}

/* ---- samples ------------------------------------------------------------------------------------------- */

/* products += rows^T rows, below the diagonal. Sums of a chunk are float: a few dozen numbers. */
static void add_products(double *products, int64_t width, const float *rows, int64_t depth, int count,
                         int64_t size)
{
    float sums[BLOCK];
    for (int64_t i = 0; i < size; i++) {
        memset(sums, 0, sizeof *sums * (size_t)(i + 1));
        for (int r = 0; r < count; r++) {
            const float *row = rows + r * depth;
            float a = row[i];
            for (int64_t j = 0; j <= i; j++)
                sums[j] += a * row[j];
        }
        for (int64_t j = 0; j <= i; j++)
            products[i * width + j] += sums[j];
    }
}

static void add_sums(double *sums, const float *rows, int64_t depth, int count)
{
    for (int r = 0; r < count; r++) {
        for (int64_t k = 0; k < depth; k++)
            sums[k] += rows[r * depth + k];
    }
}

/* rows: [count][depth] of one group, to be multiplied. */
static void multiply_rows(oct_moments *m, int64_t group, const float *rows, int count)
{
    add_sums(m->part_sums + group * m->depth, rows, m->depth, count);
    for (int64_t b = 0; b < block_count(m); b++)
        add_products(block_products(m, group, b), pitch(m), rows + b * BLOCK, m->depth, count,
                     block_size(m, b));
}

/* What kernel and group see at one place of the output. x: the group's first channel of an image. */
static void read_window(const oct_window *w, const float *x, int64_t channels, int64_t y0, int64_t x0,
                        float *row)
{
    for (int64_t c = 0; c < channels; c++, x += w->in[0] * w->in[1]) {
        for (int64_t i = 0; i < w->kernel[0]; i++) {
            int64_t y = y0 * w->stride[0] - w->pad_begin[0] + i * w->dilation[0];
            for (int64_t j = 0; j < w->kernel[1]; j++, row++) {
                int64_t at = x0 * w->stride[1] - w->pad_begin[1] + j * w->dilation[1];
                bool inside = y >= 0 && y < w->in[0] && at >= 0 && at < w->in[1];
                *row = inside ? x[y * w->in[1] + at] : 0;
            }
        }
    }
}

typedef struct source {
    const float *data;
    bool is_window;
    oct_window window;
    int64_t channels; /* of one image */
    int64_t places;   /* rows that the sample has */
} source;

static octet_status open_source(const oct_moments *m, const oct_graph *g, const oct_node *n,
                                const octet_tensor *x, source *s)
{
    *s = (source){.data = x->data, .is_window = n->op == OCT_OP_Conv};
    if (!s->is_window) {
        RETURN_IF(x->rank < 1 || x->dims[x->rank - 1] != m->depth, OCTET_INTERNAL,
                  "node '%s': rows of another length", n->name);
        s->places = (int64_t)(octet_tensor_bytes(x) / sizeof(float)) / m->depth;
        return OCTET_OK;
    }
    oct_value value = {.rank = x->rank};
    memcpy(value.dims, x->dims, sizeof value.dims);
    FORWARD(oct_window_resolve(n, &value, g->values[n->inputs[1]].dims + 2, false, &s->window));
    s->channels = x->dims[1];
    s->places = x->dims[0] * s->window.out[0] * s->window.out[1];
    return OCTET_OK;
}

static void read_row(const oct_moments *m, const source *s, int64_t group, int64_t place, float *row)
{
    const oct_window *w = &s->window;
    if (!s->is_window) {
        memcpy(row, s->data + place * m->depth, (size_t)m->depth * sizeof *row);
        return;
    }
    int64_t image = place / (w->out[0] * w->out[1]), in_image = place % (w->out[0] * w->out[1]);
    int64_t channels = s->channels / m->groups;
    const float *x = s->data + (image * s->channels + group * channels) * w->in[0] * w->in[1];
    read_window(w, x, channels, in_image / w->out[1], in_image % w->out[1], row);
}

/* Row `index` of `used` that are spread evenly over the sample's. */
static int64_t place_of(const source *s, int64_t index, int64_t used)
{
    return (int64_t)(((double)index + 0.5) / (double)used * (double)s->places);
}

static void add_group(oct_moments *m, const source *s, int64_t group, int64_t most, float *rows)
{
    double *sums = m->sums + group * m->depth;
    for (int64_t place = 0; place < s->places; place++) {
        read_row(m, s, group, place, rows);
        add_sums(sums, rows, m->depth, 1);
    }
    for (int64_t first = 0; first < most; first += CHUNK) {
        int count = (int)(most - first < CHUNK ? most - first : CHUNK);
        for (int r = 0; r < count; r++)
            read_row(m, s, group, place_of(s, first + r, most), rows + r * m->depth);
        multiply_rows(m, group, rows, count);
    }
}

octet_status oct_moments_add(oct_moments *m, const oct_graph *g, const oct_node *n, const octet_tensor *x,
                             int64_t most)
{
    source s;
    FORWARD(open_source(m, g, n, x, &s));
    int64_t used = s.places < most ? s.places : most;
    float *rows = malloc((size_t)(CHUNK * m->depth) * sizeof *rows);
    if (!rows)
        return no_memory();
    for (int64_t group = 0; group < m->groups; group++)
        add_group(m, &s, group, used, rows);
    m->seen += (double)s.places;
    m->count += (double)used;
    free(rows);
    return OCTET_OK;
}

/* ---- rounding ------------------------------------------------------------------------------------------ */

/* Sums to the covariance, with some of the mean variance added to the diagonal: more where samples are few.
 */
static void make_covariance(const oct_moments *m, int64_t group, int64_t block)
{
    const double damping = 0.01;
    int64_t size = block_size(m, block), width = pitch(m);
    const double *sums = m->part_sums + group * m->depth + block * BLOCK;
    double *p = block_products(m, group, block), trace = 0;
    for (int64_t i = 0; i < size; i++) {
        for (int64_t j = 0; j <= i; j++)
            p[i * width + j] = p[i * width + j] / m->count - sums[i] / m->count * (sums[j] / m->count);
        p[i * width + i] = fmax(p[i * width + i], 0);
        trace += p[i * width + i];
    }
    double mean = trace / (double)size;
    double more = mean > 0 ? mean * (damping + (double)size / m->count) : 1;
    for (int64_t i = 0; i < size; i++)
        p[i * width + i] += more;
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

/* Rows and columns in this order. */
static void permute(double *p, int64_t width, int64_t size, const ranked *order, double *copy)
{
    for (int64_t i = 0; i < size; i++)
        memcpy(copy + i * size, p + i * width, (size_t)(i + 1) * sizeof *p);
    for (int64_t i = 0; i < size; i++) {
        for (int64_t j = 0; j <= i; j++) {
            int64_t a = order[i].index, b = order[j].index;
            p[i * width + j] = a > b ? copy[a * size + b] : copy[b * size + a];
        }
    }
}

/* P = U D U^T with U unit upper triangular; row k of what is left below the diagonal of p is column k of U.
 * With e the errors of a row of weights, e P e^T = sum over k of D_k (e_k + sum over j < k of e_j U_jk)^2. */
static void factor(double *p, int64_t width, int64_t size)
{
    for (int64_t k = size - 1; k > 0; k--) {
        double *row = p + k * width, d = row[k];
        for (int64_t i = 0; i < k; i++) {
            double a = row[i] / d, *to = p + i * width;
            for (int64_t j = 0; j <= i; j++)
                to[j] -= a * row[j];
        }
        for (int64_t i = 0; i < k; i++)
            row[i] /= d;
    }
}

static octet_status make_factors(oct_moments *m)
{
    size_t size = (size_t)pitch(m);
    ranked *order = calloc(size, sizeof *order);
    double *copy = malloc(size * size * sizeof *copy);
    m->order = calloc((size_t)(m->groups * m->depth), sizeof *m->order);
    octet_status status = order && copy && m->order ? OCTET_OK : no_memory();
    for (int64_t i = 0; status == OCTET_OK && i < m->groups * block_count(m); i++) {
        int64_t group = i / block_count(m), block = i % block_count(m), n = block_size(m, block);
        double *p = block_products(m, group, block);
        make_covariance(m, group, block);
        for (int64_t k = 0; k < n; k++)
            order[k] = (ranked){p[k * pitch(m) + k], (int)k};
        qsort(order, (size_t)n, sizeof *order, larger_first);
        for (int64_t k = 0; k < n; k++)
            m->order[group * m->depth + block * BLOCK + k] = order[k].index;
        permute(p, pitch(m), n, order, copy);
        factor(p, pitch(m), n);
    }
    free(order);
    free(copy);
    return status;
}

/* Rows of weights that are rounded side by side. */
#define TILE 8

/* One block of `count` rows from `row` on. Each weight makes up for the errors of those before it, as far as
 * the numbers that they meet go together: the best choice for one k of the sum above when those before it are
 * made. */
static void round_tile(const oct_moments *m, int64_t row, int count, int64_t block, const float *weights,
                       const float *scales, int top, double (*errors)[TILE])
{
    int64_t group = row / (m->rows / m->groups), at = block * BLOCK;
    const double *p = block_products(m, group, block);
    const int *order = m->order + group * m->depth + at;
    for (int64_t k = 0; k < block_size(m, block); k++, p += pitch(m)) {
        double carried[TILE] = {0};
        for (int64_t j = 0; j < k; j++) {
            for (int r = 0; r < TILE; r++)
                carried[r] += p[j] * errors[j][r];
        }
        for (int r = 0; r < count; r++) {
            int64_t i = (row + r) * m->row_step + (at + order[k]) * m->step;
            double want = (double)weights[i] / scales[row + r];
            double made = fmin(fmax(rint(want + carried[r]), -top), top);
            m->made[i] = (int8_t)made;
            errors[k][r] = want - made;
        }
    }
}

static octet_status round_all(oct_moments *m, const float *weights, const float *scales, int top)
{
    double(*errors)[TILE] = calloc((size_t)pitch(m), sizeof *errors);
    if (!errors)
        return no_memory();
    int64_t of_group = m->rows / m->groups;
    for (int64_t row = 0; row < m->rows;) {
        int64_t rest = of_group - row % of_group;
        int count = (int)(rest < TILE ? rest : TILE);
        for (int64_t b = 0; b < block_count(m); b++)
            round_tile(m, row, count, b, weights, scales, top, errors);
        row += count;
    }
    free(errors);
    return OCTET_OK;
}

octet_status oct_moments_round(oct_moments *m, const float *weights, const float *scales, int top,
                               int8_t *made)
{
    size_t scale_bytes = (size_t)m->rows * sizeof *scales;
    RETURN_IF(m->count == 0, OCTET_INTERNAL, "adaptive rounding without samples");
    if (!m->order)
        FORWARD(make_factors(m));
    if (!m->made_with || memcmp(m->made_with, scales, scale_bytes) != 0) {
        free(m->made_with);
        m->made_with = NULL;
        FORWARD(round_all(m, weights, scales, top));
        m->made_with = malloc(scale_bytes);
        if (!m->made_with)
            return no_memory();
        memcpy(m->made_with, scales, scale_bytes);
    }
    memcpy(made, m->made, (size_t)(m->rows * m->depth));
    return OCTET_OK;
}
