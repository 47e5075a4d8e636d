#include "moments.h"
#include "op_facts.h"
#include "prepare.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of one covariance matrix at most; longer rows are cut. Rows of samples that are multiplied at a
 * time, and numbers of a row: whole blocks of these, so that a compiler sees how many. */
#define BLOCK 1536
#define CHUNK 32
#define LANES 16

int64_t oct_moments_block_size(const oct_moments *m, int64_t block)
{
    int64_t rest = m->depth - block * m->size;
    return rest < m->size ? rest : m->size;
}

int64_t oct_moments_block_at(const oct_moments *m, int64_t group, int64_t block)
{
    return (group * m->blocks + block) * m->size * m->pitch;
}

static int64_t whole_lanes(int64_t count)
{
    return (count + LANES - 1) / LANES * LANES;
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
        return oct_out_of_memory("quantization");
    *m = found;
    m->blocks = (m->depth + BLOCK - 1) / BLOCK;
    m->size = (m->depth + m->blocks - 1) / m->blocks;
    m->pitch = whole_lanes(m->size);
    size_t numbers = (size_t)(m->groups * m->depth), products = (size_t)oct_moments_block_at(m, m->groups, 0);
    m->sums = calloc(numbers, sizeof *m->sums);
    m->wanted = calloc(numbers, sizeof *m->wanted);
    m->part_sums = calloc(numbers, sizeof *m->part_sums);
    m->part_moves = calloc(numbers, sizeof *m->part_moves);
    m->products = calloc(products, sizeof *m->products);
    m->crossed = calloc(products, sizeof *m->crossed);
    if (!m->sums || !m->wanted || !m->part_sums || !m->part_moves || !m->products || !m->crossed) {
        oct_moments_free(m);
        return oct_out_of_memory("quantization");
    }
    *moments = m;
    return OCTET_OK;
}

void oct_moments_free(oct_moments *m)
{
    if (!m)
        return;
    free(m->sums);
    free(m->wanted);
    free(m->part_sums);
    free(m->part_moves);
    free(m->products);
    free(m->crossed);
    free(m);
}

/* ---- samples ------------------------------------------------------------------------------------------- */

/* Rows end with zeros, for lanes that reach beyond them. */
static int64_t row_pitch(const oct_moments *m)
{
    return whole_lanes(m->depth) + LANES;
}

/* to[l] += sum over the rows of their a and b[l]. Float: a few dozen numbers. */
static void add_lanes(double *to, const float *a, const float *b, int64_t pitch, int count)
{
    float sums[LANES] = {0};
    for (int r = 0; r < count; r++, a += pitch, b += pitch) {
        for (int l = 0; l < LANES; l++)
            sums[l] += *a * b[l];
    }
    for (int l = 0; l < LANES; l++)
        to[l] += sums[l];
}

static void add_sums(double *sums, const float *rows, int64_t pitch, int64_t depth, int count)
{
    for (int r = 0; r < count; r++) {
        for (int64_t k = 0; k < depth; k++)
            sums[k] += rows[r * pitch + k];
    }
}

/* Rows of one group, to be multiplied: [count][row_pitch], what the quantized network has and what it lacks.
 */
static void multiply_rows(oct_moments *m, int64_t group, const float *rows, const float *moves, int count)
{
    int64_t pitch = row_pitch(m);
    add_sums(m->part_sums + group * m->depth, rows, pitch, m->depth, count);
    add_sums(m->part_moves + group * m->depth, moves, pitch, m->depth, count);
    for (int64_t b = 0; b < m->blocks; b++) {
        int64_t first = b * m->size, size = oct_moments_block_size(m, b);
        double *products = m->products + oct_moments_block_at(m, group, b);
        double *crossed = m->crossed + oct_moments_block_at(m, group, b);
        for (int64_t i = 0; i < size; i++) {
            for (int64_t j = 0; j <= i; j += LANES)
                add_lanes(products + i * m->pitch + j, rows + first + i, rows + first + j, pitch, count);
            for (int64_t j = 0; j < size; j += LANES)
                add_lanes(crossed + i * m->pitch + j, moves + first + i, rows + first + j, pitch, count);
        }
    }
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

typedef struct rows {
    float *x, *moves; /* [CHUNK][row_pitch] */
} rows_of_chunk;

/* Row `place` of both networks, and their difference. */
static void read_both(const oct_moments *m, const source *wanted, const source *x, int64_t group,
                      int64_t place, float *row, float *moves)
{
    read_row(m, x, group, place, row);
    read_row(m, wanted, group, place, moves);
    for (int64_t k = 0; k < m->depth; k++)
        moves[k] -= row[k];
}

static void add_group(oct_moments *m, const source *wanted, const source *x, int64_t group, int64_t most,
                      const rows_of_chunk *chunk)
{
    int64_t pitch = row_pitch(m);
    for (int64_t place = 0; place < x->places; place++) {
        read_row(m, x, group, place, chunk->x);
        add_sums(m->sums + group * m->depth, chunk->x, pitch, m->depth, 1);
        read_row(m, wanted, group, place, chunk->x);
        add_sums(m->wanted + group * m->depth, chunk->x, pitch, m->depth, 1);
    }
    for (int64_t first = 0; first < most; first += CHUNK) {
        int count = (int)(most - first < CHUNK ? most - first : CHUNK);
        for (int r = 0; r < count; r++)
            read_both(m, wanted, x, group, place_of(x, first + r, most), chunk->x + r * pitch,
                      chunk->moves + r * pitch);
        multiply_rows(m, group, chunk->x, chunk->moves, count);
    }
}

octet_status oct_moments_add(oct_moments *m, const oct_graph *g, const oct_node *n,
                             const octet_tensor *wanted, const octet_tensor *x, int64_t most)
{
    source of_float, of_ints;
    FORWARD(open_source(m, g, n, wanted, &of_float));
    FORWARD(open_source(m, g, n, x, &of_ints));
    RETURN_IF(of_float.places != of_ints.places, OCTET_INTERNAL, "node '%s': inputs of two sizes", n->name);
    int64_t used = of_ints.places < most ? of_ints.places : most;
    rows_of_chunk chunk = {calloc((size_t)(CHUNK * row_pitch(m)), sizeof *chunk.x),
                           calloc((size_t)(CHUNK * row_pitch(m)), sizeof *chunk.moves)};
    octet_status status = chunk.x && chunk.moves ? OCTET_OK : oct_out_of_memory("quantization");
    for (int64_t group = 0; status == OCTET_OK && group < m->groups; group++)
        add_group(m, &of_float, &of_ints, group, used, &chunk);
    m->seen += (double)of_ints.places;
    m->count += (double)used;
    free(chunk.x);
    free(chunk.moves);
    return status;
}
