/* LSTM and GRU on the device against src/ref: sizes around the vectors, both directions, both layouts, each
 * optional operand there and not, every activation. Both ways to do the steps, which give the same bytes. And
 * both against ONNX Runtime. */
#include "harness.h"
#include "recurrence.h"
#include "ref.h"
#include "test_numbers.h"

#include <math.h>

enum { MOST = 40000 };

static float x[MOST], w[MOST], r[MOST], bias[MOST], h[MOST], c[MOST], p[MOST];
static int32_t lengths[8];
static struct {
    float y[MOST], y_h[MOST], y_c[MOST];
} got, want, first;

/* An operator, the state of a test. */
typedef struct operator_of {
    oct_cell cell;
    int64_t gates;
    int functions;
    bool (*ref)(const oct_ref_recurrent *q);
} operator_of;
static operator_of operators[] = {{OCT_CELL_LSTM, 4, 3, oct_ref_lstm}, {OCT_CELL_GRU, 3, 2, oct_ref_gru}};

typedef struct recurrent_case {
    int64_t steps, batch, inputs, hidden;
    int directions;
} recurrent_case;

/* What is there, as bits of a form. */
enum { BIAS = 1, LENGTHS = 2, H = 4, C = 8, PEEPHOLES = 16, NO_Y = 32, NO_STATES = 64, FORMS = 128 };
/* OWN: input_forget of an LSTM, linear_before_reset of a GRU. */
enum { REVERSE = 1, BATCH_FIRST = 2, OWN = 4, CLIP = 8, FUNCTIONS = 16, MODES = 32 };

static void fill(float *to, int64_t n, uint64_t *seed, float spread)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)check_range(seed, -1000, 1000) * 0.001f * spread;
}

static void fill_all(const recurrent_case *k, uint64_t seed)
{
    int64_t d = k->directions, states = d * k->batch * k->hidden;
    assert_true(d * 4 * k->hidden * k->hidden + 16 < MOST && d * 4 * k->hidden * k->inputs + 16 < MOST &&
                k->steps * k->batch * (d * k->hidden + k->inputs) + 16 < MOST);
    fill(x, k->steps * k->batch * k->inputs, &seed, 1.5f);
    fill(w, d * 4 * k->hidden * k->inputs, &seed, 0.6f);
    fill(r, d * 4 * k->hidden * k->hidden, &seed, 0.5f);
    fill(bias, d * 8 * k->hidden, &seed, 0.4f);
    fill(h, states, &seed, 1.0f);
    fill(c, states, &seed, 2.0f);
    fill(p, d * 3 * k->hidden, &seed, 0.7f);
    for (int64_t b = 0; b < k->batch; b++) /* beyond both ends too */
        lengths[b] = (int32_t)check_range(&seed, -1, (int)k->steps + 1);
}

/* Two sets, so that directions differ. */
static const oct_gate_function usual[3] = {{"Sigmoid", 0, 0}, {"Tanh", 0, 0}, {"Tanh", 0, 0}},
                               others[4][3] = {
                                   {{"HardSigmoid", 0.3f, 0.4f},
                                    {"Softsign", 0, 0},
                                    {"ScaledTanh", 0.8f, 0.6f}},
                                   {{"Affine", 0.2f, 0.5f}, {"LeakyRelu", 0.1f, 0}, {"Elu", 0.7f, 0}},
                                   {{"Sigmoid", 0, 0}, {"Relu", 0, 0}, {"ThresholdedRelu", 0.2f, 0}},
                                   {{"HardSigmoid", 0.2f, 0.5f}, {"Softplus", 0, 0}, {"Affine", 0.5f, 0.1f}}};

static void set_functions(oct_recurrence_request *q, oct_ref_recurrent *ref, int d, int count,
                          const oct_gate_function *set)
{
    for (int f = 0; f < count; f++) {
        q->functions[d][f] = set[f];
        ref->functions[d][f].name = set[f].name;
        ref->functions[d][f].alpha = set[f].alpha;
        ref->functions[d][f].beta = set[f].beta;
    }
}

static void compare(const float *a, const float *b, int64_t n, const char *what)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabsf(a[i] - b[i]) <= 2e-5f * (1.0f + fabsf(b[i]))))
            fail_msg("%s: element %lld is %.9g, want %.9g", what, (long long)i, (double)a[i], (double)b[i]);
    }
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(((const unsigned char *)(a + n))[i], GUARD);
}

static oct_mem input(oct_recipe *recipe, bool there, int64_t n, void *data, harness_io *inputs, int *count)
{
    if (!there)
        return OCT_MEM_NONE;
    oct_operand t = harness_operand(recipe, OCTET_F32, 1, &n, data, true);
    inputs[(*count)++] = (harness_io){t.mem, data};
    return t.mem;
}

/* gpu: as GPUs run it, a hidden unit a work-item. */
static void run_on_device(const operator_of *o, const recurrent_case *k, oct_recurrence_request q, int form,
                          bool gpu, const char *what)
{
    oct_caps caps = *oct_device_caps(device);
    caps.prefers_tiles = gpu;
    int64_t d = k->directions, rows = k->steps * k->batch, states = d * k->batch * k->hidden,
            outs = rows * d * k->hidden;
    const int64_t w_dims[] = {d, o->gates * k->hidden, k->inputs},
                  r_dims[] = {d, o->gates * k->hidden, k->hidden};
    harness_io inputs[8], outputs[3];
    int in = 0, out = 0;
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    memset(&got, GUARD, sizeof got);
    q.x = input(&recipe, true, rows * k->inputs, x, inputs, &in);
    q.w = harness_operand(&recipe, OCTET_F32, 3, w_dims, w, false);
    q.r = harness_operand(&recipe, OCTET_F32, 3, r_dims, r, false);
    q.bias = input(&recipe, form & BIAS, d * 2 * o->gates * k->hidden, bias, inputs, &in);
    q.lengths = input(&recipe, form & LENGTHS, k->batch, lengths, inputs, &in);
    q.h = input(&recipe, form & H, states, h, inputs, &in);
    q.c = input(&recipe, form & C, states, c, inputs, &in);
    q.peepholes = input(&recipe, form & PEEPHOLES, d * 3 * k->hidden, p, inputs, &in);
    q.y = q.y_h = q.y_c = OCT_MEM_NONE;
    if (!(form & NO_Y)) {
        q.y = harness_output(&recipe, OCTET_F32, 1, &outs).mem;
        outputs[out++] = (harness_io){q.y, got.y};
    }
    if (!(form & NO_STATES) || !out) {
        q.y_h = harness_output(&recipe, OCTET_F32, 1, &states).mem;
        outputs[out++] = (harness_io){q.y_h, got.y_h};
        if (o->cell == OCT_CELL_LSTM) {
            q.y_c = harness_output(&recipe, OCTET_F32, 1, &states).mem;
            outputs[out++] = (harness_io){q.y_c, got.y_c};
        }
    }
    octet_status built = oct_recurrence(&recipe, &caps, &q);
    harness_run(&recipe, built, inputs, in, outputs, out, what);
}

/* What is asked for, of the device and of the reference, on the operands above. */
static void ask(const operator_of *o, const recurrent_case *k, int form, int mode, oct_recurrence_request *q,
                oct_ref_recurrent *ref)
{
    *q = (oct_recurrence_request){
        .cell = o->cell, .steps = k->steps, .batch = k->batch, .inputs = k->inputs, .hidden = k->hidden};
    *ref =
        (oct_ref_recurrent){.steps = k->steps, .batch = k->batch, .inputs = k->inputs, .hidden = k->hidden};
    q->directions = ref->directions = k->directions;
    q->reverse = ref->reverse = mode & REVERSE;
    q->batch_first = ref->batch_first = mode & BATCH_FIRST;
    q->input_forget = ref->input_forget = o->cell == OCT_CELL_LSTM && mode & OWN;
    q->linear_before_reset = ref->linear_before_reset = o->cell == OCT_CELL_GRU && mode & OWN;
    ref->x = x, ref->w = w, ref->r = r;
    ref->bias = form & BIAS ? bias : NULL;
    ref->lengths = form & LENGTHS ? lengths : NULL;
    ref->h = form & H ? h : NULL;
    ref->c = form & C ? c : NULL;
    ref->peepholes = form & PEEPHOLES ? p : NULL;
    ref->y = want.y, ref->y_h = want.y_h, ref->y_c = want.y_c;
}

/* All ways that the operator may run here give what `want` has, and the same bytes. */
static void compare_all(const operator_of *o, const recurrent_case *k, oct_recurrence_request q, int form,
                        const char *which)
{
    int64_t d = k->directions, states = d * k->batch * k->hidden, outs = k->steps * d * k->batch * k->hidden;
    const oct_family *family = &oct_recurrence_families[o->cell];
    bool has_y = !(form & NO_Y), has_states = !(form & NO_STATES) || !has_y,
         has_c = has_states && o->cell == OCT_CELL_LSTM;
    assert_int_equal(family->count, 2);
    /* Vectors are not for GPUs, whose compilers take minutes for them. */
    for (int v = oct_device_caps(device)->prefers_tiles ? 2 : 0; v < 4; v++) {
        char what[200];
        q.force.variant = family->rows[v % 2].name;
        snprintf(what, sizeof what, "%s, %s%s: %lld steps of %lld, %lld to %lld, %d directions, %s",
                 family->name, q.force.variant, v / 2 ? " on GPUs" : "", (long long)k->steps,
                 (long long)k->batch, (long long)k->inputs, (long long)k->hidden, k->directions, which);
        run_on_device(o, k, q, form, v / 2, what);
        compare(got.y, want.y, has_y ? outs : 0, what);
        compare(got.y_h, want.y_h, has_states ? states : 0, what);
        compare(got.y_c, want.y_c, has_c ? states : 0, what);
        if (v % 2 == 0)
            first = got;
        else if (memcmp(&first, &got, sizeof got) != 0)
            fail_msg("%s: other bytes than %s", what, family->rows[0].name);
    }
}

static void check(const operator_of *o, const recurrent_case *k, int form, int mode, uint64_t seed)
{
    char which[60];
    oct_recurrence_request q;
    oct_ref_recurrent ref;
    if (o->cell == OCT_CELL_GRU)
        form &= ~(C | PEEPHOLES);
    ask(o, k, form, mode, &q, &ref);
    q.clip = ref.clip = mode & CLIP ? 0.4f : 0.0f;
    for (int d = 0; d < 2; d++)
        set_functions(&q, &ref, d, o->functions, mode & FUNCTIONS ? others[(seed + (uint64_t)d) % 4] : usual);
    fill_all(k, seed);
    assert_true(o->ref(&ref));
    snprintf(which, sizeof which, "form %d, mode %d, seed %llu", form, mode, (unsigned long long)seed);
    compare_all(o, k, q, form, which);
}

static const recurrent_case cases[] = {{1, 1, 1, 1, 1},  {1, 1, 20, 33, 1}, {4, 1, 3, 16, 1},
                                       {5, 3, 7, 17, 2}, {2, 2, 1, 15, 1},  {3, 5, 16, 4, 2},
                                       {9, 1, 5, 40, 2}, {2, 1, 70, 64, 1}};

static void sizes(void **state)
{
    const operator_of *o = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(o, &cases[i], BIAS | H | C, 0, 1 + i);
        check(o, &cases[i], BIAS, REVERSE, 100 + i);
        check(o, &cases[i], BIAS | C, BATCH_FIRST, 200 + i);
        if (o->cell == OCT_CELL_GRU)
            check(o, &cases[i], BIAS | H, OWN, 300 + i);
    }
}

/* Each operand there and not, in every third of the combinations; sizes in turn. */
static void forms(void **state)
{
    for (int form = 0; form < FORMS; form += 3)
        check(*state, &cases[form % 6], form, form % 7 == 0 ? REVERSE : 0, 300 + (uint64_t)form);
}

static void modes(void **state)
{
    for (int mode = 0; mode < MODES; mode++)
        check(*state, &cases[mode % 2 ? 3 : 2], mode % 3 ? BIAS | PEEPHOLES | H | C : LENGTHS | BIAS, mode,
              500 + (uint64_t)mode);
}

/* Nothing to do but to hand the states on; no sequence at all. */
static void no_steps(void **state)
{
    check(*state, &(recurrent_case){0, 2, 3, 5, 2}, BIAS | H | C, 0, 1);
    check(*state, &(recurrent_case){0, 2, 3, 5, 1}, NO_Y, 0, 2);
    check(*state, &(recurrent_case){3, 0, 3, 5, 1}, BIAS, 0, 3);
}

/* ---- ONNX Runtime ---------------------------------------------------------------------------------------
 */

enum { GOLDEN_NUMBERS = 48 };
static const struct {
    oct_cell cell;
    int directions, reverse, own, has_bias, has_h, has_lengths;
    float clip;
    oct_gate_function functions[3];
    float y[GOLDEN_NUMBERS]; /* Y, then Y_h */
} golden[] = {
#include "golden_recurrent.h"
};

static void eighths(float *to, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)((int)(next_random(&seed) % 17) - 8) / 8.0f;
}

static void as_the_runtime(void **state)
{
    const operator_of *o = *state;
    int rows = 0;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        if (golden[i].cell != o->cell)
            continue;
        const recurrent_case k = {3, 2, 2, 3, golden[i].directions};
        int64_t d = k.directions, gates = d * o->gates * k.hidden, outs = k.steps * d * k.batch * k.hidden;
        int form = (golden[i].has_bias ? BIAS : 0) | (golden[i].has_h ? H : 0) |
                   (golden[i].has_lengths ? LENGTHS : 0);
        char which[40];
        oct_recurrence_request q;
        oct_ref_recurrent ref;
        ask(o, &k, form, (golden[i].reverse ? REVERSE : 0) | (golden[i].own ? OWN : 0), &q, &ref);
        q.clip = ref.clip = golden[i].clip;
        for (int n = 0; n < 2; n++)
            set_functions(&q, &ref, n, o->functions, golden[i].functions);
        eighths(x, k.steps * k.batch * k.inputs, 1);
        eighths(w, gates * k.inputs, 2);
        eighths(r, gates * k.hidden, 3);
        eighths(bias, 2 * gates, 4);
        eighths(h, d * k.batch * k.hidden, 5);
        lengths[0] = 3, lengths[1] = 1;
        memset(&want, GUARD, sizeof want);
        assert_true(o->ref(&ref));
        snprintf(which, sizeof which, "row %zu", i);
        compare(want.y, golden[i].y, outs, which);
        compare(want.y_h, golden[i].y + outs, d * k.batch * k.hidden, which);
        compare_all(o, &k, q, form, which);
        rows++;
    }
    assert_true(rows >= 6);
}

static void other_variants_are_refused(void **state)
{
    const operator_of *o = *state;
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    oct_recurrence_request q = {.cell = o->cell,
                                .steps = 1,
                                .batch = 1,
                                .inputs = 1,
                                .hidden = 1,
                                .directions = 1,
                                .force.variant = "fast"};
    assert_int_equal(oct_recurrence(&recipe, oct_device_caps(device), &q), OCTET_UNSUPPORTED);
    oct_recipe_free(&recipe);
}

#define TEST(f, i)                                                                                           \
    {                                                                                                        \
#f, f, NULL, NULL, &operators[i]                                                                     \
    }
#define TESTS(i)                                                                                             \
    TEST(sizes, i), TEST(forms, i), TEST(modes, i), TEST(no_steps, i), TEST(as_the_runtime, i),              \
        TEST(other_variants_are_refused, i)

int main(void)
{
    const struct CMUnitTest tests[] = {TESTS(0), TESTS(1)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
