/* What the entry points of api/ share. The objects are thin: state and arithmetic live in the layers below.
 */
#ifndef OCT_API_H
#define OCT_API_H

#include "device.h"
#include "dtype.h"
#include "error.h"
#include "recipe.h"

struct octet_context {
    oct_device *device; /* counted by the device: models, sessions and gemms hold their own reference */
};

/* Copy a caller's descriptor of an older or newer library version: what it does not have is zero. NULL desc:
 * all zero. Errors: INVALID_ARGUMENT (struct_size not set). */
octet_status oct_api_take_desc(void *mine, size_t mine_size, const void *theirs, const char *type_name);
/* Fill a caller's struct of struct_size bytes from ours. */
octet_status oct_api_give_info(void *theirs, const void *mine, size_t mine_size, const char *type_name);

/* The recipe of this product, for tuning; B is not read, so it must not be run. Errors: those of
 * octet_gemm_create. */
octet_status oct_api_gemm_recipe(oct_device *device, const octet_gemm_desc *desc, oct_recipe *recipe);

#define TAKE_DESC(mine, theirs, type) oct_api_take_desc(&(mine), sizeof(mine), (theirs), #type)
#define GIVE_INFO(theirs, mine, type) oct_api_give_info((theirs), &(mine), sizeof(mine), #type)
#define CHECK_ARG(arg)                RETURN_IF(!(arg), OCTET_INVALID_ARGUMENT, "%s: argument '%s' is NULL", __func__, #arg)

#endif
