#include "batch.h"
#include "op_facts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What one session does of a batch. */
typedef struct part {
    octet_session *session;
    int64_t first, rows;
    octet_tensor *inputs, *outputs;
    pthread_t thread;
    bool started; /* the thread */
    octet_status status;
    char text[OCT_ERROR_TEXT_BYTES]; /* of a failure: error texts belong to threads */
} part;

typedef struct batch {
    const oct_graph *graph;
    size_t input_count, output_count;
    int64_t rows;
    part *parts; /* those with rows */
    size_t part_count;
    octet_tensor *tensors; /* of all parts */
} batch;

/* ---- threads ------------------------------------------------------------------------------------------- */

static void note(part *p, octet_status status)
{
    p->status = status;
    if (status != OCTET_OK)
        strcpy(p->text, oct_error_text());
}

static void *plan(void *argument)
{
    part *p = argument;
    note(p, oct_session_prepare(p->session, p->inputs));
    return NULL;
}

static void *run(void *argument)
{
    part *p = argument;
    note(p, oct_session_run(p->session, p->inputs, p->outputs));
    return NULL;
}

/* Do it for all parts at the same time, the first on this thread. */
static octet_status each(batch *b, void *(*work)(void *))
{
    for (size_t i = 1; i < b->part_count; i++)
        b->parts[i].started = pthread_create(&b->parts[i].thread, NULL, work, &b->parts[i]) == 0;
    for (size_t i = 0; i < b->part_count; i++) {
        if (!b->parts[i].started)
            work(&b->parts[i]);
    }
    for (size_t i = 1; i < b->part_count; i++) {
        if (b->parts[i].started)
            pthread_join(b->parts[i].thread, NULL);
    }
    for (size_t i = 0; i < b->part_count; i++) {
        const part *p = &b->parts[i];
        RETURN_IF(p->status != OCTET_OK, p->status, "rows %lld to %lld, on '%s': %s", (long long)p->first,
                  (long long)(p->first + p->rows - 1),
                  oct_device_caps(oct_session_model(p->session)->device)->info.name, p->text);
    }
    return OCTET_OK;
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

static const oct_value *input_of(const oct_graph *g, size_t i)
{
    return &g->values[g->inputs[i]];
}

static bool same_interface(const oct_graph *a, const oct_graph *b)
{
    bool same = a->input_count == b->input_count && a->output_count == b->output_count;
    for (int i = 0; same && i < a->input_count; i++)
        same = strcmp(input_of(a, (size_t)i)->name, input_of(b, (size_t)i)->name) == 0;
    for (int i = 0; same && i < a->output_count; i++)
        same = strcmp(a->values[a->outputs[i]].name, b->values[b->outputs[i]].name) == 0;
    return same;
}

static octet_status check_networks(octet_session *const *sessions, size_t count)
{
    const oct_graph *first = oct_session_model(sessions[0])->graph;
    for (size_t i = 1; i < count; i++)
        RETURN_IF(!same_interface(first, oct_session_model(sessions[i])->graph), OCTET_INVALID_ARGUMENT,
                  "octet_sessions_run: session %zu is of another network", i);
    return OCTET_OK;
}

/* Scales that are computed from a whole tensor would be those of a part. */
static octet_status check_nodes(const oct_view *v)
{
    for (int i = 0; i < v->shown_count; i++) {
        const oct_node *n = &v->graph.nodes[v->shown[i]];
        RETURN_IF(oct_op_facts(n->op)->mixes_rows, OCTET_UNSUPPORTED,
                  "node '%s' (%s) takes its scale from the whole batch: a part of it would give other bytes; "
                  "run it on one device",
                  n->name, n->op_type);
    }
    return OCTET_OK;
}

static bool is_split(const oct_graph *g, size_t i, const octet_tensor *t)
{
    const oct_value *v = input_of(g, i);
    return t->rank > 0 && (v->rank < 0 || (v->rank > 0 && v->dims[0] < 0));
}

/* The rows of the batch: those of every input that is split. */
static octet_status count_rows(batch *b, const octet_tensor *inputs)
{
    b->rows = -1;
    for (size_t i = 0; i < b->input_count; i++) {
        const octet_tensor *t = &inputs[i];
        if (!is_split(b->graph, i, t))
            continue;
        RETURN_IF(b->rows >= 0 && t->dims[0] != b->rows, OCTET_INVALID_ARGUMENT,
                  "input '%s' has %lld rows and one before it %lld: batches must agree to be split",
                  input_of(b->graph, i)->name, (long long)t->dims[0], (long long)b->rows);
        b->rows = t->dims[0];
    }
    RETURN_IF(b->rows < 0, OCTET_INVALID_ARGUMENT,
              "the first dimension of every input is fixed by the model: there is no batch to split");
    return OCTET_OK;
}

/* Who makes which rows. */
static octet_status divide(batch *b, octet_session *const *sessions, size_t count, const double *shares)
{
    double sum = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        const double share = shares[i];
        RETURN_IF(!(share >= 0 && share <= 1e30), OCTET_INVALID_ARGUMENT,
                  "octet_sessions_run: shares[%zu] is %g; shares are 0 or more", i, share);
        sum += share;
    }
    RETURN_IF(sum <= 0, OCTET_INVALID_ARGUMENT, "octet_sessions_run: all shares are 0");
    int64_t first = 0;
    for (size_t i = 0; i < count; i++) {
        before += shares[i];
        int64_t end = i + 1 == count ? b->rows : (int64_t)((double)b->rows * (before / sum) + 0.5);
        end = end < first ? first : end > b->rows ? b->rows : end;
        if (end > first || (b->rows == 0 && i == 0))
            b->parts[b->part_count++] = (part){.session = sessions[i], .first = first, .rows = end - first};
        first = end;
    }
    return OCTET_OK;
}

/* Rows [first, first + rows) of a tensor. */
static octet_tensor rows_of(const octet_tensor *t, int64_t first, int64_t rows)
{
    octet_tensor out = *t;
    size_t row = t->dims[0] ? octet_tensor_bytes(t) / (size_t)t->dims[0] : 0;
    out.dims[0] = rows;
    out.data = t->data ? (char *)t->data + (size_t)first * row : NULL;
    out.data_bytes = (size_t)rows * row;
    return out;
}

static octet_status split_inputs(batch *b, const octet_tensor *inputs)
{
    size_t each_part = b->input_count + b->output_count;
    for (size_t i = 0; i < b->input_count; i++)
        RETURN_IF(is_split(b->graph, i, &inputs[i]) && inputs[i].data_bytes < octet_tensor_bytes(&inputs[i]),
                  OCTET_INVALID_ARGUMENT, "input '%s': its data has %zu bytes; the shape needs %zu",
                  input_of(b->graph, i)->name, inputs[i].data_bytes, octet_tensor_bytes(&inputs[i]));
    b->tensors = calloc(b->part_count * each_part + 1, sizeof *b->tensors);
    RETURN_IF(!b->tensors, OCTET_OUT_OF_MEMORY, "out of host memory for the parts of a batch");
    for (size_t p = 0; p < b->part_count; p++) {
        part *at = &b->parts[p];
        at->inputs = b->tensors + p * each_part;
        at->outputs = at->inputs + b->input_count;
        for (size_t i = 0; i < b->input_count; i++)
            at->inputs[i] =
                is_split(b->graph, i, &inputs[i]) ? rows_of(&inputs[i], at->first, at->rows) : inputs[i];
    }
    return OCTET_OK;
}

/* Output i as a whole, from what the parts will make of it. */
static octet_status whole_output(const batch *b, size_t i, octet_tensor *t)
{
    const char *name = b->graph->values[b->graph->outputs[i]].name;
    oct_plan_port whole = oct_session_plan(b->parts[0].session)->outputs[i];
    for (size_t p = 0; p < b->part_count; p++) {
        oct_shape shape = oct_session_plan(b->parts[p].session)->outputs[i].shape;
        bool follows = shape.rank > 0 && shape.dims[0] == b->parts[p].rows;
        shape.dims[0] = whole.shape.dims[0];
        RETURN_IF(!follows || !oct_shape_equal(shape.rank, shape.dims, &whole.shape), OCTET_UNSUPPORTED,
                  "output '%s' does not have a row for each row of the batch: it cannot be put together from "
                  "parts; run it on one device",
                  name);
    }
    whole.bytes = whole.shape.dims[0] ? whole.bytes / (size_t)whole.shape.dims[0] * (size_t)b->rows : 0;
    whole.shape.dims[0] = b->rows;
    return oct_port_prepare(&whole, name, t);
}

static octet_status run_parts(batch *b, octet_tensor *outputs)
{
    FORWARD(each(b, plan));
    for (size_t i = 0; i < b->output_count; i++) {
        FORWARD(whole_output(b, i, &outputs[i]));
        for (size_t p = 0; p < b->part_count; p++)
            b->parts[p].outputs[i] = rows_of(&outputs[i], b->parts[p].first, b->parts[p].rows);
    }
    return each(b, run);
}

static octet_status run_batch(batch *b, octet_session *const *sessions, size_t session_count,
                              const double *shares, const octet_tensor *inputs, octet_tensor *outputs)
{
    FORWARD(count_rows(b, inputs));
    FORWARD(divide(b, sessions, session_count, shares));
    FORWARD(split_inputs(b, inputs));
    bool *own = calloc(b->output_count + 1, sizeof *own);
    RETURN_IF(!own, OCTET_OUT_OF_MEMORY, "out of host memory for the parts of a batch");
    for (size_t i = 0; i < b->output_count; i++)
        own[i] = !outputs[i].data;
    octet_status status = run_parts(b, outputs);
    for (size_t i = 0; status != OCTET_OK && i < b->output_count; i++) {
        if (own[i])
            octet_tensor_free(&outputs[i]);
    }
    free(own);
    return status;
}

static octet_status run_once(octet_session *const *sessions, size_t count, const double *shares,
                             const octet_tensor *inputs, octet_tensor *outputs)
{
    const oct_graph *g = oct_session_model(sessions[0])->graph;
    batch b = {.graph = g, .input_count = (size_t)g->input_count, .output_count = (size_t)g->output_count};
    b.parts = calloc(count, sizeof *b.parts);
    RETURN_IF(!b.parts, OCTET_OUT_OF_MEMORY, "out of host memory for %zu parts of a batch", count);
    octet_status status = run_batch(&b, sessions, count, shares, inputs, outputs);
    free(b.tensors);
    free(b.parts);
    return status;
}

/* ---- lost devices -------------------------------------------------------------------------------------- */

/* Take their shares from the sessions whose devices are lost, where others may have them. Is there any that
 * was not known before, and a session left? */
static bool leave_out(octet_session *const *sessions, size_t count, double *shares)
{
    bool found = false, left = false;
    for (size_t i = 0; i < count; i++) {
        if (shares[i] > 0 && oct_session_is_left_out(sessions[i])) {
            shares[i] = 0;
            found = true;
        }
        left |= shares[i] > 0;
    }
    return found && left;
}

octet_status oct_batch_run(octet_session *const *sessions, size_t count, const double *shares,
                           const octet_tensor *inputs, octet_tensor *outputs)
{
    FORWARD(check_networks(sessions, count));
    FORWARD(check_nodes(&oct_session_model(sessions[0])->view));
    double *left = malloc(count * sizeof *left);
    RETURN_IF(!left, OCTET_OUT_OF_MEMORY, "out of host memory for %zu parts of a batch", count);
    for (size_t i = 0; i < count; i++)
        left[i] = shares ? shares[i] : 1.0;
    octet_status status;
    do {
        status = run_once(sessions, count, left, inputs, outputs);
    } while (status == OCTET_DEVICE_LOST && leave_out(sessions, count, left));
    free(left);
    return status;
}
