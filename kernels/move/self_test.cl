/* c[i] = a[i] + b[i] on bytes: what the executor's own tests run. */
#include "move/move_args.clh"

static inline void add_bytes_body(const add_bytes_args a, const long i)
{
    if (i < a.n)
        AT(uchar, a.c)[i] = (uchar)(AT(uchar, a.a)[i] + AT(uchar, a.b)[i]);
}
KERNEL_1D(add_bytes, add_bytes, ADD_BYTES_ARGS)
