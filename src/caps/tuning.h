/* What `octet tune` has found for a device: for a problem, named by a text, the kernel variant that was
 * fastest and how its work is spread. The operators (ops/) make the names and give the choices their meaning;
 * a choice that does not fit is passed over, so a wrong row costs time, never a result.
 *
 * Rows for whole kinds of devices come with the library (kernels/tuning.txt) and count where the user's file
 * (device/tuning_file.h) has none. */
#ifndef OCT_TUNING_H
#define OCT_TUNING_H

#include "error.h"
#include <octet/octet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCT_TUNING_KEY 160 /* characters of a problem's name, the end included */

typedef struct oct_tuning_row {
    char key[OCT_TUNING_KEY]; /* "gemm 1x4096x4096 batch 1": printable, no line ends */
    char variant[64];
    int64_t spread; /* 0: what the variant does by itself */
} oct_tuning_row;

typedef struct oct_tuning {
    oct_tuning_row *rows;
    size_t count;
} oct_tuning; /* {0} is empty */

/* NULL: no row; tuning may be NULL. */
const oct_tuning_row *oct_tuning_find(const oct_tuning *tuning, const char *key);
/* Set a row; an older one of the same key goes. Errors: OUT_OF_MEMORY. */
octet_status oct_tuning_set(oct_tuning *tuning, const oct_tuning_row *row);
void oct_tuning_free(oct_tuning *tuning);

/* Text to rows and back; head: what the file must begin with. Errors:
 * CORRUPT_FILE, the line named. */
octet_status oct_tuning_parse(const char *text, const char *head, oct_tuning *tuning);
/* The rows of a text like kernels/tuning.txt that are for this device and whose problems `tuning` does not
 * know are added to it; of several the first. Errors: CORRUPT_FILE, the line named, and tuning is as it was;
 * OUT_OF_MEMORY. */
octet_status oct_tuning_ship(const char *text, const octet_device_info *device, oct_tuning *tuning);

#endif
