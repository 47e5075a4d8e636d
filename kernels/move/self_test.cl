/* c[i] = a[i] + b[i] on bytes: what the executor's own tests run. */
#include "common.clh"

__kernel void add_bytes(MEM(a), MEM(b), MEM(c))
{
    const size_t i = get_global_id(0);
    AT(uchar, c)[i] = (uchar)(AT(uchar, a)[i] + AT(uchar, b)[i]);
}
