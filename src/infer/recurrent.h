/* What the node of a recurrent operator says: sizes, directions, activation functions. For inference and
 * lowering. */
#ifndef OCT_RECURRENT_H
#define OCT_RECURRENT_H

#include "graph.h"

enum { OCT_MOST_GATE_FUNCTIONS = 3 };

/* A function of a gate, by its ONNX name, with its two numbers. */
typedef struct oct_activation {
    const char *name;
    float alpha, beta;
} oct_activation;

typedef struct oct_recurrent {
    int64_t steps, batch, inputs, hidden;
    int gates, function_count; /* of a direction */
    int directions;
    bool reverse;      /* the first direction goes backwards */
    bool batch_first;  /* layout 1: X [batch][steps][inputs], Y [batch][steps][direction][hidden], states
                          [batch][direction][hidden] */
    bool input_forget; /* LSTM: the forget gate is 1 - the input gate */
    bool linear_before_reset; /* GRU: the reset gate is of the product with the state, not of the state */
    float clip;               /* 0: none */
    oct_activation
        functions[2][OCT_MOST_GATE_FUNCTIONS]; /* f of the gates, g of the cell's input, h of the cell */
} oct_recurrent;

/* Errors: INVALID_ARGUMENT (shapes that do not fit), UNSUPPORTED (an activation by its name). */
octet_status oct_recurrent_resolve(const oct_graph *g, const oct_node *n, oct_recurrent *r);

#endif
