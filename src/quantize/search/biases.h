/* Biases corrected by what the quantized network does: the mean of each channel of a product's result against
 * the float one, over samples. */
#ifndef OCT_BIASES_H
#define OCT_BIASES_H

#include "search.h"

/* The last step of a search: its shifts, and a better best where they make one. */
octet_status oct_correct_biases(oct_search *s);
void oct_shifts_free(double **shifts, int node_count);

#endif
