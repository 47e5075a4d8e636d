/* A network quantized one way, and how near its outputs are to the float ones. */
#ifndef OCT_CANDIDATE_H
#define OCT_CANDIDATE_H

#include "insert.h"
#include "observed.h"

/* One way. The lists are whoever searches': a candidate does not keep them. */
typedef struct oct_method {
    octet_observer observer;
    oct_insert_options options;
    const oct_rounded_weights *rounded; /* by node, for options.adaptive; NULL: none */
    double *const *shifts;              /* by node: added to its bias, [channels]; NULL: none */
} oct_method;

typedef struct oct_score {
    double snr_db;    /* of the outputs */
    double judged_db; /* of what they are judged by */
} oct_score;

typedef struct oct_candidate {
    octet_observer observer;
    oct_insert_options options;
    oct_graph graph;                      /* with pairs; shares what the float one has, which outlives it */
    int *shown;                           /* by value of the float graph */
    oct_parameters *params, *wide_params; /* by value: in 8 bits, and in 16 where any is wide */
    bool *wide;                           /* by value: quantized to 16 bits first */
} oct_candidate;

octet_status oct_candidate_make(const oct_observed *seen, const oct_placed *placed, const oct_method *how,
                                oct_candidate *c);
/* On at most so many samples. */
octet_status oct_candidate_score(const oct_candidate *c, const oct_observed *seen, size_t samples,
                                 oct_score *score);
void oct_candidate_free(oct_candidate *c);

/* How value v of the float graph is quantized first. */
const oct_parameters *oct_candidate_parameters(const oct_candidate *c, const oct_placed *placed, int v);
octet_dtype oct_candidate_dtype(const oct_candidate *c, int v);

double oct_decibel(double signal, double noise);

#endif
