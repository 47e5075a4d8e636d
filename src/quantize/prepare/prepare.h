/* A float network made ready to be quantized: an equal one (up to float rounding) of operator set 13 or later
 * with less to round. Works on a graph whose shapes are not fixed, with those of one sample as a guide to
 * ranks. */
#ifndef OCT_PREPARE_H
#define OCT_PREPARE_H

#include "graph.h"

/* The operator set of the result: the file's, but at least this one, which has scales for each channel. */
#define OCT_QUANTIZE_OPSET 13

/* A copy of g with these input shapes, inferred. The values keep their indices. */
octet_status oct_shaped_copy(const oct_graph *g, const octet_tensor *inputs, oct_graph *shaped);

/* A copy of g with the branches that these inputs take in the place of Ifs. */
octet_status oct_taken_copy(const oct_graph *g, const octet_tensor *inputs, oct_graph *taken);
/* Do these inputs take the same branches of g as `taken` has? Else INVALID_ARGUMENT. */
octet_status oct_check_branches(const oct_graph *g, const octet_tensor *inputs, const oct_graph *taken);

/* All steps. inputs: a sample, whose branches are taken. Errors: UNSUPPORTED (an operator that has no form in
 * operator set 13), those of inference. */
octet_status oct_prepare(oct_graph *g, const octet_tensor *inputs, int *opset);

/* The steps, each on a sorted graph; `shaped` is of the graph as it came in. */
typedef struct oct_prepare {
    oct_graph *g;
    oct_graph shaped;
} oct_prepare_state;
octet_status oct_prepare_constants(oct_prepare_state *p); /* renamed constants; Identity and Dropout go */
octet_status oct_prepare_opset(oct_prepare_state *p, int opset);
octet_status oct_prepare_fold(oct_prepare_state *p); /* factors, terms and BatchNormalization into products */
octet_status oct_prepare_forms(oct_prepare_state *p); /* forms that have an exact 8-bit operator */

/* Cross-layer equalization (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
 * Correction", 2019): channel i between two products with nothing but a Relu in between is scaled so that
 * both weights have the same largest value there. */
octet_status oct_equalize(oct_graph *g);

/* Constant floats of a value, NULL if it is not one. */
const float *oct_const_floats(const oct_graph *g, int v, int64_t *count);
/* A constant of one number, or one a channel on this axis of a tensor of `rank` dimensions: as one a channel.
 */
bool oct_per_channel(const oct_graph *g, int v, int rank, int axis, int64_t channels, double *out);
/* BASE_what, in the graph's arena; NULL when memory is short. */
const char *oct_name_after(oct_graph *g, const char *base, const char *what);
/* A tensor that no longer is what the file's float network has gets another name, NAME_what. */
octet_status oct_rename_changed(oct_graph *g, int v, const char *what);
/* Input i of a node becomes these floats, which are in the graph's arena, under the name of the ones before.
 */
octet_status oct_replace_floats(oct_graph *g, int node, int i, int rank, const int64_t *dims,
                                const float *data);
/* Replace input i of a node; the operand list is made anew, and longer where need be. */
octet_status oct_set_input(oct_graph *g, int node, int i, int value);

/* Input channel of weight element i: convolutions have those of one group at axis 1, matrices all of them on
 * the axis that is not the output's. */
int64_t oct_input_channel(const oct_graph *g, const oct_node *n, int64_t i);
/* peaks[c]: at least the largest magnitude of the product's weights that input channel c meets. */
void oct_raise_input_peaks(const oct_graph *g, int node, double *peaks);
/* Those weights times factors[c], as a constant of their own. */
octet_status oct_scale_inputs(oct_graph *g, int node, const double *factors);

#endif
