/* A driver is not believed. What a recipe asks of it beyond OpenCL C, instructions of a processor by name, is
 * tried the first time: a small case of each such program, made like the product in the recipe, runs beside
 * the reference. The verdict is kept with the cached programs (device/verdicts.c). A variant that is not
 * exact, or that the driver cannot build, is not chosen again. */
#ifndef OCT_TRUST_H
#define OCT_TRUST_H

#include "device.h"
#include "recipe.h"

/* Try what is not known yet. *changed: some of what the recipe uses is not to be used: select again. Errors:
 * OUT_OF_MEMORY, DEVICE_ERROR (more variants than can be remembered are wrong). */
octet_status oct_trust(oct_device *device, const oct_recipe *recipe, bool *changed);

/* What oct_device_verdict and oct_device_judge know a launch's program by, "FILE OPTIONS". */
#define OCT_PROGRAM_CHARS 640
void oct_program_name_of(const oct_launch *launch, char name[OCT_PROGRAM_CHARS]);

#endif
