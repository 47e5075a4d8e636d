#include "prepared.h"
#include "prepare.h"
#include "smooth.h"
#include "taps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

octet_status oct_prepared_make(const oct_quantize_settings *asked, const oct_graph *file,
                               const octet_tensor *sample, oct_prepared *p)
{
    *p = (oct_prepared){.asked = asked};
    FORWARD(oct_graph_clone(file, &p->graph));
    octet_status status = oct_prepare(&p->graph, sample, &p->opset);
    if (status == OCTET_OK && asked->desc.equalize)
        status = oct_equalize(&p->graph);
    if (status == OCTET_OK)
        status = oct_prepared_finish(p, sample);
    if (status != OCTET_OK)
        oct_prepared_free(p);
    return status;
}

octet_status oct_prepared_copy(const oct_prepared *from, oct_prepared *p)
{
    *p = (oct_prepared){.asked = from->asked, .opset = from->opset, .smoothed = from->smoothed};
    FORWARD(oct_graph_clone(&from->graph, &p->graph));
    p->graph.branches = from->graph.branches;
    return OCTET_OK;
}

octet_status oct_prepared_finish(oct_prepared *p, const octet_tensor *sample)
{
    FORWARD(oct_graph_sort(&p->graph));
    return oct_shaped_copy(&p->graph, sample, &p->shaped);
}

void oct_prepared_free(oct_prepared *p)
{
    oct_graph_free(&p->graph);
    oct_graph_free(&p->shaped);
    memset(p, 0, sizeof *p);
}

/* ---- channels scaled ----------------------------------------------------------------------------------- */

static octet_status raise_peaks(void *user, int index, const octet_tensor *t)
{
    const oct_smooth_site *s = &((oct_smooth_site *)user)[index];
    const float *x = t->data;
    for (size_t i = 0; i < octet_tensor_bytes(t) / sizeof *x; i++)
        s->peaks[i % (size_t)s->channels] = fmaxf(s->peaks[i % (size_t)s->channels], fabsf(x[i]));
    return OCTET_OK;
}

static octet_status find_peaks(const oct_prepared *p, const oct_samples *samples, oct_smooth_site *sites,
                               int count)
{
    oct_taps *taps = NULL;
    int *values = calloc((size_t)count, sizeof *values);
    if (!values)
        return oct_out_of_memory("quantization");
    for (int i = 0; i < count; i++)
        values[i] = sites[i].value;
    octet_status status =
        oct_taps_make(&p->graph, p->asked->device, p->asked->desc.memory_limit, values, count, &taps);
    for (size_t i = 0; status == OCTET_OK && i < samples->count; i++) {
        oct_quantize_progress(p->asked, "smooth", i, samples->count);
        status = oct_taps_run(taps, samples->inputs[i], raise_peaks, sites);
    }
    oct_taps_destroy(taps);
    free(values);
    return status;
}

octet_status oct_prepared_smooth(const oct_prepared *from, const oct_samples *samples, oct_prepared *p)
{
    oct_smooth_site *sites = NULL;
    int count = 0;
    *p = (oct_prepared){0};
    octet_status status = oct_smooth_find(&from->graph, &from->shaped, &sites, &count);
    if (status == OCTET_OK && count)
        status = find_peaks(from, samples, sites, count);
    if (status == OCTET_OK && count)
        status = oct_prepared_copy(from, p);
    for (int i = 0; status == OCTET_OK && i < count; i++)
        status = oct_smooth_apply(&p->graph, &from->shaped, &sites[i], from->asked->desc.smooth);
    p->smoothed = (size_t)count;
    oct_smooth_free(sites, count);
    if (status == OCTET_OK && count)
        status = oct_prepared_finish(p, samples->inputs[0]);
    if (status != OCTET_OK)
        oct_prepared_free(p);
    return status;
}
