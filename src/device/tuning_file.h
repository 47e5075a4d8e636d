/* Tuning rows (caps/tuning.h) in a text file of the user's cache folder, one for each device, driver, dot
 * product path and version of Octet. They are read when the device is opened and stay as they are while it is
 * open. */
#ifndef OCT_TUNING_FILE_H
#define OCT_TUNING_FILE_H

#include "device.h"
#include "tuning.h"

/* The file as it is now. */
octet_status oct_tuning_read(oct_device *device, oct_tuning *tuning);
/* Put these rows into the file, beside those of other problems. What another process writes at the same
 * moment may be lost; the file is whole either way. Errors: INVALID_ARGUMENT (no cache folder),
 * OUT_OF_MEMORY, CORRUPT_FILE (it cannot be written). */
octet_status oct_tuning_store(oct_device *device, const oct_tuning *rows);
/* Forget all rows of the device. Errors: as above. */
octet_status oct_tuning_forget(oct_device *device);
/* Where the file is, "" where there is no cache folder. Cut to size. */
void oct_tuning_path(const oct_device *device, char *path, size_t size);

#endif
