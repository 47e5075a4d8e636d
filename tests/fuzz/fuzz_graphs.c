/* Valid networks of int8 operators (made_graph.h), written, loaded and run on the device: every output must
 * be, byte for byte, what src/ref gives operator by operator. The bytes of the fuzzer decide what the network
 * is. */
#include "fuzz.h"
#include "made_graph.h"
#include "onnx_write.h"

#include <octet/octet.h>
#include <string.h>

static octet_context *open_context(void)
{
    static octet_context *context;
    octet_context_desc desc;
    OCTET_INIT(desc);
    if (!context && octet_context_create(&desc, &context) != OCTET_OK) {
        dprintf(fuzz_report, "no device: %s\n", octet_last_error());
        exit(1);
    }
    return context;
}

static octet_tensor as_tensor(const made_tensor *t)
{
    octet_tensor o = {.dtype = t->dtype, .rank = t->rank, .data = t->data};
    memcpy(o.dims, t->dims, (size_t)t->rank * sizeof *t->dims);
    o.data_bytes = octet_tensor_bytes(&o);
    return o;
}

/* What a reader of the failure needs: operators in their order, and the first byte that is wrong. */
static void tell(const made_graph *m, const made_tensor *want, const octet_tensor *got, const char *how)
{
    size_t i = 0;
    const unsigned char *a = want->data, *b = got->data;
    while (a[i] == b[i])
        i++;
    dprintf(fuzz_report, "%s: output %s: byte %zu of %zu is %d, src/ref has %d; nodes:", how,
            m->graph.values[want->value].name, i, got->data_bytes, b[i], a[i]);
    for (int k = 0; k < m->graph.node_count; k++) {
        const oct_node *n = &m->graph.nodes[k];
        dprintf(fuzz_report, " %s(", n->op_type);
        for (int j = 0; j < n->input_count; j++) {
            const made_tensor *t = n->inputs[j] == OCT_NO_VALUE ? NULL : made_find(m, n->inputs[j]);
            if (t)
                dprintf(fuzz_report, "%s ", m->graph.values[n->inputs[j]].name);
        }
        dprintf(fuzz_report, "-> %s)", m->graph.values[n->outputs[0]].name);
    }
    dprintf(fuzz_report, "\n");
}

static void run(const made_graph *m, octet_model *model, const octet_session_desc *desc, const char *how)
{
    const oct_graph *g = &m->graph;
    octet_tensor in[MADE_TENSORS], out[MADE_TENSORS] = {0};
    octet_session *session = NULL;
    octet_status status = octet_session_create(model, desc, &session);
    for (int i = 0; i < g->input_count; i++)
        in[i] = as_tensor(made_find(m, g->inputs[i]));
    if (status == OCTET_OK)
        status = octet_session_run(session, in, (size_t)g->input_count, out, (size_t)g->output_count);
    bool small = desc->memory_limit && status == OCTET_OUT_OF_MEMORY; /* it needs more than that */
    if (status != OCTET_OK && !small)
        dprintf(fuzz_report, "%s: %s\n", how, octet_last_error());
    FUZZ_MUST(status == OCTET_OK || small);
    for (int i = 0; i < g->output_count && !small; i++) {
        const made_tensor *want = made_find(m, g->outputs[i]);
        octet_tensor expected = as_tensor(want);
        FUZZ_MUST(out[i].dtype == want->dtype && octet_tensor_bytes(&out[i]) == expected.data_bytes);
        bool same = memcmp(out[i].data, want->data, expected.data_bytes) == 0;
        if (!same)
            tell(m, want, &out[i], how);
        FUZZ_MUST(same);
    }
    for (int i = 0; i < g->output_count; i++)
        octet_tensor_free(&out[i]);
    octet_session_destroy(session);
}

static void compare(const made_graph *m, const char *path)
{
    octet_model *model = NULL;
    octet_session_desc desc;
    octet_session_info info;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    if (octet_model_load(open_context(), path, NULL, &model) != OCTET_OK) {
        dprintf(fuzz_report, "%s\n", octet_last_error());
        fuzz_fail(__FILE__, __LINE__, "the network is valid");
    }
    run(m, model, &desc, "as it is");
    FUZZ_MUST(octet_model_plan(model, &desc, &info) == OCTET_OK);
    desc.memory_limit = info.device_bytes - info.device_bytes / 8;
    desc.border = OCTET_BORDER_HOST;
    run(m, model, &desc, "with little memory, conversions on the host");
    octet_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static made_graph m;
    const char *path = fuzz_path("graph.onnx");
    if (made_graph_make(&m, data, size) && m.graph.output_count > 0) {
        FUZZ_MUST(oct_onnx_write(&m.graph, 17, path) == OCTET_OK);
        compare(&m, path);
    }
    made_graph_free(&m);
    return 0;
}
