#include "recurrence.h"
#include "float_product.h"
#include "move.h"
#include "sizes.h"

#include "recurrent/recurrence_args.clh"

#include <stdio.h>
#include <string.h>

/* A step of so many multiply-adds is worth a launch of its own. */
#define STEP_MACS (1 << 20)
/* But not more than so many of them. */
#define MOST_STEPS 4096

enum { GROUP_ITEMS = 256 };

static const struct {
    int gates, functions;
    bool has_c;
} cells[] = {[OCT_CELL_LSTM] = {4, 3, true}, [OCT_CELL_GRU] = {3, 2, false}};

/* Hidden units of all gates. */
static int64_t gates_of(const oct_recurrence_request *q)
{
    return cells[q->cell].gates * q->hidden;
}

/* Does a GRU's candidate take its state behind the reset gate? Then a step has two halves. */
static bool resets(const oct_recurrence_request *q)
{
    return q->cell == OCT_CELL_GRU && !q->linear_before_reset;
}

static double step_macs(const oct_recurrence_request *q)
{
    return (double)gates_of(q) * (double)q->hidden * (double)q->batch * q->directions;
}

static double macs(const void *request)
{
    const oct_recurrence_request *q = request;
    return step_macs(q) * (double)q->steps;
}

static bool suits_steps(const oct_caps *caps, const void *request)
{
    const oct_recurrence_request *q = request;
    (void)caps;
    return q->steps == 1 || (step_macs(q) >= STEP_MACS && q->steps <= MOST_STEPS);
}

/* Units of a work-item, and of a panel of the recurrence weights: on CPUs a vector, if its compiler can, on
 * GPUs so many that work-items side by side read side by side. */
static int units_of(const oct_caps *caps)
{
    return caps->prefers_tiles || caps->weak_compiler ? 1 : 16;
}

static int panel_of(const oct_caps *caps)
{
    return units_of(caps) == 1 ? 32 : 16;
}

/* [direction][gate][hidden][inputs] to [inputs][direction][gate][hidden]. */
static oct_mem transposed(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q)
{
    oct_operand x = q->w, y = q->w;
    x.rank = y.rank = 2;
    x.dims[0] = y.dims[1] = gates_of(q) * q->directions;
    x.dims[1] = y.dims[0] = q->inputs;
    y.mem = oct_recipe_temp(r, (size_t)oct_operand_elems(&x) * sizeof(float));
    (void)oct_transpose(r, caps, &x, &y, (int[]){1, 0});
    return y.mem;
}

/* [direction][gate][unit][k] to [direction][panel][k][gate][unit of panel]; what is behind the last unit may
 * be anything. */
static oct_mem in_panels(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q)
{
    const int64_t n = q->hidden, g = cells[q->cell].gates, each = panel_of(caps);
    const int64_t whole = n / each, panels = whole + (n % each != 0);
    oct_operand to = q->r;
    to.mem = oct_recipe_temp(r, (size_t)(q->directions * panels * n * g * each) * sizeof(float));
    for (int part = 0; part < 2; part++) { /* whole panels, then what is left */
        oct_box b = {.rank = 5,
                     .dims = {q->directions, part ? panels - whole : whole, n, g, part ? n % each : each},
                     .x_steps = {g * n * n, each * n, 1, n * n, n},
                     .y_steps = {panels * n * g * each, n * g * each, g * each, each, 1},
                     .x_start = part ? whole * each * n : 0,
                     .y_start = part ? whole * n * g * each : 0};
        (void)oct_move_box(r, caps, &q->r, &to, &b);
    }
    return to.mem;
}

/* [direction][gate][hidden]: the sum of both halves; but the last gate's of a state that is added before the
 * reset gate, which the steps do. */
static oct_mem bias_sum(oct_recipe *r, const oct_recurrence_request *q)
{
    size_t count = (size_t)(gates_of(q) * q->directions);
    oct_mem sum = oct_recipe_temp(r, count * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "recurrent/bias_sum.cl", "bias_sum", "%s", "");
    OCT_ARGS(l, bias_sum, .bias = oct_whole(q->bias), .sum = oct_whole(sum), .gates = gates_of(q),
             .both = gates_of(q) - (q->linear_before_reset ? q->hidden : 0));
    oct_launch_1d(l, count, 0);
    return sum;
}

/* What the inputs give to the gates: [step and batch, as in x][direction][gate][hidden]. */
static octet_status input_products(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q,
                                   oct_mem *gates)
{
    int64_t rows = q->steps * q->batch, columns = gates_of(q) * q->directions;
    bool adds = q->bias != OCT_MEM_NONE;
    *gates = oct_recipe_temp(r, (size_t)(rows * columns) * sizeof(float));
    oct_float_matmul_request product = {.m = rows,
                                        .n = columns,
                                        .k = q->inputs,
                                        .batch = 1,
                                        .a = q->x,
                                        .b = transposed(r, caps, q),
                                        .y = *gates,
                                        .alpha = 1.0f,
                                        .beta = adds ? 1.0f : 0.0f,
                                        .c = adds ? bias_sum(r, q) : OCT_MEM_NONE,
                                        .c_column = 1};
    return oct_float_matmul(r, caps, &product);
}

/* The memories of a launch. */
typedef struct steps {
    const oct_variant *v;
    const char *kernel;
    int64_t step; /* -1: all of them, with `turns` */
    int direction, directions;
    int check; /* of lengths */
    oct_mem gates, r, h, c, reset, turns, y, y_h, y_c;
} steps;

static recurrence_args args_of(const oct_recurrence_request *q, const steps *s)
{
    const oct_gate_function *f = q->functions[s->direction];
    const int64_t n = q->batch, d = q->directions, h = q->hidden;
    const bool batch_first = q->batch_first;
    const oct_mem bias = q->linear_before_reset ? q->bias : OCT_MEM_NONE;
    return (recurrence_args){.x = oct_whole(s->gates),
                             .r = oct_whole(s->r),
                             .p = oct_whole(q->peepholes),
                             .bias = oct_whole(bias),
                             .lengths = oct_whole(q->lengths),
                             .h = oct_whole(s->h),
                             .c = oct_whole(s->c),
                             .reset = oct_whole(s->reset),
                             .y = oct_whole(s->y),
                             .y_h = oct_whole(s->y_h),
                             .y_c = oct_whole(s->y_c),
                             .turns = oct_whole(s->turns),
                             .flag = oct_flag_for(s->check),
                             .check = s->check,
                             .hidden = h,
                             .steps = q->steps,
                             .batch = n,
                             .step = s->step,
                             .first_direction = s->direction,
                             .directions = d,
                             .x_step = batch_first ? 1 : n,
                             .x_batch = batch_first ? q->steps : 1,
                             .y_step = batch_first ? d * h : d * n * h,
                             .y_direction = batch_first ? h : n * h,
                             .y_batch = batch_first ? q->steps * d * h : h,
                             .state_direction = batch_first ? h : n * h,
                             .state_batch = batch_first ? d * h : h,
                             .has_p = q->peepholes != OCT_MEM_NONE,
                             .has_bias = bias != OCT_MEM_NONE,
                             .has_lengths = q->lengths != OCT_MEM_NONE,
                             .has_h = s->h != OCT_MEM_NONE,
                             .has_c = s->c != OCT_MEM_NONE,
                             .has_y = s->y != OCT_MEM_NONE,
                             .reverse = q->reverse,
                             .input_forget = q->input_forget,
                             .gate_a = f[0].alpha,
                             .gate_b = f[0].beta,
                             .input_a = f[1].alpha,
                             .input_b = f[1].beta,
                             .cell_a = f[2].alpha,
                             .cell_b = f[2].beta,
                             .clip = q->clip > 0 ? q->clip : 3.402823466e38f};
}

static void put_steps(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q, const steps *s)
{
    const oct_gate_function *f = q->functions[s->direction];
    const int units = units_of(caps);
    bool whole = s->step < 0;
    char own[64];
    if (q->cell == OCT_CELL_GRU)
        snprintf(own, sizeof own, "LINEAR=%d", q->linear_before_reset);
    else
        snprintf(own, sizeof own, "CELL=%s", f[2].name);
    oct_launch *l =
        oct_recipe_launch(r, s->v->file, s->kernel, "-DUNITS=%d -DPANEL=%d -DGATE=%s -DINPUT=%s -D%s", units,
                          panel_of(caps), f[0].name, f[1].name, own);
    const recurrence_args args = args_of(q, s);
    oct_launch_recurrence(l, &args);
    size_t items = oct_ceil_div((size_t)q->hidden, (size_t)units), group = items;
    group = group < GROUP_ITEMS ? group : GROUP_ITEMS;
    group = group < caps->max_group ? group : caps->max_group;
    oct_launch_3d(l, (size_t[3]){whole ? group : items, (size_t)q->batch, (size_t)s->directions},
                  whole ? (size_t[3]){group, 1, 1} : NULL);
}

static bool same_functions(const oct_recurrence_request *q)
{
    for (int i = 0; i < cells[q->cell].functions; i++) {
        const oct_gate_function *a = &q->functions[0][i], *b = &q->functions[1][i];
        if (strcmp(a->name, b->name) != 0 || a->alpha != b->alpha || a->beta != b->beta)
            return false;
    }
    return true;
}

/* Directions whose functions differ are launches of their own. */
static void put_directions(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q, steps *s)
{
    int together = q->directions == 1 || same_functions(q) ? q->directions : 1;
    s->directions = together;
    for (s->direction = 0; s->direction < q->directions; s->direction += together)
        put_steps(r, caps, q, s);
}

/* What the launchers are given. */
typedef struct recurrence_work {
    const oct_recurrence_request *q;
    steps s;
    oct_mem last[2]; /* h and c behind the last step */
    size_t state;    /* bytes of h or c */
} recurrence_work;

/* For h (0) or c (1), if the operator has it. */
static oct_mem state_temp(oct_recipe *r, const recurrence_work *w, int which)
{
    return which == 1 && !cells[w->q->cell].has_c ? OCT_MEM_NONE : oct_recipe_temp(r, w->state);
}

static octet_status launch_whole(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const recurrence_work *w = work;
    steps s = w->s;
    (void)v;
    s.kernel = "all_steps";
    s.turns = oct_recipe_temp(r, (resets(w->q) ? 3 : 2) * w->state);
    s.y_h = w->last[0];
    s.y_c = w->last[1];
    put_directions(r, caps, w->q, &s);
    return r->status;
}

/* The first half of a step: h behind the gate, to s->reset. */
static void put_reset(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q, const steps *s)
{
    steps half = *s;
    half.kernel = "one_reset";
    half.y_h = s->reset;
    half.reset = half.y = half.y_c = OCT_MEM_NONE;
    put_directions(r, caps, q, &half);
}

static octet_status launch_steps(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const recurrence_work *w = work;
    const oct_recurrence_request *q = w->q;
    steps s = w->s;
    if (q->steps == 0)
        return launch_whole(r, caps, v, work);
    const oct_mem turns[2][2] = {{state_temp(r, w, 0), state_temp(r, w, 1)},
                                 {state_temp(r, w, 0), state_temp(r, w, 1)}};
    for (s.step = 0; s.step < q->steps; s.step++) {
        const oct_mem *to = s.step == q->steps - 1 ? w->last : turns[s.step % 2];
        if (resets(q) && s.h != OCT_MEM_NONE) { /* nothing to reset in a state of zeros */
            s.reset = s.reset == OCT_MEM_NONE ? state_temp(r, w, 0) : s.reset;
            put_reset(r, caps, q, &s);
        }
        s.kernel = "one_step";
        s.y_h = to[0];
        s.y_c = to[1];
        put_directions(r, caps, q, &s);
        s.h = to[0];
        s.c = to[1];
    }
    return r->status;
}

static const oct_kind step_by_step = {.suits = suits_steps, .launch = launch_steps};
static const oct_kind all_at_once = {.launch = launch_whole};
/* Rows for a kernel's file. */
#define ROWS(file)                                                                                           \
    {                                                                                                        \
        OCT_VARIANT(steps, step_by_step, any_device, file, 0, 0, 0, OCT_AS_IS)                               \
        OCT_VARIANT(whole, all_at_once, any_device, file, 0, 0, 0, OCT_AS_IS)                                \
    }
static const oct_variant variants[][2] = {
    [OCT_CELL_LSTM] = ROWS("recurrent/lstm.cl"), [OCT_CELL_GRU] = ROWS("recurrent/gru.cl")};
const oct_family oct_recurrence_families[] = {
    [OCT_CELL_LSTM] = {"LSTM", variants[OCT_CELL_LSTM], 2, macs, NULL},
    [OCT_CELL_GRU] = {"GRU", variants[OCT_CELL_GRU], 2, macs, NULL}};

octet_status oct_recurrence(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q)
{
    const oct_variant *v;
    FORWARD(oct_variant_choose(&oct_recurrence_families[q->cell], caps, q, &v, NULL));
    recurrence_work w = {.q = q,
                         .s = {.v = v,
                               .check = oct_recipe_check(r, q->lengths_check),
                               .step = -1,
                               .h = q->h,
                               .c = q->c,
                               .reset = OCT_MEM_NONE,
                               .turns = OCT_MEM_NONE,
                               .y = q->y},
                         .last = {q->y_h, q->y_c},
                         .state = (size_t)(q->directions * q->batch * q->hidden) * sizeof(float)};
    FORWARD(input_products(r, caps, q, &w.s.gates));
    w.s.r = in_panels(r, caps, q);
    for (int k = 0; k < 2; k++)
        w.last[k] = w.last[k] == OCT_MEM_NONE ? state_temp(r, &w, k) : w.last[k];
    return v->kind->launch(r, caps, v, &w);
}
