#include "sizes.h"

bool oct_shape_elems(const int64_t *dims, int rank, int64_t *elems)
{
    int64_t count = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return false;
        if (dims[i] == 0) {
            zero = true;
            continue;
        }
        if (count > OCT_MAX_ELEMS / dims[i])
            return false;
        count *= dims[i];
    }
    *elems = zero ? 0 : count;
    return true;
}
