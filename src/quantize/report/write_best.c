#include "write_best.h"
#include "onnx_write.h"
#include "passes.h"
#include "prepare.h"

#include <string.h>

static void take_shape(oct_graph *to, int v, const oct_graph *from)
{
    to->values[v].dtype = from->values[v].dtype;
    to->values[v].rank = from->values[v].rank;
    memcpy(to->values[v].dims, from->values[v].dims, sizeof to->values[v].dims);
}

/* g, a copy of qdq, in integer operators. They are found with the shapes of a sample, which the inputs do not
 * keep. */
static octet_status to_qoperator(oct_graph *g, const oct_graph *qdq, const octet_tensor *sample)
{
    oct_graph shaped;
    FORWARD(oct_shaped_copy(qdq, sample, &shaped));
    for (int v = 0; v < qdq->value_count; v++)
        take_shape(g, v, &shaped);
    octet_status status = oct_graph_to_qoperator(g);
    for (int i = 0; i < g->input_count; i++)
        take_shape(g, g->inputs[i], qdq);
    oct_graph_free(&shaped);
    return status;
}

/* The outputs of the file keep the shapes that the float file gave them; types are known by now. */
static void set_output_types(oct_graph *g, const oct_prepared *net)
{
    for (int i = 0; i < g->output_count; i++) {
        const oct_value *was = &net->graph.values[net->graph.outputs[i]];
        const oct_value *known = &net->shaped.values[net->graph.outputs[i]];
        oct_value *v = &g->values[g->outputs[i]];
        v->dtype = known->dtype;
        v->rank = was->rank < 0 ? known->rank : was->rank;
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = was->rank < 0 ? -1 : was->dims[d];
    }
}

octet_status oct_write_best(const oct_search *s, const char *path)
{
    const oct_prepared *net = s->seen->net;
    oct_graph g;
    FORWARD(oct_graph_clone(&s->best.graph, &g));
    octet_status status = OCTET_OK;
    if (net->asked->desc.format == OCTET_FORMAT_QOPERATOR)
        status = to_qoperator(&g, &s->best.graph, s->seen->samples->inputs[0]);
    set_output_types(&g, net);
    if (status == OCTET_OK)
        status = oct_onnx_write(&g, net->opset, path);
    oct_graph_free(&g);
    return status;
}
