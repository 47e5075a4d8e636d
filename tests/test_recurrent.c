/* Recurrent operators on the device against src/ref: sizes around the vectors, both directions, both layouts,
 * each optional operand there and not, every activation. Both ways to do the steps, which give the same
 * bytes. */
#include "harness.h"
#include "recurrence.h"
#include "ref.h"

#include <math.h>

enum { MOST = 40000 };

static float x[MOST], w[MOST], r[MOST], bias[MOST], h[MOST], c[MOST], p[MOST];
static int32_t lengths[8];
static struct {
    float y[MOST], y_h[MOST], y_c[MOST];
} got, want, first;

typedef struct sizes_of_case {
    int64_t steps, batch, inputs, hidden;
    int directions;
} sizes_of_case;

/* What is there, as bits of a form. */
enum { BIAS = 1, LENGTHS = 2, H = 4, C = 8, PEEPHOLES = 16, NO_Y = 32, NO_STATES = 64, FORMS = 128 };
enum { REVERSE = 1, BATCH_FIRST = 2, INPUT_FORGET = 4, CLIP = 8, FUNCTIONS = 16, MODES = 32 };

static void fill(float *to, int64_t n, uint64_t *seed, float spread)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)check_range(seed, -1000, 1000) * 0.001f * spread;
}

static void fill_all(const sizes_of_case *k, uint64_t seed)
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

static void choose_functions(oct_recurrence_request *q, oct_ref_recurrent *ref, int mode, uint64_t salt)
{
    for (int d = 0; d < 2; d++) {
        const oct_gate_function *set = mode & FUNCTIONS ? others[(salt + (uint64_t)d) % 4] : usual;
        for (int f = 0; f < 3; f++) {
            q->functions[d][f] = set[f];
            ref->functions[d][f].name = set[f].name;
            ref->functions[d][f].alpha = set[f].alpha;
            ref->functions[d][f].beta = set[f].beta;
        }
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
static void run_on_device(const sizes_of_case *k, oct_recurrence_request q, int form, bool gpu,
                          const char *what)
{
    oct_caps caps = *oct_device_caps(device);
    caps.prefers_tiles = gpu;
    int64_t d = k->directions, rows = k->steps * k->batch, states = d * k->batch * k->hidden,
            outs = rows * d * k->hidden;
    const int64_t w_dims[] = {d, 4 * k->hidden, k->inputs}, r_dims[] = {d, 4 * k->hidden, k->hidden};
    harness_io inputs[8], outputs[3];
    int in = 0, out = 0;
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    memset(&got, GUARD, sizeof got);
    q.x = input(&recipe, true, rows * k->inputs, x, inputs, &in);
    q.w = harness_operand(&recipe, OCTET_F32, 3, w_dims, w, false);
    q.r = harness_operand(&recipe, OCTET_F32, 3, r_dims, r, false);
    q.bias = input(&recipe, form & BIAS, d * 8 * k->hidden, bias, inputs, &in);
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
        q.y_c = harness_output(&recipe, OCTET_F32, 1, &states).mem;
        outputs[out++] = (harness_io){q.y_h, got.y_h};
        outputs[out++] = (harness_io){q.y_c, got.y_c};
    }
    octet_status built = oct_recurrence(&recipe, &caps, &q);
    harness_run(&recipe, built, inputs, in, outputs, out, what);
}

static void check(const sizes_of_case *k, int form, int mode, uint64_t seed)
{
    int64_t d = k->directions, states = d * k->batch * k->hidden, outs = k->steps * d * k->batch * k->hidden;
    bool has_y = !(form & NO_Y), has_states = !(form & NO_STATES) || !has_y;
    oct_recurrence_request q = {
        .steps = k->steps, .batch = k->batch, .inputs = k->inputs, .hidden = k->hidden};
    oct_ref_recurrent ref = {.steps = k->steps, .batch = k->batch, .inputs = k->inputs, .hidden = k->hidden};
    q.directions = ref.directions = k->directions;
    q.reverse = ref.reverse = mode & REVERSE;
    q.batch_first = ref.batch_first = mode & BATCH_FIRST;
    q.input_forget = ref.input_forget = mode & INPUT_FORGET;
    q.clip = ref.clip = mode & CLIP ? 0.4f : 0.0f;
    choose_functions(&q, &ref, mode, seed);
    fill_all(k, seed);
    ref.x = x, ref.w = w, ref.r = r;
    ref.bias = form & BIAS ? bias : NULL;
    ref.lengths = form & LENGTHS ? lengths : NULL;
    ref.h = form & H ? h : NULL;
    ref.c = form & C ? c : NULL;
    ref.peepholes = form & PEEPHOLES ? p : NULL;
    ref.y = want.y, ref.y_h = want.y_h, ref.y_c = want.y_c;
    assert_true(oct_ref_lstm(&ref));
    /* Vectors are not for GPUs, whose compilers take minutes for them. */
    for (int v = oct_device_caps(device)->prefers_tiles ? 2 : 0; v < 4; v++) {
        char what[160];
        q.force.variant = oct_recurrence_families[OCT_CELL_LSTM].rows[v % 2].name;
        snprintf(what, sizeof what,
                 "%s%s: %lld steps of %lld, %lld to %lld, %d directions, form %d, mode %d, seed %llu",
                 q.force.variant, v / 2 ? " on GPUs" : "", (long long)k->steps, (long long)k->batch,
                 (long long)k->inputs, (long long)k->hidden, k->directions, form, mode,
                 (unsigned long long)seed);
        run_on_device(k, q, form, v / 2, what);
        compare(got.y, want.y, has_y ? outs : 0, what);
        compare(got.y_h, want.y_h, has_states ? states : 0, what);
        compare(got.y_c, want.y_c, has_states ? states : 0, what);
        if (v % 2 == 0)
            first = got;
        else if (memcmp(&first, &got, sizeof got) != 0)
            fail_msg("%s: other bytes than %s", what, oct_recurrence_families[OCT_CELL_LSTM].rows[0].name);
    }
    assert_int_equal(oct_recurrence_families[OCT_CELL_LSTM].count, 2);
}

static const sizes_of_case cases[] = {{1, 1, 1, 1, 1},  {1, 1, 20, 33, 1}, {4, 1, 3, 16, 1},
                                      {5, 3, 7, 17, 2}, {2, 2, 1, 15, 1},  {3, 5, 16, 4, 2},
                                      {9, 1, 5, 40, 2}, {2, 1, 70, 64, 1}};

static void sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(&cases[i], BIAS | H | C, 0, 1 + i);
        check(&cases[i], BIAS, REVERSE, 100 + i);
        check(&cases[i], BIAS | C, BATCH_FIRST, 200 + i);
    }
}

/* Each operand there and not, in every third of the combinations; sizes in turn. */
static void forms(void **state)
{
    (void)state;
    for (int form = 0; form < FORMS; form += 3)
        check(&cases[form % 6], form, form % 7 == 0 ? REVERSE : 0, 300 + (uint64_t)form);
}

static void modes(void **state)
{
    (void)state;
    for (int mode = 0; mode < MODES; mode++)
        check(&cases[mode % 2 ? 3 : 2], mode % 3 ? BIAS | PEEPHOLES | H | C : LENGTHS | BIAS, mode,
              500 + (uint64_t)mode);
}

/* Nothing to do but to hand the states on; no sequence at all. */
static void no_steps(void **state)
{
    (void)state;
    check(&(sizes_of_case){0, 2, 3, 5, 2}, BIAS | H | C, 0, 1);
    check(&(sizes_of_case){0, 2, 3, 5, 1}, NO_Y, 0, 2);
    check(&(sizes_of_case){3, 0, 3, 5, 1}, BIAS, 0, 3);
}

static void other_variants_are_refused(void **state)
{
    (void)state;
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    oct_recurrence_request q = {
        .steps = 1, .batch = 1, .inputs = 1, .hidden = 1, .directions = 1, .force.variant = "fast"};
    assert_int_equal(oct_recurrence(&recipe, oct_device_caps(device), &q), OCTET_UNSUPPORTED);
    oct_recipe_free(&recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(forms),
                                       cmocka_unit_test(modes), cmocka_unit_test(no_steps),
                                       cmocka_unit_test(other_variants_are_refused)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
