/* The reader of tensor files, ONNX's .pb. */
#include "fuzz.h"

#include <octet/octet.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[64];
    octet_tensor t = {0};
    if (octet_tensor_read_pb(fuzz_file("tensor.pb", data, size), &t, name, sizeof name) == OCTET_OK) {
        FUZZ_MUST(octet_tensor_bytes(&t) == t.data_bytes);
        FUZZ_MUST(memchr(name, '\0', sizeof name) != NULL);
    }
    octet_tensor_free(&t);
    return 0;
}
