/* What the entry points of api/ share. The objects are thin: state and arithmetic live in the layers below.
 */
#ifndef OCT_API_H
#define OCT_API_H

#include "device.h"
#include "dtype.h"
#include "error.h"
#include "graph.h"
#include "recipe.h"

struct octet_context {
    oct_device *device; /* counted by the device: models, sessions and gemms hold their own reference */
};

/* Copy a caller's descriptor of an older or newer library version: what it does not have is zero. NULL desc:
 * all zero. Errors: INVALID_ARGUMENT (struct_size not set). */
octet_status oct_api_take_desc(void *mine, size_t mine_size, const void *theirs, const char *type_name);
/* Fill a caller's struct of struct_size bytes from ours. */
octet_status oct_api_give_info(void *theirs, const void *mine, size_t mine_size, const char *type_name);

/* Replace a product's defaults by what they stand for, then check everything. */
octet_status oct_api_check_gemm(octet_gemm_desc *desc);
/* Copy and check a session's desc (NULL: all zero); caller: the public function. */
octet_status oct_api_take_session_desc(octet_session_desc *d, const octet_session_desc *desc,
                                       const octet_model *model, const char *caller);

/* An input or output of the file, as far as that tells it, else of a view. */
octet_status oct_api_give_value(const oct_value *v, const oct_value *viewed, octet_value_info *info);

#define TAKE_DESC(mine, theirs, type) oct_api_take_desc(&(mine), sizeof(mine), (theirs), #type)
#define GIVE_INFO(theirs, mine, type) oct_api_give_info((theirs), &(mine), sizeof(mine), #type)
#define CHECK_ARG(arg)                RETURN_IF(!(arg), OCTET_INVALID_ARGUMENT, "%s: argument '%s' is NULL", __func__, #arg)

#endif
