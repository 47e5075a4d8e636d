/* Linked with --wrap into programs that run on the stub: kernels of the stub have no arguments to compare a
 * launch with, and CLBlast would want a driver. */
#include "check_args.h"

octet_status __wrap_oct_check_args(cl_kernel kernel, const oct_launch *l);
bool __wrap_oct_blas_built(void);

octet_status __wrap_oct_check_args(cl_kernel kernel, const oct_launch *l)
{
    (void)kernel, (void)l;
    return OCTET_OK;
}

bool __wrap_oct_blas_built(void)
{
    return false;
}
