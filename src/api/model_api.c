/* octet_model: a mapped ONNX file and what can be asked of it. */
#include "model_api.h"
#include "fixed_api.h"
#include "lower.h"
#include "op_facts.h"
#include "passes.h"
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void oct_model_retain(octet_model *model)
{
    atomic_fetch_add(&model->references, 1);
}

void octet_model_destroy(octet_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) != 1)
        return;
    oct_graph_free(&model->sized);
    free(model->shown);
    oct_onnx_free(model->file);
    oct_device_release(model->device);
    free(model);
}

static void dims_text(char *text, size_t size, const int64_t *dims, int rank)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < rank && at < size; i++) {
        char one[24] = "?";
        if (dims[i] >= 0)
            snprintf(one, sizeof one, "%lld", (long long)dims[i]);
        int n = snprintf(text + at, size - at, "%s%s", i ? "x" : "", one);
        at += n > 0 ? (size_t)n : 0;
    }
}

octet_status oct_model_check_shape(const octet_model *m, int i, int rank, const int64_t *dims)
{
    const oct_value *want = &m->graph->values[m->graph->inputs[i]];
    RETURN_IF(rank < 0 || rank > OCTET_MAX_RANK, OCTET_INVALID_ARGUMENT,
              "input '%s': rank %d is out of range", want->name, rank);
    bool fits = want->rank < 0 || rank == want->rank;
    for (int d = 0; fits && d < rank; d++)
        fits = dims[d] >= 0 && (want->rank < 0 || want->dims[d] < 0 || want->dims[d] == dims[d]);
    if (fits)
        return OCTET_OK;
    char expected[256], given[256];
    dims_text(expected, sizeof expected, want->dims, want->rank < 0 ? 0 : want->rank);
    dims_text(given, sizeof given, dims, rank);
    return oct_fail(OCTET_INVALID_ARGUMENT, "input '%s': its shape is [%s]; the model wants [%s]", want->name,
                    given, expected);
}

static bool has_dynamic_input(const oct_graph *g)
{
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *v = &g->values[g->inputs[i]];
        for (int d = 0; d < v->rank; d++) {
            if (v->dims[d] < 0)
                return true;
        }
    }
    return false;
}

/* Inspection shows a node that cannot run with the reason for it. */
static octet_status keep_refusal(octet_model *m, octet_status status)
{
    oct_node *n = &m->sized.nodes[m->sized.failed_node];
    if (status != OCTET_UNSUPPORTED || m->device)
        return status;
    if (!n->refusal)
        n->refusal = oct_arena_strdup(&m->sized.arena, oct_error_text());
    oct_error_clear();
    return n->refusal ? OCTET_OK : oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a model");
}

/* Infer shapes now, so that a network that cannot work is refused at load. shapes: NULL, or dims of every
 * input; else dynamic dimensions are 1, and as that guess may be what does not fit, a failure with it only
 * means that inspect knows less. */
static octet_status size_up(octet_model *m, const octet_value_info *shapes)
{
    bool guessed = !shapes && has_dynamic_input(m->graph);
    FORWARD(oct_graph_clone(m->graph, &m->sized));
    for (int i = 0; i < m->sized.input_count; i++) {
        oct_value *v = &m->sized.values[m->sized.inputs[i]];
        if (shapes) {
            v->rank = shapes[i].rank;
            memcpy(v->dims, shapes[i].dims, sizeof v->dims);
        }
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    octet_status status = oct_graph_infer(&m->sized);
    if (status == OCTET_OK) {
        m->is_sized = true;
        return oct_graph_rewrite(&m->sized);
    }
    status = keep_refusal(m, status);
    if (!guessed || status == OCTET_OUT_OF_MEMORY)
        return status;
    oct_error_clear();
    return OCTET_OK;
}

/* What depends on constants only is not part of a run. */
static octet_status choose_shown(octet_model *m)
{
    const oct_graph *g = &m->sized;
    bool *runs = calloc((size_t)g->value_count + 1, sizeof *runs);
    m->shown = calloc((size_t)g->node_count + 1, sizeof *m->shown);
    if (!runs || !m->shown) {
        free(runs);
        return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    }
    for (int i = 0; i < g->input_count; i++)
        runs[g->inputs[i]] = true;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        bool in_run = n->refusal != NULL;
        for (int j = 0; j < n->input_count; j++)
            in_run = in_run || (n->inputs[j] != OCT_NO_VALUE && runs[n->inputs[j]]);
        for (int j = 0; in_run && j < n->output_count; j++) {
            if (n->outputs[j] != OCT_NO_VALUE)
                runs[n->outputs[j]] = true;
        }
        if (in_run)
            m->shown[m->shown_count++] = i;
    }
    free(runs);
    return OCTET_OK;
}

static octet_status load(octet_model *m, const char *path, const octet_model_desc *d)
{
    FORWARD(oct_onnx_load(path, !m->device, &m->file));
    FORWARD(oct_api_fix_inputs(m->file, d->fixed, d->fixed_count, NULL));
    m->graph = oct_onnx_graph(m->file);
    FORWARD(size_up(m, NULL));
    return choose_shown(m);
}

octet_status octet_model_load(octet_context *context, const char *path, octet_model **model)
{
    return octet_model_load_with(context, path, NULL, model);
}

octet_status octet_model_load_with(octet_context *context, const char *path, const octet_model_desc *desc,
                                   octet_model **model)
{
    CHECK_ARG(model);
    *model = NULL;
    CHECK_ARG(path);
    octet_model_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_model_desc));
    octet_model *m = calloc(1, sizeof *m);
    RETURN_IF(!m, OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    atomic_init(&m->references, 1);
    if (context) {
        m->device = context->device;
        oct_device_retain(m->device);
    }
    octet_status status = load(m, path, &d);
    if (status != OCTET_OK) {
        octet_model_destroy(m);
        return oct_fail_prefix(status, "%s", path);
    }
    *model = m;
    return OCTET_OK;
}

size_t octet_model_input_count(const octet_model *model)
{
    return model ? (size_t)model->graph->input_count : 0;
}

size_t octet_model_output_count(const octet_model *model)
{
    return model ? (size_t)model->graph->output_count : 0;
}

static octet_status give_value(const oct_value *v, const oct_value *sized, octet_value_info *info)
{
    octet_value_info mine;
    OCTET_INIT(mine);
    mine.name = v->name;
    mine.dtype = v->dtype ? v->dtype : sized->dtype;
    mine.rank = v->rank >= 0 ? v->rank : sized->rank >= 0 ? sized->rank : 0;
    memcpy(mine.dims, v->rank >= 0 ? v->dims : sized->dims, sizeof mine.dims);
    return GIVE_INFO(info, mine, octet_value_info);
}

octet_status octet_model_input(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->input_count, OCTET_INVALID_ARGUMENT,
              "octet_model_input: index %zu; the model has %d inputs", index, m->graph->input_count);
    int v = m->graph->inputs[index];
    return give_value(&m->graph->values[v], &m->sized.values[v], info);
}

octet_status octet_model_output(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->output_count, OCTET_INVALID_ARGUMENT,
              "octet_model_output: index %zu; the model has %d outputs", index, m->graph->output_count);
    int v = m->graph->outputs[index];
    return give_value(&m->graph->values[v], &m->sized.values[v], info);
}

size_t octet_model_node_count(const octet_model *m)
{
    return m ? (size_t)m->shown_count : 0;
}

octet_status octet_model_node(const octet_model *m, size_t index, octet_node_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->shown_count, OCTET_INVALID_ARGUMENT,
              "octet_model_node: index %zu; the model has %d nodes", index, m->shown_count);
    const oct_graph *g = &m->sized;
    const oct_node *n = &g->nodes[m->shown[index]];
    octet_node_info mine;
    OCTET_INIT(mine);
    mine.name = n->name;
    mine.op_type = n->op_type;
    mine.domain = n->domain;
    mine.reason = n->refusal ? n->refusal : "";
    mine.path = n->refusal ? OCTET_NODE_REFUSED : oct_node_path(g, n);
    mine.macs = m->is_sized ? oct_node_macs(g, n) : -1;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            mine.weight_bytes += g->values[n->inputs[i]].data ? g->values[n->inputs[i]].data_bytes : 0;
    }
    return GIVE_INFO(info, mine, octet_node_info);
}

octet_status octet_model_assume_shapes(octet_model *model, const octet_value_info *inputs, size_t input_count)
{
    CHECK_ARG(model);
    RETURN_IF(input_count != (size_t)model->graph->input_count || (!inputs && input_count),
              OCTET_INVALID_ARGUMENT, "octet_model_assume_shapes: %zu input shapes given; the model has %d",
              inputs ? input_count : 0, model->graph->input_count);
    for (int i = 0; i < model->graph->input_count; i++)
        FORWARD(oct_model_check_shape(model, i, inputs[i].rank, inputs[i].dims));
    octet_model other = {.device = model->device, .file = model->file, .graph = model->graph};
    octet_status status = size_up(&other, inputs);
    if (status == OCTET_OK)
        status = choose_shown(&other);
    octet_model *unused = status == OCTET_OK ? model : &other;
    oct_graph sized = unused->sized;
    int *shown = unused->shown;
    if (status == OCTET_OK) {
        model->sized = other.sized;
        model->is_sized = other.is_sized;
        model->shown = other.shown;
        model->shown_count = other.shown_count;
    }
    oct_graph_free(&sized);
    free(shown);
    return status;
}

octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    CHECK_ARG(path);
    CHECK_ARG(tensor);
    memset(tensor, 0, sizeof *tensor);
    return oct_onnx_read_tensor(path, tensor, name, name_size);
}
