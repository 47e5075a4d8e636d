#include "search.h"
#include "biases.h"
#include "dtype.h"
#include "round.h"

#include <math.h>
#include <string.h>

/* Samples that candidates are compared on, spread over all. */
#define SCORED_SAMPLES 24

void oct_search_open(const oct_observed *seen, const oct_placed *placed, oct_search *s)
{
    *s = (oct_search){.seen = seen, .placed = placed};
    for (size_t i = 0; i < sizeof s->tried_db / sizeof *s->tried_db; i++)
        s->tried_db[i] = NAN;
}

void oct_search_close(oct_search *s)
{
    if (!s->seen)
        return;
    int nodes = s->seen->net->graph.node_count;
    oct_rounded_list_free(s->rounded, nodes);
    oct_shifts_free(s->shifts, nodes);
    oct_candidate_free(&s->best);
    memset(s, 0, sizeof *s);
}

oct_method oct_search_method(const oct_search *s)
{
    return (oct_method){s->best.observer, s->best.options, s->rounded, s->shifts};
}

octet_status oct_search_score_placed(const oct_search *s, oct_placed *placed, const oct_method *how,
                                     size_t samples, double *judged_db)
{
    oct_candidate c;
    oct_score score = {0};
    octet_status status = oct_candidate_make(s->seen, placed, how, &c);
    oct_placed_free(placed);
    FORWARD(status);
    status = oct_candidate_score(&c, s->seen, samples, &score);
    *judged_db = score.judged_db;
    oct_candidate_free(&c);
    return status;
}

octet_status oct_search_try(oct_search *s, const oct_method *how, double *judged_db)
{
    oct_candidate c;
    oct_score score;
    FORWARD(oct_candidate_make(s->seen, s->placed, how, &c));
    octet_status status = oct_candidate_score(&c, s->seen, SCORED_SAMPLES, &score);
    if (status == OCTET_OK)
        *judged_db = score.judged_db;
    if (status != OCTET_OK || (s->found && !(score.judged_db > s->score.judged_db))) {
        oct_candidate_free(&c);
        return status;
    }
    oct_candidate_free(&s->best);
    s->best = c;
    s->score = score;
    s->found = true;
    return OCTET_OK;
}

static octet_status try_one(oct_search *s, octet_observer observer, const oct_insert_options *options)
{
    const oct_method how = {observer, *options, s->rounded, s->shifts};
    double judged_db;
    octet_status status = oct_search_try(s, &how, &judged_db);
    if (status != OCTET_OK)
        return oct_fail_prefix(status, "the quantized network");
    if (!(s->tried_db[observer] >= judged_db))
        s->tried_db[observer] = judged_db;
    return OCTET_OK;
}

octet_status oct_search_ranges(oct_search *s)
{
    const oct_quantize_settings *asked = s->seen->net->asked;
    bool all = asked->desc.observer == OCTET_OBSERVE_BEST;
    if (all && !oct_dtype_is_int8(asked->insert.activations))
        return try_one(s, OCTET_OBSERVE_MINMAX, &asked->insert);
    for (int o = OCTET_OBSERVE_MINMAX; o < OCTET_OBSERVER_COUNT; o++) {
        if (!all && (octet_observer)o != asked->desc.observer)
            continue;
        oct_quantize_progress(asked, octet_observer_name((octet_observer)o), (size_t)o - 1,
                              OCTET_OBSERVER_COUNT);
        FORWARD(try_one(s, (octet_observer)o, &asked->insert));
    }
    return OCTET_OK;
}

bool oct_rounds_adaptively(const oct_quantize_settings *asked)
{
    return asked->desc.adaptive > 0 ||
           (asked->desc.adaptive == 0 && !oct_dtype_is_int8(asked->insert.activations));
}

octet_status oct_search_rounding(oct_search *s)
{
    const oct_quantize_settings *asked = s->seen->net->asked;
    if (!oct_rounds_adaptively(asked))
        return OCTET_OK;
    oct_method how = {.observer = s->best.observer, .options = asked->insert};
    how.options.adaptive = true;
    FORWARD(oct_round(s->seen, s->placed, &how, false, &s->rounded));
    return try_one(s, how.observer, &how.options);
}

octet_status oct_search_biases(oct_search *s)
{
    const oct_quantize_settings *asked = s->seen->net->asked;
    if (!asked->insert.correct_bias)
        return OCTET_OK;
    oct_insert_options options = s->best.options; /* is correction of use? */
    options.correct_bias = false;
    oct_quantize_progress(asked, "bias correction", OCTET_OBSERVER_COUNT - 1, OCTET_OBSERVER_COUNT);
    FORWARD(try_one(s, s->best.observer, &options));
    return oct_correct_biases(s);
}
