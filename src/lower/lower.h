/* Lowering: one function per operator family turns a graph node into requests to ops/. Shared helpers are
 * here; op_table.def says which is whose. Shapes and dtypes have been checked by graph inference: these
 * functions only refuse what the operators cannot do. */
#ifndef OCT_LOWER_H
#define OCT_LOWER_H

#include "caps.h"
#include "graph.h"
#include "op_facts.h"
#include "quant_args.h"
#include "recipe.h"

typedef struct lowering {
    const oct_graph *g;
    const oct_caps *caps;
    oct_recipe *r;
    oct_mem *mem; /* per graph value */
} lowering;

typedef octet_status lower_fn(lowering *l, const oct_node *n);

/* Input i (output i) of a node; input: dtype NONE if it is absent. */
oct_operand oct_lower_input(const lowering *l, const oct_node *n, int i);
oct_operand oct_lower_output(const lowering *l, const oct_node *n, int i);
bool oct_lower_has_input(const oct_node *n, int i);
/* Scale and zero point of a row's operand or result that is of `dtype`; none where it has none. */
oct_quant oct_lower_quant(const lowering *l, const oct_node *n, oct_at at, octet_dtype dtype);
/* The bounds of an 8-bit result of this type: a folded activation's, or the type's own. */
void oct_lower_clamp(const oct_clamp *clamp, octet_dtype dtype, int32_t *lo, int32_t *hi);

/* Does a node or the caller read the value? */
bool oct_lower_is_read(const oct_graph *graph, int value);

/* What a run checks of input i, positions from low to high; NULL where its numbers are constants, which
 * inference has checked. Fills *check. */
const oct_check *oct_lower_check(const lowering *l, const oct_node *n, int i, int64_t low, int64_t high,
                                 oct_check *check);

/* Product of dims[from, to). */
int64_t oct_lower_product(const oct_operand *t, int from, int to);
/* A possibly negative axis of a tensor of this rank. */
int oct_lower_axis(int64_t axis, int rank);

/* Multiply-adds of a node whose shapes are inferred; -1 when a shape is unknown. */
typedef int64_t macs_fn(const oct_graph *g, const oct_node *n);
/* Of a product: its second operand. */
const oct_value *oct_lower_weights(const oct_graph *g, const oct_node *n);

/* The functions that op_table.def names: lower_FAMILY.c has those of a family. */
#define COLUMN_LOWER(f) oct_lower_##f
#define COLUMN_MACS(f)  oct_macs_##f
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, ...)                                       \
    lower_fn COLUMN_##lower;                                                                                 \
    macs_fn COLUMN_##macs;
#include "op_table.def"
#undef OCT_OP
#undef COLUMN_LOWER
#undef COLUMN_MACS

/* Lower every node of a checked, laid-out graph to launches. value_mem[v] receives the memory of value v,
 * output_mem[i] that of graph output i. */
octet_status oct_lower(const oct_graph *graph, const oct_caps *caps, oct_recipe *recipe, oct_mem *value_mem,
                       oct_mem *output_mem);

/* The largest tensor, to be named where memory is short; NULL: none has any bytes. */
const oct_value *oct_lower_largest(const oct_graph *graph, size_t *bytes);

int64_t oct_node_macs(const oct_graph *graph, const oct_node *node);

#endif
