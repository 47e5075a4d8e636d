/* The reader of ONNX files, external data ("weights.bin" beside the model) included, and shape inference. A
 * network that is taken and can be written is read again. */
#include "fuzz.h"
#include "onnx.h"
#include "onnx_write.h"

static const char *as_model(const uint8_t *data, size_t size)
{
    static unsigned char weights[4096];
    if (!weights[1]) {
        for (size_t i = 0; i < sizeof weights; i++)
            weights[i] = (unsigned char)(i * 37);
        fuzz_file("weights.bin", weights, sizeof weights);
    }
    return fuzz_file("model.onnx", data, size);
}

static void infer(const oct_graph *graph)
{
    oct_graph g;
    if (oct_graph_clone(graph, &g) != OCTET_OK)
        return;
    for (int i = 0; i < g.input_count; i++) {
        oct_value *v = &g.values[g.inputs[i]];
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    (void)oct_graph_infer(&g);
    oct_graph_free(&g);
}

static void write_and_read(const oct_graph *graph)
{
    const char *path = fuzz_path("written.onnx");
    oct_onnx_model *again = NULL;
    if (oct_onnx_write(graph, 13, path) != OCTET_OK)
        return;
    octet_status status = oct_onnx_load(path, false, &again);
    FUZZ_MUST(status == OCTET_OK || status == OCTET_OUT_OF_MEMORY || status == OCTET_UNSUPPORTED);
    if (status == OCTET_OK) {
        FUZZ_MUST(oct_onnx_graph(again)->node_count == graph->node_count);
        FUZZ_MUST(oct_onnx_graph(again)->input_count == graph->input_count);
        FUZZ_MUST(oct_onnx_graph(again)->output_count == graph->output_count);
    }
    oct_onnx_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = as_model(data, size);
    oct_onnx_model *m = NULL;
    octet_status seen = oct_onnx_load(path, true, &m);
    if (seen == OCTET_OK)
        infer(oct_onnx_graph(m));
    oct_onnx_free(m);
    m = NULL;
    octet_status status = seen == OCTET_OK ? oct_onnx_load(path, false, &m) : seen;
    if (status == OCTET_OK)
        write_and_read(oct_onnx_graph(m));
    oct_onnx_free(m);
    return 0;
}
