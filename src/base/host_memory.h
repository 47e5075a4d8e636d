/* How much of the host's memory may be taken for what a file or a caller asks for. */
#ifndef OCT_HOST_MEMORY_H
#define OCT_HOST_MEMORY_H

#include <stdint.h>

/* Bytes that the process can have: the machine's memory, or what its control group leaves it; UINT64_MAX
 * where that is not known. */
uint64_t oct_host_memory(void);
/* What samples may take where nobody says: a quarter of that. */
uint64_t oct_sample_memory(void);

#endif
