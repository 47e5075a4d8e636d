/* The measured ceiling of 8-bit multiply-adds: a kernel of nothing but them. */
#ifndef OCT_PEAK_H
#define OCT_PEAK_H

#include "caps.h"
#include "recipe.h"

/* Append the kernel; *operations is what one run of it does (a multiply-add is two). Errors: UNSUPPORTED (the
 * device has no dot path of which Octet knows a ceiling). */
octet_status oct_peak(oct_recipe *r, const oct_caps *caps, double *operations);

#endif
