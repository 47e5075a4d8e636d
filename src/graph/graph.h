/* A network as plain data: values, nodes and attributes, all owned by one arena. Knows neither files nor
 * devices. The onnx reader builds it, oct_graph_verify checks it, passes rewrite it, lower/ makes launches of
 * it. Not thread-safe while it is being built or rewritten; immutable and shareable afterwards. */
#ifndef OCT_GRAPH_H
#define OCT_GRAPH_H

#include "arena.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>

#define OCT_NO_VALUE (-1) /* an optional input or output that is absent */

/* Every operator known, named as ONNX names it; op_table.def has a row for each, op_facts.h gives them. */
typedef enum oct_op {
#define OCT_OP(op, ...) OCT_OP_##op,
#include "op_table.def"
#undef OCT_OP
    OCT_OP_COUNT
} oct_op;

typedef struct oct_value {
    const char *name;
    octet_dtype dtype;            /* NONE until known */
    int rank;                     /* -1 until known */
    int64_t dims[OCTET_MAX_RANK]; /* -1: dynamic */
    /* A constant: its bytes (little-endian, dense), somewhere that outlives the graph. NULL: computed. A
     * constant of zero bytes has a non-NULL pointer. */
    const void *data;
    size_t data_bytes;
    bool made;  /* data was made by a pass and lives in this copy's arena: its address means nothing later */
    bool fixed; /* an input of the file that oct_graph_fix_input has given this constant value */
    int producer; /* node index, -1: graph input or constant */
    bool is_input, is_output;
} oct_value;

typedef enum oct_attr_kind {
    OCT_ATTR_INT,
    OCT_ATTR_FLOAT,
    OCT_ATTR_STRING,
    OCT_ATTR_INTS,
    OCT_ATTR_FLOATS,
    OCT_ATTR_STRINGS,
    OCT_ATTR_TENSOR,
    OCT_ATTR_SPARSE, /* files have such; no node here does */
    OCT_ATTR_BRANCH
} oct_attr_kind;

typedef struct oct_attr {
    const char *name;
    oct_attr_kind kind;
    int64_t i;
    float f;
    const char *s;       /* terminated */
    const int64_t *ints; /* count of them */
    const float *floats;
    const char *const *strings; /* terminated each */
    size_t count;
    const oct_value *tensor; /* data, dtype, dims only */
    const struct oct_branch *branch;
} oct_attr;

/* QLinearConv's inputs behind its own nine, made by pass_chain.c alone: a table of 256 bytes that the results
 * go through, then what QLinearAdd takes besides them. Scales are followed by their zero points. */
enum {
    OCT_CONV_TABLE = 9,
    OCT_CONV_RESIDUAL,
    OCT_CONV_OWN_SCALE,
    OCT_CONV_RESIDUAL_SCALE = OCT_CONV_OWN_SCALE + 2,
    OCT_CONV_SUM_SCALE = OCT_CONV_RESIDUAL_SCALE + 2,
    OCT_CONV_INPUTS = OCT_CONV_SUM_SCALE + 2
};

typedef struct oct_clamp {
    bool set;
    int32_t min, max;
} oct_clamp;

typedef struct oct_node {
    oct_op op;
    const char *name; /* as in the file, or "OpType_INDEX" where the file has none; never NULL */
    const char *op_type, *domain;
    int opset;             /* version of its domain's operator set in this model */
    int *inputs, *outputs; /* value indices or OCT_NO_VALUE */
    int input_count, output_count;
    const oct_attr *attrs;
    size_t attr_count;
    const char *refusal; /* why it cannot run; only in graphs that were loaded for inspection */
    bool float_out; /* QLinearConv, QLinearMatMul: no output scale, the output is f32 (pass_integer_groups.c)
                     */
    bool swapped;   /* QLinearAdd and a convolution's residual: the operands' order of addition
                       (pass_operand_order.c) */
    bool channels_last;  /* spatial operators after the layout pass: N, spatial..., C */
    oct_clamp clamp;     /* of the 8-bit result: a folded activation */
    oct_clamp sum_clamp; /* of the sum with a convolution's residual */
} oct_node;

/* A subgraph of an If. Its values are values of the graph, under indices of their own, so it reads what lies
 * around it as any node does; its nodes are not in the graph's list until inference takes the branch
 * (branches.h). Inputs of the If behind its condition are the values of the graph around it that its branches
 * read. */
typedef struct oct_branch {
    oct_node *nodes; /* in topological order */
    int node_count;
    int *outputs; /* value indices, as many as the If has outputs */
    int output_count;
} oct_branch;

typedef struct oct_graph {
    oct_arena arena;
    oct_value *values;
    int value_count, value_capacity;
    oct_node *nodes; /* in topological order once oct_graph_sort has run */
    int node_count, node_capacity;
    int *inputs, *outputs; /* value indices; inputs exclude initializers */
    int input_count, output_count;
    int failed_node;    /* where oct_graph_infer failed, when it did */
    size_t made_bytes;  /* of constants that inference has computed */
    uint64_t branches;  /* which ones were taken, hashed: equal where all are the same */
    unsigned rewritten; /* 1 << pass, for each that changed something (passes.h) */
} oct_graph;

/* Building. All strings are copied. -1 / NULL and an error text when memory is short. */
int oct_graph_add_value(oct_graph *g, const char *name);
oct_node *oct_graph_add_node(oct_graph *g, oct_op op, const char *name, int inputs, int outputs);
/* The same node at the end of g's list, with operand lists of its own; `from` may be in no list. */
octet_status oct_graph_append(oct_graph *g, const oct_node *from);
void oct_graph_free(oct_graph *g);
/* A copy that passes may rewrite; it shares strings, attributes and constant bytes with g, which must outlive
 * it. */
octet_status oct_graph_clone(const oct_graph *g, oct_graph *copy);

/* Attribute of a node or its default. Each is of the kind that its operator's row says: the reader of files
 * has checked that. */
const oct_attr *oct_node_attr(const oct_node *n, const char *name);
int64_t oct_node_int(const oct_node *n, const char *name, int64_t otherwise);
float oct_node_float(const oct_node *n, const char *name, float otherwise);
const char *oct_node_string(const oct_node *n, const char *name, const char *otherwise);

const char *oct_op_name(oct_op op);

/* Put nodes into topological order, drop nodes whose outputs nobody reads, set producers. Errors:
 * CORRUPT_FILE (a cycle, a value with two producers, an input that nothing produces; node by name). */
octet_status oct_graph_sort(oct_graph *g);

/* Replace Constant nodes and Identities of constants by values with data. On a sorted graph, or the nodes of
 * a branch. */
octet_status oct_graph_fold_constants(oct_graph *g);
octet_status oct_fold_constants(oct_graph *g, oct_node *nodes, int *count);

/* Input `name` is this constant from now on, and no input any more; the value is copied. Errors:
 * INVALID_ARGUMENT (no such input; not its dtype or shape). */
octet_status oct_graph_fix_input(oct_graph *g, const char *name, const octet_tensor *value);

/* Fill in dtype, rank and dims of every value from the graph inputs (which must have no -1 left) and the
 * constants. What can be computed from shapes and integers alone becomes a constant, and the node is gone
 * (shape_math.h); an If makes way for the branch it takes (branches.h). Errors name the node:
 * INVALID_ARGUMENT (shapes or dtypes do not fit), UNSUPPORTED. */
octet_status oct_graph_infer(oct_graph *g);
/* Infer once more and compare: a pass that has left a value with another dtype or shape than its node makes
 * is a defect. Error: INTERNAL. */
octet_status oct_graph_verify(oct_graph *g);

#endif
