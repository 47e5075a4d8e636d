/* octet_context_ceiling: what the device's 8-bit dot product can do at most. */
#include "api.h"

octet_status octet_context_ceiling(octet_context *context, double *gops)
{
    CHECK_ARG(context);
    CHECK_ARG(gops);
    *gops = 0;
    return oct_fail(OCTET_UNSUPPORTED, "octet_context_ceiling: the peak of this device is not known");
}
