/* The whole of quantization: a float graph, samples, observers, choices. The public octet_quantizer is this.
 */
#ifndef OCT_QUANTIZER_H
#define OCT_QUANTIZER_H

#include "device.h"
#include "insert.h"
#include "observer.h"
#include "onnx.h"
#include "place.h"
#include "split_weights.h"
#include "taps.h"

#include <octet/quantize.h>

typedef struct oct_sample {
    octet_tensor *inputs; /* copies, as many as the graph has */
    octet_tensor *scored; /* of the float network, as `scored` of the quantizer */
} oct_sample;

/* What one tensor came to. */
typedef struct oct_tensor_report {
    int value; /* of `graph` */
    double signal, noise;
    double gain_db, gain16_db; /* NaN: not measured */
} oct_tensor_report;

/* A quantized network and how near it is. */
typedef struct oct_candidate {
    octet_observer observer;
    oct_insert_options options;
    oct_graph graph;
    int *shown;                           /* by value of the float graph */
    oct_parameters *params, *wide_params; /* by value: in 8 bits, and in 16 where any is wide */
    bool *wide;                           /* by value: quantized to 16 bits first */
    double snr_db;                        /* of the outputs */
    double score_db;                      /* of what they are judged by */
    bool made;
} oct_candidate;

struct octet_quantizer {
    oct_device *device;
    octet_quantize_desc desc; /* without its lists */
    oct_insert_options options;
    char **exclude, **widen;
    size_t exclude_count, widen_count;
    oct_onnx_model *file;
    oct_graph graph; /* float, prepared with the first sample */
    oct_graph shaped;
    int opset;
    bool prepared;
    bool *excluded, *raised; /* by node: float, and 16 bits */
    oct_placement place;
    int *watched, watched_count; /* values that are observed */
    oct_observer *observers;     /* by value; those watched are in use */
    /* What candidates are compared by: the outputs, then what goes into those that a Softmax or Sigmoid
     * makes. Such a function hides the noise of what it saturates; judged[i] is the place of output i's
     * stand-in. */
    int *scored, *judged, scored_count;
    int *tapped, tapped_count; /* the watched values, then those scored that are not watched */
    oct_taps *taps;            /* of these */
    oct_sample *samples;
    size_t sample_count, sample_capacity;
    oct_rounded *rounded; /* by node: weights that adaptive rounding made; NULL: none */
    double **shifts;      /* by node: what empirical correction adds to its bias; NULL: nothing */
    oct_candidate best;
    double tried_db[8];
    bool written;
    oct_tensor_report *tensors;
    size_t tensor_count;
    size_t kept, smoothed;
    oct_split *splits; /* products that have weights of 16 bits */
    size_t split_count;
    bool split_done;
};

octet_status oct_quantizer_prepare(octet_quantizer *q, const octet_tensor *inputs);
octet_status oct_quantizer_observe(octet_quantizer *q, const octet_tensor *inputs);
/* What follows from the prepared graph: placement, observers, taps. For a graph that has changed: forget,
 * arrange, observe the samples that are there again. */
octet_status oct_quantizer_arrange(octet_quantizer *q, const octet_tensor *inputs);
void oct_quantizer_forget_arrangement(octet_quantizer *q);
octet_status oct_quantizer_observe_again(octet_quantizer *q);

/* SmoothQuant on all samples (smooth.h), where the descriptor asks for it. */
octet_status oct_quantizer_smooth(octet_quantizer *q);

/* Where pairs go, as excluded and raised say now. */
octet_status oct_quantizer_place(const octet_quantizer *q, oct_placement *place);

/* Quantize by this method with these options and measure the outputs' signal to noise. */
octet_status oct_candidate_make(octet_quantizer *q, const oct_placement *place, octet_observer observer,
                                const oct_insert_options *options, oct_candidate *c);
octet_status oct_candidate_score(octet_quantizer *q, oct_candidate *c);
octet_status oct_candidate_score_on(octet_quantizer *q, oct_candidate *c,
                                    size_t samples); /* at most so many */
void oct_candidate_free(oct_candidate *c);
/* How value v of the float graph is quantized first; p: the placement it was made by. */
const oct_parameters *oct_candidate_parameters(const oct_candidate *c, const oct_placement *p, int v);
octet_dtype oct_candidate_dtype(const oct_candidate *c, int v);
/* The best of the methods that the descriptor allows: q->best. */
octet_status oct_quantizer_choose(octet_quantizer *q);

/* Adaptive rounding of all weights, for a network quantized by this method: q->rounded. from_float: each by
 * what the float network shows alone, in a single run over the samples. */
octet_status oct_quantizer_round(octet_quantizer *q, octet_observer observer,
                                 const oct_insert_options *options, bool from_float);
void oct_quantizer_forget_rounded(octet_quantizer *q);

/* Make the biases of q->best better by what it does; forget what was found. */
octet_status oct_quantizer_refine_biases(octet_quantizer *q);
void oct_quantizer_forget_shifts(octet_quantizer *q);

/* Fill in q->tensors with the noise of every pair of q->best. */
octet_status oct_quantizer_measure(octet_quantizer *q);
/* And what each node costs. */
octet_status oct_quantizer_measure_gains(octet_quantizer *q);
/* What the outputs are judged by, on so many samples, when nothing but this node is quantized. */
octet_status oct_quantizer_score_alone(octet_quantizer *q, int node, const oct_insert_options *options,
                                       size_t samples, double *score_db);
/* With 16-bit activations: the products whose weights, rounded as they are now, cost most get weights of 16
 * bits (split_weights.h), once. The graph may be another one then, which nothing is chosen for. */
octet_status oct_quantizer_split(octet_quantizer *q);
/* Keep the `count` nodes that cost most higher, and choose again. */
octet_status oct_quantizer_keep_worst(octet_quantizer *q, int count);

void oct_quantizer_progress(const octet_quantizer *q, const char *step, size_t done, size_t total);
double oct_decibel(double signal, double noise);

#endif
