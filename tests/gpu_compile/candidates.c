/* candidates VENDOR: the tiles that a GPU of this vendor may be given, a name a line, for run, which compiles
 * them. Limits besides registers are those of the compilers' own targets. */
#include "conv.h"
#include "device.h"
#include "gemm.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    oct_caps caps = {.any_device = true, .prefers_tiles = true, .max_group = 512};
    oct_gemm_request gemm = {.m = 64, .n = 64, .k = 64, .batch = 1};
    oct_conv_request conv = {.n = 1, .h = 8, .w = 8, .c = 64, .oh = 8, .ow = 8, .co = 64};
    const char *name;
    if (argc != 2) {
        fprintf(stderr, "usage: candidates VENDOR\n");
        return 2;
    }
    conv.kh = conv.kw = conv.stride_h = conv.stride_w = conv.dilation_h = conv.dilation_w = conv.group = 1;
    caps.item_words = oct_item_words(argv[1]);
    caps.info.local_bytes = 64 << 10;
    caps.info.compute_units = 32;
    for (size_t i = 0; (name = oct_gemm_candidate(&caps, &gemm, i)); i++)
        puts(name);
    for (size_t i = 0; (name = oct_conv_candidate(&caps, &conv, i)); i++)
        puts(name);
    return 0;
}
