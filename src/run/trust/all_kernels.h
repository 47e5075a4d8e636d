/* Every program that needs proof on a device, tried now: for who wants to know before anything runs. */
#ifndef OCT_ALL_KERNELS_H
#define OCT_ALL_KERNELS_H

#include "device.h"

/* Called for each program, once; another status than OCTET_OK ends it. */
typedef octet_status oct_told_fn(void *user, const char *variant, const char *program, oct_verdict verdict);

/* The products of the types that networks have, by every variant of this device that needs proof. Errors:
 * that of `told`, OUT_OF_MEMORY, DEVICE_ERROR. */
octet_status oct_try_all_kernels(oct_device *device, oct_told_fn *told, void *user);

#endif
