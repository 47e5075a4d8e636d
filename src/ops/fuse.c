#include "fuse.h"
#include "dtype.h"
#include "quant.h"
#include "sizes.h"
#include "work_items.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel has room for: operands, numbers, and text of the expression. */
#define SLOTS      OCT_BROADCAST_OPERANDS
#define ATTRIBUTES 16
#define TEXT       768
static_assert(sizeof(((fused_args *)0)->x) == SLOTS * sizeof(oct_ref) &&
                  sizeof(((fused_args *)0)->f) == ATTRIBUTES * sizeof(float),
              "FUSED_ARGS has another number of operands or numbers");

#define NO_LAUNCH (-1)
#define MANY      (-2)

typedef struct fusion {
    oct_recipe *r;
    const oct_caps *caps;
    int *writer;    /* by memory: the launch that writes it, MANY */
    int *readers;   /* by memory: launches' arguments that read it */
    bool *constant; /* by memory: depends on constants alone */
    int (*from)[2]; /* by launch: the launch that is computed in the place of operand i; NO_LAUNCH: it is read
                     */
    int *operators; /* by launch: how many one expression holds */
    int *taken;     /* by launch: readers that compute it themselves */
    bool *needed;   /* by launch */
} fusion;

void oct_elementwise_mark(oct_recipe *r, oct_launch *l, const oct_elementwise *e)
{
    oct_elementwise *copy = l ? oct_arena_alloc(&r->arena, 1, sizeof *copy) : NULL;
    if (l && !copy && r->status == OCTET_OK)
        r->status = oct_out_of_memory("fused launches");
    if (!copy)
        return;
    *copy = *e;
    l->elementwise = copy;
}

/* ---- the expression of one launch ---------------------------------------------------------------------- */

typedef struct expression {
    const fusion *f;
    oct_mem slots[SLOTS];
    const oct_operand *operands[SLOTS]; /* NULL: a scale or zero point */
    int slot_count, attribute_count;
    float attributes[ATTRIBUTES];
    oct_broadcast shape;
    char text[TEXT], result[96]; /* EXPR, and the options of a quantized result */
    size_t length;
    bool fits;
} expression;

static OCT_PRINTF(2, 3) void put(expression *x, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(x->text + x->length, sizeof x->text - x->length, format, args);
    va_end(args);
    x->fits = x->fits && n >= 0 && (size_t)n < sizeof x->text - x->length;
    x->length = x->fits ? x->length + (size_t)n : 0;
}

static bool same_dims(const oct_operand *a, const oct_operand *b)
{
    return a->rank == b->rank &&
           (!a->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

static int slot_of(expression *x, oct_mem mem, const oct_operand *operand)
{
    for (int k = 0; k < x->slot_count; k++) {
        const oct_operand *o = x->operands[k];
        if (x->slots[k] == mem &&
            (operand && o ? o->dtype == operand->dtype && same_dims(o, operand) : operand == o))
            return k;
    }
    if (x->slot_count == SLOTS) {
        x->fits = false;
        return 0;
    }
    x->slots[x->slot_count] = mem;
    x->operands[x->slot_count] = operand;
    return x->slot_count++;
}

/* A number that the host knows is an argument: programs are the same for all of them. */
static void put_number(expression *x, float number)
{
    int at = 0;
    while (at < x->attribute_count && memcmp(&x->attributes[at], &number, sizeof number) != 0)
        at++;
    if (at == ATTRIBUTES) {
        x->fits = false;
        return;
    }
    x->attributes[at] = number;
    x->attribute_count += at == x->attribute_count;
    put(x, "F(%d)", at);
}

/* Constants of a file need not lie aligned. */
static float float_at(const void *host)
{
    float number;
    memcpy(&number, host, sizeof number);
    return number;
}

static void put_scale(expression *x, const oct_quant *q)
{
    if (!q->scale_count)
        put(x, "1.0f");
    else if (q->host_scale)
        put_number(x, float_at(q->host_scale));
    else
        put(x, "SCALE(%d)", slot_of(x, q->scale, NULL));
}

static int32_t zero_at(const void *host, octet_dtype dtype)
{
    uint16_t bits = 0;
    memcpy(&bits, host, oct_dtype_bytes(dtype)); /* little-endian */
    return dtype == OCTET_S8 ? (int8_t)bits : dtype == OCTET_S16 ? (int16_t)bits : bits;
}

static void put_zero(expression *x, const oct_quant *q, octet_dtype dtype)
{
    if (!q->zero_count) {
        put(x, "0");
    } else if (q->host_zero) {
        put(x, "(int)");
        put_number(x, (float)zero_at(q->host_zero, dtype));
    } else {
        put(x, "ZERO(%s,%d)", oct_dtype_cl(dtype), slot_of(x, q->zero, NULL));
    }
}

static bool is_number(const oct_operand *t)
{
    return t->dtype == OCTET_F32 && t->host && oct_operand_elems(t) == 1;
}

static bool divides_by_number(const oct_elementwise *e)
{
    return strcmp(e->call, "Div") == 0 && is_number(&e->in[1]);
}

/* Whether an operand is repeated along the inner dimension is known when all are: it is put in then, by
 * number. */
static void put_operand(expression *x, const oct_operand *t)
{
    if (is_number(t)) {
        put(x, "(float16)(");
        put_number(x, float_at(t->host));
        put(x, ")");
        return;
    }
    put(x, "IN%d", slot_of(x, t->mem, t));
}

static void put_result(expression *x, const oct_elementwise *e)
{
    size_t end = x->length;
    put(x, " -DY_MIN=%d -DY_MAX=%d -DY_SCALE=", (int)oct_dtype_min(e->y.dtype),
        (int)oct_dtype_max(e->y.dtype));
    put_scale(x, &e->q);
    put(x, " -DY_ZERO=");
    put_zero(x, &e->q, e->y.dtype);
    x->fits = x->fits && x->length - end < sizeof x->result;
    if (!x->fits)
        return;
    memcpy(x->result, x->text + end, x->length - end + 1);
    x->text[x->length = end] = '\0';
}

static void put_launch(expression *x, int launch);

static void put_input(expression *x, int launch, int i)
{
    int from = x->f->from[launch][i];
    if (from == NO_LAUNCH)
        put_operand(x, &x->f->r->launches[launch]->elementwise->in[i]);
    else
        put_launch(x, from);
}

/* Expressions are small: their operators were counted. */
static void put_launch(expression *x, int launch)
{
    const oct_elementwise *e = x->f->r->launches[launch]->elementwise;
    if (strcmp(e->call, "quantize") == 0) { /* only ever the last: the kernel does it */
        put_input(x, launch, 0);
        put_result(x, e);
    } else if (strcmp(e->call, "dequantize") == 0) {
        put(x, "float_of_%s(", oct_dtype_cl(e->in[0].dtype));
        put_operand(x, &e->in[0]);
        put(x, ",");
        put_scale(x, &e->q);
        put(x, ",");
        put_zero(x, &e->q, e->in[0].dtype);
        put(x, ")");
    } else if (divides_by_number(e)) {
        float by = float_at(e->in[1].host);
        put(x, "oct_div_by16(");
        put_input(x, launch, 0);
        put(x, ",");
        put_number(x, by);
        put(x, ",");
        put_number(x, oct_div_rn(1, by));
        put(x, ")");
    } else {
        put(x, "apply_%s%s(", e->count == 2 ? "float_" : "", e->call);
        for (int i = 0; i < e->count; i++) {
            put(x, i ? "," : "");
            put_input(x, launch, i);
        }
        for (int i = 0; i < 2 && e->count == 1; i++) {
            put(x, ",");
            put_number(x, e->f[i]);
        }
        put(x, ")");
    }
}

/* Three dimensions, and steps that an int holds. */
static bool find_shape(expression *x, const oct_operand *y)
{
    static const oct_operand number = {.dtype = OCTET_F32};
    const oct_operand *operands[SLOTS];
    for (int k = 0; k < x->slot_count; k++)
        operands[k] = x->operands[k] ? x->operands[k] : &number;
    if (oct_broadcast_make(operands, x->slot_count, y, &x->shape) != OCTET_OK)
        return false;
    for (int d = 0; d < 5; d++) {
        if (x->shape.dims[d] != 1)
            return false;
    }
    for (int k = 0; k < x->slot_count; k++) {
        if (x->shape.steps[k][5] > INT32_MAX || x->shape.steps[k][6] > INT32_MAX)
            return false;
    }
    return true;
}

static bool express(const fusion *f, int launch, expression *x)
{
    memset(x, 0, sizeof *x);
    x->f = f;
    x->fits = true;
    put_launch(x, launch);
    return x->fits && find_shape(x, &f->r->launches[launch]->elementwise->y);
}

/* ---- what goes together -------------------------------------------------------------------------------- */

static void find_flow(fusion *f)
{
    const oct_recipe *r = f->r;
    for (int m = 0; m < r->mem_count; m++) {
        f->writer[m] = NO_LAUNCH;
        f->constant[m] = r->mems[m].kind == OCT_MEM_CONST;
    }
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        bool constant = true;
        for (int a = 0; a < l->arg_count; a++) {
            const oct_arg *arg = &l->args[a];
            if (arg->kind == OCT_ARG_IN && arg->mem != OCT_MEM_NONE) {
                f->readers[arg->mem]++;
                constant = constant && f->constant[arg->mem];
            }
        }
        for (int a = 0; a < l->arg_count; a++) {
            oct_mem m = l->args[a].mem;
            if (l->args[a].kind != OCT_ARG_OUT || m == OCT_MEM_NONE)
                continue;
            f->constant[m] = constant && (f->writer[m] == NO_LAUNCH || f->constant[m]);
            f->writer[m] = f->writer[m] == NO_LAUNCH ? i : MANY;
        }
    }
}

/* The launch whose result operand i of launch `at` is, if it can be computed there: in the same shape, for
 * nobody else, or no dearer than what it saves to read (a conversion to float, which may also be of an
 * operand that is repeated). */
static int candidate(const fusion *f, int at, int i)
{
    const oct_elementwise *e = f->r->launches[at]->elementwise;
    oct_mem m = e->in[i].mem;
    if (m == OCT_MEM_NONE || strcmp(e->call, "dequantize") == 0 || f->r->mems[m].kind != OCT_MEM_TEMP ||
        f->constant[m])
        return NO_LAUNCH;
    int from = f->writer[m];
    const oct_elementwise *made = from >= 0 ? f->r->launches[from]->elementwise : NULL;
    if (!made || made->y.dtype != OCTET_F32 || !same_dims(&made->y, &e->in[i]))
        return NO_LAUNCH;
    bool converts = strcmp(made->call, "dequantize") == 0;
    return converts || (f->readers[m] == 1 && same_dims(&e->in[i], &e->y)) ? from : NO_LAUNCH;
}

/* In one launch: no more than a compiler likes. */
static int most_operators(const oct_caps *caps)
{
    return caps->weak_compiler ? 1 : 16;
}

static void take_inputs(fusion *f, int at)
{
    const oct_elementwise *e = f->r->launches[at]->elementwise;
    f->operators[at] = 1;
    f->from[at][0] = f->from[at][1] = NO_LAUNCH;
    for (int i = 0; i < e->count; i++) {
        expression x;
        int from = candidate(f, at, i);
        if (from == NO_LAUNCH || f->operators[at] + f->operators[from] > most_operators(f->caps))
            continue;
        f->from[at][i] = from;
        if (!express(f, at, &x)) {
            f->from[at][i] = NO_LAUNCH;
            continue;
        }
        f->operators[at] += f->operators[from];
        f->taken[from]++;
    }
}

/* ---- launches ------------------------------------------------------------------------------------------ */

/* EXPR, with FULL or REPEATED for each IN. */
static void put_options(const expression *x, const oct_elementwise *e, char *to, size_t size)
{
    size_t n = (size_t)snprintf(to, size, "-DY=%s -DEXPR=%s", oct_dtype_cl(e->y.dtype), x->text);
    for (int k = 0; k < x->slot_count && n < size; k++) {
        if (x->operands[k])
            n += (size_t)snprintf(to + n, size - n, " -DIN%d=%s(%s,%d)", k,
                                  x->shape.steps[k][7] ? "FULL" : "REPEATED",
                                  oct_dtype_cl(x->operands[k]->dtype), k);
    }
}

static int slots_with(const expression *x, oct_mem mem)
{
    int count = 0;
    for (int k = 0; k < x->slot_count; k++)
        count += x->slots[k] == mem;
    return count;
}

static void put_arguments(const fusion *f, const expression *x, const oct_elementwise *e, oct_launch *l)
{
    const int64_t *dims = x->shape.dims;
    int64_t chunk = oct_item_chunk(f->caps), rows = dims[5] * dims[6];
    int64_t rows_of_item = dims[7] ? chunk / dims[7] + 1 : 1;
    fused_args a = {.y = oct_whole(e->y.mem),
                    .inner = dims[7],
                    .chunk = chunk,
                    .rows = dims[6],
                    .all_rows = rows,
                    .rows_of_item = rows_of_item};
    for (int k = 0; k < x->slot_count; k++) {
        a.x[k] = oct_whole(x->slots[k]);
        a.outer_step[k] = x->shape.steps[k][5];
        a.row_step[k] = x->shape.steps[k][6];
    }
    memcpy(a.f, x->attributes, sizeof a.f);
    oct_launch_fused(l, &a);
    oct_launch_2d(l, oct_item_count(f->caps, dims[7]), oct_ceil_div((size_t)rows, (size_t)rows_of_item), 0,
                  0);
    for (int k = 0; k < x->slot_count && l->in_place_count < 2; k++) {
        if (x->operands[k] && same_dims(x->operands[k], &e->y) && slots_with(x, x->slots[k]) == 1)
            oct_launch_in_place(l, x->slots[k]);
    }
}

/* The launch that does all of `at`'s expression, at its place in the recipe. */
static octet_status replace(fusion *f, int at)
{
    oct_recipe *r = f->r;
    const oct_launch *old = r->launches[at];
    const oct_elementwise *e = old->elementwise;
    expression x;
    char options[TEXT + 256];
    RETURN_IF(!express(f, at, &x), OCTET_INTERNAL, "a fused launch no longer fits");
    put_options(&x, e, options, sizeof options);
    oct_launch *l = oct_recipe_launch(r, "pointwise/fused.cl", "fused", "%s%s", options, x.result);
    FORWARD(r->status);
    l->node = old->node;
    put_arguments(f, &x, e, l);
    l->elementwise = e; /* others may compute it too */
    r->launches[at] = l;
    r->launch_count--;
    return OCTET_OK;
}

static octet_status fuse(fusion *f)
{
    oct_recipe *r = f->r;
    int count = r->launch_count, kept = 0;
    find_flow(f);
    for (int i = 0; i < count; i++) {
        const oct_elementwise *e = r->launches[i]->elementwise;
        if (e && !f->constant[e->y.mem])
            take_inputs(f, i);
    }
    for (int i = 0; i < count; i++) {
        bool needed = !f->taken[i] || f->taken[i] < f->readers[r->launches[i]->elementwise->y.mem];
        if (needed && f->operators[i] > 1)
            FORWARD(replace(f, i));
        f->needed[i] = needed;
    }
    for (int i = 0; i < count; i++) {
        r->launches[kept] = r->launches[i];
        kept += f->needed[i];
    }
    r->launch_count = kept;
    return OCTET_OK;
}

octet_status oct_recipe_fuse(oct_recipe *r, const oct_caps *caps)
{
    FORWARD(r->status);
    size_t mems = (size_t)r->mem_count + 1, launches = (size_t)r->launch_count + 1;
    fusion f = {.r = r, .caps = caps};
    f.writer = calloc(mems, sizeof *f.writer);
    f.readers = calloc(mems, sizeof *f.readers);
    f.constant = calloc(mems, sizeof *f.constant);
    f.from = calloc(launches, sizeof *f.from);
    f.operators = calloc(launches, sizeof *f.operators);
    f.taken = calloc(launches, sizeof *f.taken);
    f.needed = calloc(launches, sizeof *f.needed);
    bool ok = f.needed && f.writer && f.readers && f.constant && f.from && f.operators && f.taken;
    octet_status status = ok ? fuse(&f) : oct_out_of_memory("fused launches");
    free(f.writer);
    free(f.readers);
    free(f.constant);
    free(f.from);
    free(f.operators);
    free(f.taken);
    free(f.needed);
    return status;
}
