/* First stage: the float network that is quantized, made of the file's (prepare.h) and then, where that is
 * asked for, of the one before it: with channels scaled (smooth.h), with products in two (wide_product.h). */
#ifndef OCT_PREPARED_H
#define OCT_PREPARED_H

#include "quant_samples.h"
#include "settings.h"
#include "wide_product.h"

/* Shares names, attributes and weights with what it was made of, which must outlive it. */
typedef struct oct_prepared {
    const oct_quantize_settings *asked;
    oct_graph graph;  /* float, sorted; dimensions as open as the file's */
    oct_graph shaped; /* a copy with the shapes of the first sample, inferred */
    int opset;
    size_t smoothed;              /* normalizations whose channels are scaled */
    const oct_wide_product *wide; /* [wide_count], in the graph's arena: products in two */
    size_t wide_count;
} oct_prepared;

octet_status oct_prepared_make(const oct_quantize_settings *asked, const oct_graph *file,
                               const octet_tensor *sample, oct_prepared *p);
/* A copy to change the graph of, then to be finished. */
octet_status oct_prepared_copy(const oct_prepared *from, oct_prepared *p);
octet_status oct_prepared_finish(oct_prepared *p, const octet_tensor *sample);
/* SmoothQuant on all samples, as strong as asked. p->smoothed 0: there is nothing to scale, and nothing was
 * made. */
octet_status oct_prepared_smooth(const oct_prepared *from, const oct_samples *samples, oct_prepared *p);
void oct_prepared_free(oct_prepared *p);

#endif
