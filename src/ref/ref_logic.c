/* Comparisons, logic, and the choice between quantized tensors. */
#include "ref.h"

#include <string.h>

bool oct_ref_logic(const char *name, double a, double b)
{
    if (strcmp(name, "Equal") == 0)
        return a == b;
    if (strcmp(name, "Less") == 0)
        return a < b;
    if (strcmp(name, "LessOrEqual") == 0)
        return a <= b;
    if (strcmp(name, "Greater") == 0)
        return a > b;
    if (strcmp(name, "GreaterOrEqual") == 0)
        return a >= b;
    if (strcmp(name, "And") == 0)
        return a != 0.0 && b != 0.0;
    return strcmp(name, "Or") == 0 ? a != 0.0 || b != 0.0 : (a != 0.0) != (b != 0.0);
}

void oct_ref_qwhere(const oct_ref_qwhere_params *p, const uint8_t *condition, const void *x, const void *y,
                    int64_t n, void *z)
{
    uint8_t tables[2][256];
    oct_lut_requantize(&(oct_lut_params){p->dtype, p->dtype, p->x_scale, p->z_scale, p->x_zero, p->z_zero},
                       tables[0]);
    oct_lut_requantize(&(oct_lut_params){p->dtype, p->dtype, p->y_scale, p->z_scale, p->y_zero, p->z_zero},
                       tables[1]);
    for (int64_t i = 0; i < n; i++)
        ((uint8_t *)z)[i] =
            condition[i] ? tables[0][((const uint8_t *)x)[i]] : tables[1][((const uint8_t *)y)[i]];
}
