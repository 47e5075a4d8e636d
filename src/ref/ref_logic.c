/* Comparisons and logic. */
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
