/* Valid random networks of int8 operators, made from a fuzzer's bytes, and what they give: each operator is
 * computed by src/ref as it is added, and the whole is the oracle of the network that Octet makes of it.
 * Whatever passes do to such a network, its outputs are these bytes. */
#ifndef MADE_GRAPH_H
#define MADE_GRAPH_H

#include "graph.h"

#include <stddef.h>
#include <stdint.h>

enum { MADE_TENSORS = 48, MADE_RANK = 4, MADE_MOST = 8192 };

/* A value of the graph and its bytes, in ONNX's order; of 8 bits with a scale and a zero point, or floats. */
typedef struct made_tensor {
    int value;
    octet_dtype dtype;
    int rank;
    int64_t dims[MADE_RANK], count;
    float scale;
    int32_t zero;
    void *data; /* malloc'd */
    bool used;  /* some node reads it */
} made_tensor;

typedef struct made_graph {
    oct_graph graph;
    made_tensor tensors[MADE_TENSORS];
    int count;
    const uint8_t *at; /* the bytes that decide */
    size_t left;
    uint64_t seed; /* of weights and inputs, follows from them too */
} made_graph;

/* false: out of memory. made_free takes what fails, too. */
bool made_graph_make(made_graph *m, const uint8_t *data, size_t size);
void made_graph_free(made_graph *m);
/* Index of a tensor by the graph's value. */
const made_tensor *made_find(const made_graph *m, int value);

/* ---- for the operators, made_ops.c and made_spatial.c ---- */

/* A number below n: the next byte; 0 when there are none left. */
int made_pick(made_graph *m, int n);
uint32_t made_random(made_graph *m);
/* Random bytes; style: all values, small ones, extremes. */
void made_fill(made_graph *m, octet_dtype dtype, void *data, size_t count);
float made_scale(made_graph *m);
int32_t made_zero(made_graph *m, octet_dtype dtype);

/* Constants of the graph; OCT_NO_VALUE when memory is short. */
int made_const(made_graph *m, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes);
int made_const_f32(made_graph *m, float x);
int made_const_zero(made_graph *m, octet_dtype dtype, int32_t zero);
int made_const_ints(made_graph *m, const int64_t *ints, int count); /* s64 [count] */

/* A tensor of this shape, not yet in the list, and a place for its bytes; NULL: too large, or no room. */
made_tensor *made_new(made_graph *m, octet_dtype dtype, int rank, const int64_t *dims);
/* The node that makes `y`: into the graph and the list. */
bool made_node(made_graph *m, oct_op op, const int *inputs, int count, made_tensor *y);
void made_int(made_graph *m, const char *name, int64_t i); /* attributes of the last node */
void made_float(made_graph *m, const char *name, float f);
void made_ints(made_graph *m, const char *name, const int64_t *ints, size_t count);

/* An operator on a tensor of 8 bits; false: it cannot be of this one, and nothing has been added. */
typedef bool made_op(made_graph *m, made_tensor *x);
made_op made_conv, made_max_pool, made_average_pool, made_global_pool;
made_op made_matmul, made_qgemm, made_binary, made_binary_const, made_concat, made_softmax, made_table,
    made_clip, made_requantize, made_transpose, made_reshape, made_pad, made_slice, made_mean;

#endif
