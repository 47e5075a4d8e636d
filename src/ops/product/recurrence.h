/* Recurrent operators, f32: the products with the input of all steps at once, then the steps. Two ways to do
 * these: "whole", one launch with a work-group for each sequence and direction, and "steps", a launch for
 * each step that spreads its hidden units over the device. The same bytes. */
#ifndef OCT_RECURRENCE_H
#define OCT_RECURRENCE_H

#include "variant.h"

typedef enum oct_cell { OCT_CELL_LSTM, OCT_CELL_GRU } oct_cell;

/* A function by its ONNX name, and its two numbers. */
typedef struct oct_gate_function {
    const char *name;
    float alpha, beta;
} oct_gate_function;

typedef struct oct_recurrence_request {
    oct_forced force;
    oct_cell cell;
    int64_t steps, batch, inputs, hidden;
    int directions; /* 1 or 2 */
    bool reverse;   /* the first goes backwards; the second always does */
    bool batch_first;
    bool input_forget;                 /* LSTM */
    bool linear_before_reset;          /* GRU */
    float clip;                        /* 0: none */
    oct_gate_function functions[2][3]; /* by direction: of the gates, the input, LSTM: the cell */
    oct_mem x;                         /* [steps][batch][inputs]; batch first: [batch][steps][inputs] */
    /* [direction][gate][hidden][inputs], [direction][gate][hidden][hidden]; gates of LSTM i, o, f, c, of GRU
     * z, r, h */
    oct_operand w, r;
    /* Optional: OCT_MEM_NONE. */
    oct_mem bias;                   /* [direction][2][gate][hidden]: of w, then of r */
    oct_mem lengths;                /* s32 [batch] */
    const oct_check *lengths_check; /* of runs; NULL: they are known to be in range */
    oct_mem h;         /* state before: [direction][batch][hidden]; batch first: [batch][direction][hidden] */
    oct_mem c;         /* LSTM: likewise */
    oct_mem peepholes; /* LSTM: [direction][3 hidden]: i, o, f */
    oct_mem y;         /* [steps][direction][batch][hidden]; batch first: [batch][steps][direction][hidden] */
    oct_mem y_h, y_c;  /* states after, like h and c */
} oct_recurrence_request;

/* Errors: UNSUPPORTED (a variant that there is not). */
octet_status oct_recurrence(oct_recipe *r, const oct_caps *caps, const oct_recurrence_request *q);
extern const oct_family oct_recurrence_families[]; /* by oct_cell: "steps", "whole" */

#endif
