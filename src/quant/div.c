/* The host's model of kernels/div.clh: division rounded to nearest from fma alone. The device's own quotient
 * of 1 / b, good to 2.5 ulp, is the seed; seeds within that error all give the same result (test_quant_long).
 */
#include "quant.h"
#include <math.h>

float oct_div_rn(float a, float b)
{
    return a / b;
}
