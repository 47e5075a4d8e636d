/* PNG and JPEG pictures, and the way from pixels to a network's input. */
#include "fuzz.h"
#include "picture.h"

static void fill(const picture *image, octet_dtype dtype)
{
    octet_tensor t = {.dtype = dtype, .rank = 4, .dims = {2, image->channels, 5, 7}};
    if (octet_tensor_alloc(&t) == OCTET_OK)
        picture_fill(image, &t);
    octet_tensor_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[PICTURE_ERROR_BYTES];
    const char *path = fuzz_file("picture", data, size);
    for (int channels = 1; channels <= 3; channels += 2) {
        picture image;
        if (picture_decode(path, channels, &image, error) != 0) {
            FUZZ_MUST(!image.pixels && *error);
            continue;
        }
        FUZZ_MUST(image.width > 0 && image.height > 0 && image.channels == channels);
        fill(&image, channels == 1 ? OCTET_F32 : OCTET_U8);
        picture_free(&image);
    }
    return 0;
}
