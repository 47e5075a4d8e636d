/* Is a kernel the one that its launch was made for? */
#ifndef OCT_CHECK_ARGS_H
#define OCT_CHECK_ARGS_H

#include "device.h"
#include "recipe.h"

/* The number of its arguments and, where the driver tells, their types, against what the launch gives.
 * Errors: INTERNAL (names kernel and argument), DEVICE_ERROR. */
octet_status oct_check_args(oct_device *device, cl_kernel kernel, const oct_launch *l);

#endif
