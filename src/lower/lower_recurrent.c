/* Lowering of recurrent operators. */
#include "lower.h"
#include "recurrence.h"
#include "recurrent.h"

static oct_mem output_mem(const lowering *l, const oct_node *n, int i)
{
    bool wanted =
        i < n->output_count && n->outputs[i] != OCT_NO_VALUE && oct_lower_is_read(l->g, n->outputs[i]);
    return wanted ? oct_lower_output(l, n, i).mem : OCT_MEM_NONE;
}

octet_status oct_lower_recurrent(lowering *l, const oct_node *n)
{
    oct_recurrent a;
    FORWARD(oct_recurrent_resolve(l->g, n, &a));
    oct_recurrence_request q = {.cell = n->op == OCT_OP_GRU ? OCT_CELL_GRU : OCT_CELL_LSTM,
                                .steps = a.steps,
                                .batch = a.batch,
                                .inputs = a.inputs,
                                .hidden = a.hidden,
                                .directions = a.directions,
                                .reverse = a.reverse,
                                .batch_first = a.batch_first,
                                .input_forget = a.input_forget,
                                .linear_before_reset = a.linear_before_reset,
                                .clip = a.clip,
                                .x = oct_lower_input(l, n, 0).mem,
                                .w = oct_lower_input(l, n, 1),
                                .r = oct_lower_input(l, n, 2),
                                .bias = oct_lower_input(l, n, 3).mem,
                                .lengths = oct_lower_input(l, n, 4).mem,
                                .h = oct_lower_input(l, n, 5).mem,
                                .c = oct_lower_input(l, n, 6).mem,
                                .peepholes = oct_lower_input(l, n, 7).mem,
                                .y = output_mem(l, n, 0),
                                .y_h = output_mem(l, n, 1),
                                .y_c = output_mem(l, n, 2)};
    oct_check check;
    q.lengths_check = oct_lower_check(l, n, 4, 0, a.steps, &check);
    for (int d = 0; d < a.directions; d++) {
        for (int f = 0; f < a.function_count; f++)
            q.functions[d][f] =
                (oct_gate_function){a.functions[d][f].name, a.functions[d][f].alpha, a.functions[d][f].beta};
    }
    return oct_recurrence(l->r, l->caps, &q);
}

int64_t oct_macs_recurrent(const oct_graph *g, const oct_node *n)
{
    oct_recurrent r;
    if (oct_recurrent_resolve(g, n, &r) == OCTET_OK)
        return r.steps * r.batch * r.directions * r.gates * r.hidden * (r.inputs + r.hidden);
    oct_error_clear();
    return -1;
}
