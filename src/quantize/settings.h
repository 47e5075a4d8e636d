/* What a quantization is asked for: copied when the quantizer is made, and the same until it goes. */
#ifndef OCT_QUANTIZE_SETTINGS_H
#define OCT_QUANTIZE_SETTINGS_H

#include "arena.h"
#include "device.h"
#include "insert.h"

#include <octet/quantize.h>

typedef struct oct_quantize_settings {
    oct_device *device;        /* a reference of its own */
    octet_quantize_desc desc;  /* its lists of names are copies, in `names`; without fixed inputs */
    oct_insert_options insert; /* what every network is quantized with, but for what a search leaves out */
    oct_arena names;
} oct_quantize_settings;

/* desc: checked. Close what is half open too. */
octet_status oct_quantize_settings_open(oct_device *device, const octet_quantize_desc *desc,
                                        oct_quantize_settings *settings);
void oct_quantize_settings_close(oct_quantize_settings *settings);

/* Tell whoever asked for it how far a step is. */
void oct_quantize_progress(const oct_quantize_settings *settings, const char *step, size_t done,
                           size_t total);

#endif
