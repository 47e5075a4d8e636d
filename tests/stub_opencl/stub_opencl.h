/* A stub of libOpenCL, linked into a program before the loader: devices of several kinds that hold memory and
 * copy it, and whose kernels do nothing. For what has to run whole where no driver may or can: the memory
 * sanitizer, which wants every instruction that touches memory compiled with it, and fuzzing of all that
 * happens before a kernel does. What is no stub: the rules. Handles are counted, ranges are checked, and
 * under the memory sanitizer everything that a driver would be given must have been written before. */
#ifndef STUB_OPENCL_H
#define STUB_OPENCL_H

#include <stddef.h>

/* Devices that there are, all on one platform each; octet_context_desc.device takes "0" to COUNT - 1. */
#define STUB_OPENCL_DEVICES 4

/* Objects that have been created and not released. */
long stub_opencl_live(void);

#endif
