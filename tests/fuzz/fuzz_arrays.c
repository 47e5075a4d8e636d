/* .npy and .npz files of the command. What is read is written and read again. */
#include "fuzz.h"
#include "npy.h"
#include "save_npy.h"

#include <string.h>

static void write_and_read(const octet_tensor *t)
{
    const char *path = fuzz_path("again.npy");
    octet_tensor again;
    FUZZ_MUST(octet_tensor_bytes(t) == t->data_bytes);
    FUZZ_MUST(save_npy(path, t));
    FUZZ_MUST(npy_read(path, &again) == 0);
    FUZZ_MUST(again.dtype == t->dtype && again.rank == t->rank && again.data_bytes == t->data_bytes);
    FUZZ_MUST(memcmp(again.dims, t->dims, (size_t)t->rank * sizeof *t->dims) == 0);
    FUZZ_MUST(!t->data_bytes || memcmp(again.data, t->data, t->data_bytes) == 0);
    octet_tensor_free(&again);
}

static int take(void *user, const char *name, octet_tensor *tensor)
{
    size_t *arrays = user;
    FUZZ_MUST(strlen(name) < 256);
    octet_tensor_free(tensor);
    return ++*arrays > 64; /* a file of many empty arrays is only slow */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    octet_tensor t;
    size_t arrays = 0;
    if (size && data[0] == 'P') {
        (void)npz_read(fuzz_file("file.npz", data, size), take, &arrays);
        return 0;
    }
    if (npy_read(fuzz_file("file.npy", data, size), &t) == 0)
        write_and_read(&t);
    octet_tensor_free(&t);
    return 0;
}
