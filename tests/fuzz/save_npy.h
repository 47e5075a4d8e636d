/* A tensor written as the command writes one. */
#ifndef SAVE_NPY_H
#define SAVE_NPY_H

#include "npy.h"

static inline bool save_npy(const char *path, const octet_tensor *t)
{
    oct_out_file out;
    size_t failed;
    if (oct_out_open(path, &out))
        return false;
    npy_write(&out, t);
    return !oct_out_finish(&out) && !oct_out_commit(&out, 1, &failed);
}

#endif
