/* What a device can do at best, measured: 8-bit operations, in 10^9 each second, two for a multiply-add. */
#ifndef OCT_CEILING_H
#define OCT_CEILING_H

#include "device.h"

octet_status oct_ceiling(oct_device *device, double *gops);

#endif
