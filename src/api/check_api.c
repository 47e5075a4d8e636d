/* Kernels beside the reference, for callers. */
#include "all_kernels.h"
#include "api.h"

#include <octet/experimental.h>

typedef struct teller {
    octet_check_fn *told;
    void *user;
} teller;

static octet_status tell(void *user, const char *variant, const char *program, oct_verdict verdict)
{
    const teller *t = user;
    octet_kernel_check mine;
    OCTET_INIT(mine);
    mine.variant = variant;
    mine.program = program;
    mine.exact = verdict == OCT_EXACT;
    RETURN_IF(t->told(t->user, &mine), OCTET_INVALID_ARGUMENT, "the check was ended by its caller");
    return OCTET_OK;
}

octet_status octet_context_check(octet_context *context, octet_check_fn *told, void *user)
{
    CHECK_ARG(context);
    CHECK_ARG(told);
    teller t = {told, user};
    return oct_try_all_kernels(context->device, tell, &t);
}
