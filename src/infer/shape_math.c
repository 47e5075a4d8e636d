/* See shape_math.h. Numbers are computed in double: exact for integers below 2^53, and one rounding to
 * float32 after + - * / gives what float32 arithmetic gives. */
#include "shape_math.h"
#include "dtype.h"
#include "moves.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

enum { MOST = 1 << 16 };               /* elements */
#define MOST_BYTES ((size_t)256 << 20) /* of all that a graph makes */

/* A node's output in the making. */
typedef struct making {
    infer_ctx *c;
    oct_value *y; /* shape known */
    unsigned char *data;
    int64_t count;
    size_t each; /* bytes of an element */
} making;

/* false: it cannot be had. */
typedef bool make_fn(making *m);

static bool is_number(octet_dtype t)
{
    return t == OCTET_F32 || t == OCTET_S32 || t == OCTET_S64 || t == OCTET_BOOL;
}

static int64_t count_of(const oct_value *v)
{
    int64_t n;
    return oct_shape_elems(v->dims, v->rank, &n) && n <= MOST ? n : -1;
}

static double load(const oct_value *v, int64_t i)
{
    const char *at = (const char *)v->data + (size_t)i * oct_dtype_bytes(v->dtype);
    int64_t wide;
    int32_t narrow;
    float f;
    switch (v->dtype) {
    case OCTET_F32:
        return memcpy(&f, at, sizeof f), (double)f;
    case OCTET_S32:
        return memcpy(&narrow, at, sizeof narrow), (double)narrow;
    case OCTET_S64:
        return memcpy(&wide, at, sizeof wide), (double)wide;
    default:
        return *(const unsigned char *)at != 0;
    }
}

static bool save(making *m, int64_t i, double x)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    void *at = m->data + (size_t)i * m->each;
    float f = (float)x;
    if (m->y->dtype == OCTET_F32)
        return memcpy(at, &f, sizeof f), true;
    if (!(x > -exact && x < exact) || (m->y->dtype == OCTET_S32 && (x < INT32_MIN || x > INT32_MAX)))
        return false;
    int64_t wide = (int64_t)x;
    int32_t narrow = (int32_t)wide;
    if (m->y->dtype == OCTET_S64)
        memcpy(at, &wide, sizeof wide);
    else if (m->y->dtype == OCTET_S32)
        memcpy(at, &narrow, sizeof narrow);
    else
        *(unsigned char *)at = x != 0;
    return true;
}

/* ---- elements that move -------------------------------------------------------------------------------- */

/* y[i] = x[start + sum of index times step]. */
static void pick(making *m, const oct_value *x, int64_t start, const int64_t *steps)
{
    for (int64_t i = 0; i < m->count; i++) {
        int64_t rest = i, from = start;
        for (int d = m->y->rank - 1; d >= 0; d--) {
            from += rest % m->y->dims[d] * steps[d];
            rest /= m->y->dims[d];
        }
        memcpy(m->data + (size_t)i * m->each, (const char *)x->data + (size_t)from * m->each, m->each);
    }
}

static void dense_steps(const oct_value *x, int64_t *steps)
{
    int64_t step = 1;
    for (int d = x->rank - 1; d >= 0; d--) {
        steps[d] = step;
        step *= x->dims[d];
    }
}

/* Steps through x that repeat it to y's shape. */
static void broadcast_steps(const oct_value *x, const oct_value *y, int64_t *steps)
{
    int64_t own[OCTET_MAX_RANK];
    dense_steps(x, own);
    for (int d = 0; d < y->rank; d++) {
        int from = d - (y->rank - x->rank);
        steps[d] = from < 0 || x->dims[from] == 1 ? 0 : own[from];
    }
}

static bool make_copy(making *m)
{
    if (m->count)
        memcpy(m->data, oct_infer_in(m->c, 0)->data, (size_t)m->count * m->each);
    return true;
}

static bool make_expand(making *m)
{
    int64_t steps[OCTET_MAX_RANK];
    broadcast_steps(oct_infer_in(m->c, 0), m->y, steps);
    pick(m, oct_infer_in(m->c, 0), 0, steps);
    return true;
}

static bool make_transpose(making *m)
{
    const oct_attr *perm = oct_node_attr(m->c->n, "perm");
    int64_t own[OCTET_MAX_RANK], steps[OCTET_MAX_RANK];
    dense_steps(oct_infer_in(m->c, 0), own);
    for (int d = 0; d < m->y->rank; d++)
        steps[d] = own[perm ? perm->ints[d] : m->y->rank - 1 - d];
    pick(m, oct_infer_in(m->c, 0), 0, steps);
    return true;
}

static bool make_slice(making *m)
{
    const oct_value *x = oct_infer_in(m->c, 0);
    int64_t steps[OCTET_MAX_RANK], start = 0;
    oct_slice s;
    if (oct_slice_resolve(m->c->g, m->c->n, &s) != OCTET_OK)
        return false;
    dense_steps(x, steps);
    for (int d = 0; d < x->rank; d++) {
        start += s.start[d] * steps[d];
        steps[d] *= s.step[d];
    }
    pick(m, x, start, steps);
    return true;
}

static int64_t product(const oct_value *v, int from, int to)
{
    int64_t n = 1;
    for (int d = from; d < to; d++)
        n *= v->dims[d];
    return n;
}

static bool make_concat(making *m)
{
    int64_t axis = oct_node_int(m->c->n, "axis", 1), at = 0;
    axis += axis < 0 ? m->y->rank : 0;
    int64_t outer = product(m->y, 0, (int)axis);
    int64_t row = product(m->y, (int)axis, m->y->rank);
    for (int k = 0; k < m->c->n->input_count; k++) {
        const oct_value *x = oct_infer_in(m->c, k);
        int64_t part = product(x, (int)axis, x->rank);
        for (int64_t o = 0; part && o < outer; o++)
            memcpy(m->data + (size_t)(o * row + at) * m->each,
                   (const char *)x->data + (size_t)(o * part) * m->each, (size_t)part * m->each);
        at += part;
    }
    return true;
}

static bool make_gather(making *m)
{
    const oct_value *x = oct_infer_in(m->c, 0), *indices = oct_infer_in(m->c, 1);
    int64_t axis = oct_node_int(m->c->n, "axis", 0), picks = count_of(indices);
    axis += axis < 0 ? x->rank : 0;
    int64_t size = x->dims[axis], outer = product(x, 0, (int)axis),
            inner = product(x, (int)axis + 1, x->rank);
    for (int64_t k = 0; k < outer * picks; k++) {
        double index = load(indices, k % picks);
        index += index < 0 ? (double)size : 0;
        if (!(index >= 0 && index < (double)size))
            return false;
        if (inner)
            memcpy(m->data + (size_t)(k * inner) * m->each,
                   (const char *)x->data + (size_t)((k / picks * size + (int64_t)index) * inner) * m->each,
                   (size_t)inner * m->each);
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static bool make_cast(making *m)
{
    const oct_value *x = oct_infer_in(m->c, 0);
    for (int64_t i = 0; i < m->count; i++) {
        double v = load(x, i);
        if (!save(m, i, m->y->dtype == OCTET_F32 || m->y->dtype == OCTET_BOOL ? v : trunc(v)))
            return false;
    }
    return true;
}

static bool compute(oct_op op, bool integer, double a, double b, double *y)
{
    switch (op) {
    case OCT_OP_Add:
        *y = a + b;
        return true;
    case OCT_OP_Sub:
        *y = a - b;
        return true;
    case OCT_OP_Mul:
        *y = a * b;
        return true;
    case OCT_OP_Div:
        *y = integer ? trunc(a / b) : a / b;
        return !integer || b != 0;
    case OCT_OP_Min:
        *y = a < b ? a : b;
        return true;
    case OCT_OP_Max:
        *y = a > b ? a : b;
        return true;
    case OCT_OP_Equal:
        *y = a == b;
        return true;
    case OCT_OP_Less:
        *y = a < b;
        return true;
    case OCT_OP_LessOrEqual:
        *y = a <= b;
        return true;
    case OCT_OP_Greater:
        *y = a > b;
        return true;
    case OCT_OP_GreaterOrEqual:
        *y = a >= b;
        return true;
    case OCT_OP_And:
        *y = a != 0 && b != 0;
        return true;
    case OCT_OP_Or:
        *y = a != 0 || b != 0;
        return true;
    default:
        return false;
    }
}

static int64_t offset_of(const oct_value *y, int64_t i, const int64_t *steps)
{
    int64_t from = 0;
    for (int d = y->rank - 1; d >= 0; d--) {
        from += i % y->dims[d] * steps[d];
        i /= y->dims[d];
    }
    return from;
}

static bool make_binary(making *m)
{
    const oct_value *a = oct_infer_in(m->c, 0), *b = oct_infer_in(m->c, 1);
    int64_t a_steps[OCTET_MAX_RANK], b_steps[OCTET_MAX_RANK];
    broadcast_steps(a, m->y, a_steps);
    broadcast_steps(b, m->y, b_steps);
    for (int64_t i = 0; i < m->count; i++) {
        double y;
        if (!compute(m->c->n->op, a->dtype != OCTET_F32, load(a, offset_of(m->y, i, a_steps)),
                     load(b, offset_of(m->y, i, b_steps)), &y) ||
            !save(m, i, y))
            return false;
    }
    return true;
}

static bool make_unary(making *m)
{
    const oct_value *x = oct_infer_in(m->c, 0);
    for (int64_t i = 0; i < m->count; i++) {
        double v = load(x, i);
        oct_op op = m->c->n->op;
        v = op == OCT_OP_Floor ? floor(v) : op == OCT_OP_Ceil ? ceil(v) : op == OCT_OP_Not ? v == 0 : -v;
        if (!save(m, i, v))
            return false;
    }
    return true;
}

static bool make_where(making *m)
{
    int64_t steps[3][OCTET_MAX_RANK];
    for (int k = 0; k < 3; k++)
        broadcast_steps(oct_infer_in(m->c, k), m->y, steps[k]);
    for (int64_t i = 0; i < m->count; i++) {
        int chosen = load(oct_infer_in(m->c, 0), offset_of(m->y, i, steps[0])) != 0 ? 1 : 2;
        const oct_value *x = oct_infer_in(m->c, chosen);
        memcpy(m->data + (size_t)i * m->each,
               (const char *)x->data + (size_t)offset_of(m->y, i, steps[chosen]) * m->each, m->each);
    }
    return true;
}

/* Over everything: the only way shapes are reduced. */
static bool make_reduce(making *m)
{
    const oct_value *x = oct_infer_in(m->c, 0);
    oct_op op = m->c->n->op;
    int64_t count = count_of(x);
    if (m->count != 1 || count < 1)
        return false;
    double y = load(x, 0);
    for (int64_t i = 1; i < count; i++) {
        double v = load(x, i);
        y = op == OCT_OP_ReduceProd  ? y * v
            : op == OCT_OP_ReduceSum ? y + v
            : op == OCT_OP_ReduceMax ? (y > v ? y : v)
                                     : (y < v ? y : v);
    }
    return save(m, 0, y);
}

static bool make_range(making *m)
{
    double start = load(oct_infer_in(m->c, 0), 0), delta = load(oct_infer_in(m->c, 2), 0);
    for (int64_t i = 0; i < m->count; i++) {
        double step = (double)i * delta;
        if (!save(m, i, start + (m->y->dtype == OCTET_F32 ? (double)(float)step : step)))
            return false;
    }
    return true;
}

static bool make_shape(making *m)
{
    int64_t from, to;
    const oct_value *x = oct_infer_in(m->c, 0);
    oct_shape_range(m->c->n, x->rank, &from, &to);
    if (m->c->n->op == OCT_OP_Size)
        return save(m, 0, (double)product(x, 0, x->rank));
    for (int64_t i = from; i < to; i++) {
        if (!save(m, i - from, (double)x->dims[i]))
            return false;
    }
    return true;
}

static bool make_constant_of_shape(making *m)
{
    const oct_attr *value = oct_node_attr(m->c->n, "value");
    for (int64_t i = 0; value && i < m->count; i++)
        memcpy(m->data + (size_t)i * m->each, value->tensor->data, m->each);
    return true; /* without a value: zeros, as the arena gives them */
}

/* ---- the table ----------------------------------------------------------------------------------------- */

/* Rules for floats stand in the way of some: their shape is made here. */
typedef enum own_shape { BY_RULE, BROADCAST, REDUCED } own_shape;

typedef struct row {
    make_fn *make;
    own_shape shape;
} row;

static const row rows[OCT_OP_COUNT] = {
#define make_none NULL
#define COLUMN_HOST(make, shape)                                                                             \
    {                                                                                                        \
        make_##make, shape                                                                                   \
    }
#define OCT_OP(op, file, arity, family, shape, host, ...) [OCT_OP_##op] = COLUMN_##host,
#include "op_table.def"
#undef OCT_OP
};

bool oct_shape_math_can(const infer_ctx *c)
{
    const oct_node *n = c->n;
    const row *r = &rows[n->op];
    if (!r->make || n->output_count != 1 || (r->make == make_binary && n->input_count != 2))
        return false;
    if (r->make == make_shape)
        return true;
    bool own = r->make == make_range; /* of integers, or descended from a shape */
    for (int i = 0; i < n->input_count; i++) {
        const oct_value *v = oct_infer_in(c, i);
        if (!v)
            continue;
        if (!v->data || !is_number(v->dtype) || count_of(v) < 0)
            return false;
        own = own || v->made || (i == 0 && v->dtype != OCTET_F32);
    }
    return own;
}

/* The output's shape. *made: by this file, not by the rule. */
static octet_status set_shape(infer_ctx *c, own_shape how, infer_fn *rule, bool *made)
{
    const oct_value *a = oct_infer_in(c, 0), *b = c->n->input_count > 1 ? oct_infer_in(c, 1) : a;
    int64_t dims[OCTET_MAX_RANK];
    int rank = 0;
    *made = how == REDUCED || (how == BROADCAST && a && b && a->dtype == b->dtype);
    if (!*made || how == REDUCED)
        return *made ? oct_infer_reduced(c) : rule(c);
    FORWARD(oct_infer_broadcast(c, a, b, &rank, dims));
    oct_infer_out(c, 0, a->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_shape_math_do(infer_ctx *c, infer_fn *rule, bool *done)
{
    const row *r = &rows[c->n->op];
    bool own;
    *done = false;
    FORWARD(set_shape(c, r->shape, rule, &own));
    making m = {.c = c, .y = &c->g->values[c->n->outputs[0]]};
    m.count = count_of(m.y);
    m.each = oct_dtype_bytes(m.y->dtype);
    if (m.count >= 0 && (is_number(m.y->dtype) || r->make == make_constant_of_shape)) {
        size_t bytes = (size_t)m.count * m.each;
        RETURN_IF(bytes > MOST_BYTES - c->g->made_bytes, OCTET_UNSUPPORTED,
                  "arithmetic on shapes and constants makes more than %zu bytes, '%s' of %zu among them",
                  MOST_BYTES, m.y->name, bytes);
        c->g->made_bytes += bytes;
        m.data = oct_arena_alloc(&c->g->arena, (size_t)m.count, m.each);
        RETURN_IF(!m.data, OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
        *done = r->make(&m);
    }
    if (!*done)
        return own ? rule(c) : OCTET_OK;
    m.y->data = m.data;
    m.y->data_bytes = (size_t)m.count * m.each;
    m.y->made = true;
    return OCTET_OK;
}
