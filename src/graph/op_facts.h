/* What there is to know of an operator, apart from how it is inferred and lowered: its row of op_table.def as
 * data. Layers ask here instead of listing operators. */
#ifndef OCT_OP_FACTS_H
#define OCT_OP_FACTS_H

#include "graph.h"

/* Where an operator's files are: src/{infer,lower,ref}/<layer>_<family>.c. */
typedef enum oct_op_family {
    OCT_OP_FAMILY_conv,
    OCT_OP_FAMILY_gemm,
    OCT_OP_FAMILY_pool,
    OCT_OP_FAMILY_quantize,
    OCT_OP_FAMILY_pointwise,
    OCT_OP_FAMILY_unary,
    OCT_OP_FAMILY_logic,
    OCT_OP_FAMILY_reduce,
    OCT_OP_FAMILY_softmax,
    OCT_OP_FAMILY_normalize,
    OCT_OP_FAMILY_move,
    OCT_OP_FAMILY_resize,
    OCT_OP_FAMILY_recurrent,
    OCT_OP_FAMILY_shape,
    OCT_OP_FAMILY_control
} oct_op_family;

typedef enum oct_runs {
    OCT_RUNS_INT8,
    OCT_RUNS_BY_TYPE, /* INT8, or FLOAT where its data are floats */
    OCT_RUNS_FLOAT,
    OCT_RUNS_MOVE,
    OCT_RUNS_REFUSED
} oct_runs;

/* Inputs of a node that belong together: a tensor, its scale and its zero point; -1: there is none. */
typedef struct oct_at {
    int value, scale, zero;
} oct_at;

typedef enum oct_result_kind {
    OCT_RESULT_OWN,   /* its numbers are themselves */
    OCT_RESULT_GIVEN, /* they mean what a scale and a zero point of the node say */
    OCT_RESULT_LIKE,  /* they are chosen from those of an input */
    OCT_RESULT_SAME   /* it is the first input's bytes, in another shape perhaps */
} oct_result_kind;

/* The axis of weights that has the output channels. */
typedef enum oct_weight_form {
    OCT_WEIGHTS_NONE,
    OCT_WEIGHTS_FIRST,
    OCT_WEIGHTS_SECOND,
    OCT_WEIGHTS_LAST,
    OCT_WEIGHTS_TRANS_B /* FIRST where the attribute transB says so, else SECOND */
} oct_weight_form;

typedef enum oct_clamp_role { OCT_CLAMP_NO, OCT_CLAMP_TAKES, OCT_CLAMP_IS } oct_clamp_role;

typedef enum oct_layout {
    OCT_LAYOUT_PLAIN,
    OCT_LAYOUT_FOLLOWS,
    OCT_LAYOUT_AXIS,
    OCT_LAYOUT_SPATIAL
} oct_layout;

/* How the constant operands of an operator that computes element by element may lie. */
typedef enum oct_pointwise {
    OCT_POINTWISE_NO,
    OCT_POINTWISE_NUMBERS,
    OCT_POINTWISE_BROADCAST,
    OCT_POINTWISE_CHANNELS
} oct_pointwise;

/* What a DequantizeLinear in front of it sinks below. */
typedef enum oct_sinks {
    OCT_SINKS_NO,
    OCT_SINKS_FIRST, /* the first input's */
    OCT_SINKS_ALL,
    OCT_SINKS_PAD,     /* if it pads with zeros */
    OCT_SINKS_NEAREST, /* if that is how it resizes */
    OCT_SINKS_INDEX    /* and its result is a position */
} oct_sinks;

/* Who else does so, or has such an operator. */
typedef enum oct_reach {
    OCT_REACH_OURS,     /* Octet alone: never in a file */
    OCT_REACH_FILES,    /* ONNX Runtime too */
    OCT_REACH_FLOAT_TOO /* likewise, and also where the result stays float */
} oct_reach;

/* What octet quantize makes of a float operator. */
typedef enum oct_place_kind {
    OCT_PLACE_FLOAT,     /* stays float */
    OCT_PLACE_POINTWISE, /* float too; a function of one tensor, element by element */
    OCT_PLACE_PRODUCT,   /* Conv, Gemm, MatMul */
    OCT_PLACE_INTEGER,   /* other operators that have an integer form */
    OCT_PLACE_SAME       /* moves or chooses elements: output parameters are the input's */
} oct_place_kind;

#define OCT_MOST_OPERANDS 3

/* An attribute that files may give an operator. */
typedef struct oct_attr_row {
    const char *name;
    oct_attr_kind kind;
} oct_attr_row;

typedef struct oct_facts {
    const char *name, *domain;            /* as files have them; domain NULL: no file can hold the operator */
    int since;                            /* the first operator set that Octet reads it from */
    int min_in, max_in, min_out, max_out; /* max -1: any number */
    oct_op_family family;
    oct_runs runs;
    /* The inputs that are data. Behind the last of them the same comes again every `step` inputs; 0: not so.
     */
    oct_at operands[OCT_MOST_OPERANDS];
    int operand_count, step;
    oct_result_kind result_kind;
    oct_at result; /* GIVEN: its scale and zero point; LIKE, SAME: value is the input that it is like */
    oct_weight_form weights; /* of the second operand */
    int bias;                /* the input; -1: it has none */
    oct_clamp_role clamp;
    oct_layout layout;
    oct_pointwise pointwise;
    oct_sinks sinks;
    oct_reach sinks_reach;
    oct_op twin; /* what it becomes between DequantizeLinear and QuantizeLinear; OCT_OP_COUNT: nothing */
    oct_reach twin_reach;
    oct_place_kind place;
    bool mixes_rows; /* a row of the result depends on every row of a batch, whatever its attributes */
    const oct_attr_row *attrs; /* by name; one without a name ends them */
} oct_facts;

const oct_facts *oct_op_facts(oct_op op);

/* Operand k: which may be one of those that come again and again. */
oct_at oct_op_operand(oct_op op, int k);
/* How many a node has. */
int oct_node_operands(const oct_node *n);
/* Is input i data (or a parameter)? */
bool oct_op_is_data(oct_op op, int i);

/* The row of an attribute; NULL: the operator has none of this name. */
const oct_attr_row *oct_op_attr(oct_op op, const char *name);

/* The axis of a product's second operand that has its output channels; of no product: 0. */
int oct_weight_axis(const oct_graph *g, const oct_node *n);

/* What inspect reports of a node whose types are inferred. */
octet_node_path oct_node_path(const oct_graph *g, const oct_node *n);

/* Operator by ONNX name and domain; OCT_OP_COUNT if unknown. */
oct_op oct_op_find(const char *op_type, const char *domain);
/* com.microsoft's QuantizeLinear or DequantizeLinear: ONNX's of operator set 21, in files of any set. */
bool oct_op_is_contrib_pair(const char *op_type, const char *domain);
/* Number of operands and opset version against the row. Errors: UNSUPPORTED, CORRUPT_FILE. */
octet_status oct_node_check_arity(const oct_node *n);

#endif
