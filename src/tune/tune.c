#include "tune.h"
#include "clock.h"
#include "runner.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CANDIDATES = 48, FINALISTS = 3, MOST_ROUNDS = 200, DROPPED_CHARS = 1024 };
#define REFERENCE_MACS ((int64_t)1 << 25) /* about a tenth of a second of scalar code */
#define SAMPLE_SECONDS 0.002              /* a sample is at least this long, if need be of several runs */
#define WORTH          0.98               /* of the usual way's time: less is not worth a change */

typedef struct candidate {
    const oct_variant *variant;
    int64_t spread;
    bool right;
    double seconds; /* a first look, then the median */
    double times[MOST_ROUNDS];
} candidate;

typedef struct search {
    oct_device *device;
    const oct_tune_options *options;
    oct_subject subject;
    candidate *all; /* all[0] is the usual way */
    int count;
    unsigned char *result, *agreed, *row; /* of the candidate at hand; of those that are right; one row */
    bool has_agreed;
    int64_t sample_count, *samples; /* rows whose reference is in `expected` */
    unsigned char *expected;
    char dropped[DROPPED_CHARS];
} search;

/* What runs one candidate. */
typedef struct trial {
    oct_executor *executor;
    oct_subject_mems mems;
} trial;

static octet_status open_trial(const search *s, const candidate *c, trial *t)
{
    oct_recipe r;
    oct_recipe_init(&r);
    r.piece_bytes = oct_buffer_largest(s->device, OCT_MEM_ALIGN);
    t->executor = NULL;
    octet_status status = oct_subject_recipe(&s->subject, oct_device_caps(s->device), c->variant->name,
                                             c->spread, &r, &t->mems);
    if (status == OCTET_OK)
        status = oct_executor_create(s->device, &r, NULL, &t->executor);
    oct_recipe_free(&r);
    FORWARD(status);
    oct_host_memory inputs[2];
    size_t count;
    oct_subject_inputs(&s->subject, &t->mems, inputs, &count);
    return oct_runner_upload(t->executor, inputs, count);
}

/* *seconds: of one run. */
static octet_status time_trial(const trial *t, int runs, double *seconds)
{
    octet_status status = oct_runner_time(t->executor, (size_t)runs, seconds);
    *seconds /= runs;
    return status;
}

/* ---- correct first ------------------------------------------------------------------------------------- */

static void drop(search *s, const candidate *c, const char *why)
{
    size_t at = strlen(s->dropped);
    snprintf(s->dropped + at, sizeof s->dropped - at, "%s%s (%s)", at ? ", " : "", c->variant->name, why);
}

/* It could not be made or run. */
static void drop_for(search *s, const candidate *c, octet_status status)
{
    oct_device_log(s->device, "tuning: %s: %s", c->variant->name, oct_error_text());
    oct_error_clear();
    drop(s, c, octet_status_name(status));
}

static bool row_is_right(search *s, int64_t row)
{
    size_t bytes = s->subject.row_bytes;
    oct_subject_reference(&s->subject, row, s->row);
    return memcmp(s->result + (size_t)row * bytes, s->row, bytes) == 0;
}

/* The first row in which the result is not what the others agreed on; -1: none. */
static int64_t first_difference(const search *s)
{
    size_t bytes = s->subject.row_bytes;
    for (int64_t i = 0; s->has_agreed && i < s->subject.rows; i++) {
        if (memcmp(s->result + (size_t)i * bytes, s->agreed + (size_t)i * bytes, bytes) != 0)
            return i;
    }
    return -1;
}

/* The sampled rows against the reference, all others against what earlier candidates gave; where these differ
 * the reference of that row decides, and if the earlier ones were wrong, all of them were. */
static void judge(search *s, candidate *c)
{
    size_t bytes = s->subject.row_bytes;
    for (int64_t i = 0; i < s->sample_count; i++) {
        if (memcmp(s->result + (size_t)s->samples[i] * bytes, s->expected + (size_t)i * bytes, bytes) != 0) {
            drop(s, c, "wrong result");
            return;
        }
    }
    int64_t row = first_difference(s);
    if (row >= 0 && !row_is_right(s, row)) {
        drop(s, c, "wrong result");
        return;
    }
    for (int i = 0; row >= 0 && i < s->count; i++) {
        if (s->all[i].right)
            drop(s, &s->all[i], "wrong result");
        s->all[i].right = false;
    }
    memcpy(s->agreed, s->result, (size_t)s->subject.rows * bytes);
    s->has_agreed = true;
    c->right = true;
}

/* Run a candidate once, judge it, take a first look at its time. One that cannot be made is dropped. */
static octet_status examine(search *s, candidate *c)
{
    trial t = {0};
    double seconds = 0;
    size_t bytes = (size_t)s->subject.rows * s->subject.row_bytes;
    memset(s->result, 0xA5, bytes);
    octet_status status = open_trial(s, c, &t);
    if (status == OCTET_OK)
        status = time_trial(&t, 1, &seconds);
    const oct_host_memory result = {.mem = t.mems.c, .to = s->result};
    if (status == OCTET_OK)
        status = oct_runner_download(t.executor, &result, 1);
    if (status == OCTET_OK)
        judge(s, c);
    else
        drop_for(s, c, status);
    for (int i = 0; status == OCTET_OK && c->right && i < 3; i++) {
        status = time_trial(&t, seconds < SAMPLE_SECONDS ? 3 : 1, &seconds);
        c->seconds = i == 0 || seconds < c->seconds ? seconds : c->seconds;
    }
    oct_executor_destroy(t.executor);
    c->right = c->right && status == OCTET_OK;
    return OCTET_OK;
}

/* ---- then time ----------------------------------------------------------------------------------------- */

static candidate *add(search *s, const oct_variant *variant, int64_t spread)
{
    if (s->count == MOST_CANDIDATES)
        return NULL;
    candidate *c = &s->all[s->count++];
    *c = (candidate){.variant = variant, .spread = spread};
    return c;
}

/* The right candidate that is faster than all but `better` others; NULL: none. */
static candidate *ranked(search *s, int better)
{
    for (int i = 0; i < s->count; i++) {
        int before = 0;
        for (int j = 0; j < s->count; j++) {
            const candidate *a = &s->all[j], *b = &s->all[i];
            before += a->right && (a->seconds < b->seconds || (a->seconds == b->seconds && j < i));
        }
        if (s->all[i].right && before == better)
            return &s->all[i];
    }
    return NULL;
}

/* Every variant as it is by itself, then other ways to spread the work of the best two. */
static octet_status examine_all(search *s)
{
    const oct_caps *caps = oct_device_caps(s->device);
    const oct_family *family = s->subject.family;
    const void *request = &s->subject.q;
    oct_caps bare = *caps;
    bare.tuning = NULL;
    const oct_variant *usual = oct_variant_select(family, &bare, request, NULL), *v;
    FORWARD(examine(s, add(s, usual, 0)));
    for (size_t i = 0; (v = oct_variant_candidate(family, caps, request, i)); i++) {
        candidate *c = v == usual ? NULL : add(s, v, 0);
        if (c)
            FORWARD(examine(s, c));
    }
    const candidate *best[2] = {ranked(s, 0), ranked(s, 1)};
    for (int b = 0; b < 2; b++) {
        oct_spreads spreads = {.count = 0};
        if (best[b])
            spreads = oct_variant_spreads(best[b]->variant, caps, request);
        for (int i = 0; i < spreads.count; i++) {
            candidate *c = add(s, best[b]->variant, spreads.at[i]);
            if (c)
                FORWARD(examine(s, c));
        }
    }
    return OCTET_OK;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The best few and the usual way in turns, so that what disturbs one disturbs all. */
static octet_status run_turns(search *s, candidate **final, trial *trials, int finalists)
{
    double start = oct_seconds(), first = final[0]->seconds;
    int runs = first < SAMPLE_SECONDS ? (int)(SAMPLE_SECONDS / (first + 1e-7)) + 1 : 1, rounds = 0;
    for (; rounds < 5 || (rounds < MOST_ROUNDS && oct_seconds() - start < s->options->seconds); rounds++) {
        for (int f = 0; f < finalists; f++)
            FORWARD(time_trial(&trials[f], runs, &final[f]->times[rounds]));
    }
    for (int f = 0; f < finalists; f++) {
        qsort(final[f]->times, (size_t)rounds, sizeof final[f]->times[0], compare_times);
        final[f]->seconds = final[f]->times[rounds / 2];
    }
    return OCTET_OK;
}

static octet_status take_turns(search *s)
{
    candidate *final[FINALISTS + 1] = {NULL};
    trial trials[FINALISTS + 1] = {{0}};
    int finalists = 0;
    bool usual = false;
    for (int i = 0; i < FINALISTS && (final[finalists] = ranked(s, i)); i++)
        usual |= final[finalists++] == &s->all[0];
    if (!usual && s->all[0].right)
        final[finalists++] = &s->all[0];
    RETURN_IF(!finalists, OCTET_DEVICE_ERROR, "%s: no variant gives the right result: %s", s->subject.key,
              s->dropped);
    octet_status status = OCTET_OK;
    for (int f = 0; f < finalists && status == OCTET_OK; f++)
        status = open_trial(s, final[f], &trials[f]);
    if (status == OCTET_OK)
        status = run_turns(s, final, trials, finalists);
    for (int f = 0; f < finalists; f++)
        oct_executor_destroy(trials[f].executor);
    for (int i = 0; i < s->count; i++) { /* only these are in the end */
        bool in = false;
        for (int f = 0; f < finalists; f++)
            in |= final[f] == &s->all[i];
        s->all[i].right = s->all[i].right && in;
    }
    return status;
}

/* ---- one problem --------------------------------------------------------------------------------------- */

/* The first row, the last and others in between; all of them where that is little work. */
static octet_status prepare(search *s)
{
    const oct_subject *p = &s->subject;
    int64_t rows = p->rows, wanted = REFERENCE_MACS / p->row_macs + 4;
    s->sample_count = wanted < rows ? wanted : rows;
    s->all = calloc(MOST_CANDIDATES, sizeof *s->all);
    s->result = malloc((size_t)rows * p->row_bytes);
    s->agreed = malloc((size_t)rows * p->row_bytes);
    s->row = malloc(p->row_bytes);
    s->samples = malloc((size_t)s->sample_count * sizeof *s->samples);
    s->expected = malloc((size_t)s->sample_count * p->row_bytes);
    RETURN_IF(!s->all || !s->result || !s->agreed || !s->row || !s->samples || !s->expected,
              OCTET_OUT_OF_MEMORY, "out of host memory for tuning %s", p->key);
    for (int64_t i = 0; i < s->sample_count; i++) {
        s->samples[i] = s->sample_count > 1 ? i * (rows - 1) / (s->sample_count - 1) : 0;
        oct_subject_reference(p, s->samples[i], s->expected + (size_t)i * p->row_bytes);
    }
    return OCTET_OK;
}

static octet_status keep(search *s, int index, int count)
{
    const candidate *best = ranked(s, 0), *usual = &s->all[0];
    if (usual->right && best->seconds > WORTH * usual->seconds)
        best = usual;
    oct_tune_result result = {.usual = usual->variant->name,
                              .seconds = best->seconds,
                              .usual_seconds = usual->right ? usual->seconds : 0.0,
                              .tried = s->count,
                              .dropped = s->dropped,
                              .index = index,
                              .count = count};
    result.row.spread = best->spread;
    snprintf(result.row.key, sizeof result.row.key, "%s", s->subject.key);
    snprintf(result.row.variant, sizeof result.row.variant, "%s", best->variant->name);
    oct_tuning rows = {.rows = &result.row, .count = 1};
    FORWARD(oct_tuning_store(s->device, &rows));
    return s->options->found ? s->options->found(s->options->user, &result) : OCTET_OK;
}

static octet_status tune_one(search *s, int index, int count)
{
    FORWARD(prepare(s));
    FORWARD(examine_all(s));
    FORWARD(take_turns(s));
    return keep(s, index, count);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* Is it work, and the first of its name? */
static bool is_new(const oct_recipe *r, int index)
{
    char key[OCT_TUNING_KEY], other[OCT_TUNING_KEY];
    const oct_noted *noted = &r->noted[index];
    bool work = noted->family->macs(noted->request) > 0;
    noted->family->key(noted->request, key);
    for (int i = 0; work && i < index; i++) {
        r->noted[i].family->key(r->noted[i].request, other);
        work = strcmp(key, other) != 0;
    }
    return work;
}

octet_status oct_tune(oct_device *device, const oct_recipe *recipe, const oct_tune_options *options)
{
    int count = 0, index = 0;
    oct_tuning none = {0};
    FORWARD(oct_tuning_store(device, &none)); /* what cannot be kept need not be measured */
    for (int i = 0; i < recipe->noted_count; i++)
        count += is_new(recipe, i);
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < recipe->noted_count; i++) {
        if (!is_new(recipe, i))
            continue;
        search s = {.device = device, .options = options};
        status = oct_subject_make(&s.subject, recipe, &recipe->noted[i],
                                  &(oct_subject_options){.seed = options->seed});
        if (status == OCTET_OK)
            status = tune_one(&s, index++, count);
        oct_subject_free(&s.subject);
        free(s.all);
        free(s.result);
        free(s.agreed);
        free(s.row);
        free(s.samples);
        free(s.expected);
    }
    return status;
}
