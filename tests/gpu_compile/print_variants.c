/* The rows of the tables, for those that compile them without a device: run and banks.py here,
 * asm_compile/run.
 *
 *   print_variants                     what GPUs run, a line each: NAME FEATURES ITEMS FILE OPTION...
 *   print_variants --for VENDOR        names of the tiles that a GPU of this vendor may be given
 *   print_variants --x86               what x86 CPUs run: FAMILY FILE OPTION...
 *
 * FEATURES: `dot` when it multiplies on the dot product path, `product` when the options of one are to be
 * added, `coalesced` when vectors of 16 bytes are expected, `-` for none. ITEMS: work-items of a work-group.
 * FAMILY: those that take the same options, gemm, conv, rows (convolutions whose window is an option) or
 * avx2. */
#include "conv.h"
#include "device.h"
#include "gemm.h"
#include "tile.h"
#include "work_items.h"

#include <stdio.h>
#include <string.h>

/* Limits besides registers are those of the compilers' own targets. */
static oct_caps gpu(const char *vendor)
{
    oct_caps caps = {.any_device = true, .prefers_tiles = true, .max_group = 512};
    caps.item_words = oct_item_words(vendor);
    caps.info.local_bytes = 64 << 10;
    caps.info.compute_units = 32;
    return caps;
}

static const oct_gemm_request gemm = {.m = 64, .n = 64, .k = 64, .batch = 1};
static const oct_conv_request conv = {.g = {1, 8, 8, 64, 8, 8, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0}};
static const oct_conv_request depthwise = {.g = {1, 8, 8, 64, 8, 8, 64, 3, 3, 64, 1, 1, 1, 1, 1, 1}};

/* What a row is tried with. */
static const void *request_for(const oct_family *f, const oct_variant *v)
{
    return f == &oct_gemm_family ? (const void *)&gemm : v->kind->depthwise ? &depthwise : &conv;
}

/* Those that only GPUs take. */
static void print_rows(const oct_family *f, const oct_caps *caps)
{
    const oct_variant *v;
    for (size_t i = 0; (v = oct_variant_at(f, caps, i)); i++) {
        const void *request = request_for(f, v);
        char options[OCT_VARIANT_OPTIONS];
        if (!v->kind->suits || !v->kind->suits(caps, request))
            continue;
        size_t items = v->tile.bm ? oct_tile_items(&v->tile) : OCT_GROUP_ITEMS;
        oct_variant_options(v, request, options);
        printf("%s %s %zu %s %s\n", v->name, v->form == OCT_DOT4 ? "dot,product" : "product", items, v->file,
               options);
    }
}

/* Kernels of independent elements by each coalesced row. Vectors of 4 where a side is float. */
static void print_lanes(void)
{
    static const struct {
        const char *name, *file, *options;
        bool is_float;
    } kernels[] = {{"quantize", "quantize/quantize.cl", " -DGROUP=128", true},
                   {"qbinary", "pointwise/qbinary.cl", "", false},
                   {"table", "pointwise/table_coalesced.cl", "", false},
                   {"pool", "pool/pool.cl", " -DGROUP_CHANNELS=16 -DGROUP_PIXELS=8", false}};
    const oct_lanes *v;
    for (size_t i = 0; (v = oct_lanes_variant(i)); i++) {
        for (size_t k = 0; k < sizeof kernels / sizeof kernels[0] && v->coalesced; k++) {
            bool whole = v->lanes * (kernels[k].is_float ? 4 : 1) == 16;
            if (!kernels[k].is_float || v->lanes == 4)
                printf("%s_%s %s %d %s%s%s\n", kernels[k].name, v->name, whole ? "coalesced" : "-",
                       OCT_GROUP_ITEMS, kernels[k].file, oct_lanes_options(v), kernels[k].options);
        }
    }
}

static void print_x86_row(const oct_family *f, const oct_variant *v)
{
    static const oct_conv_request windows[] = {{.g = {1, 8, 8, 64, 8, 8, 64, 3, 3, 64, 1, 1, 1, 1, 1, 1}},
                                               {.g = {1, 8, 8, 64, 4, 4, 64, 3, 3, 64, 2, 2, 1, 1, 1, 1}},
                                               {.g = {1, 8, 8, 64, 8, 8, 64, 5, 5, 64, 1, 1, 1, 1, 2, 2}},
                                               {.g = {1, 8, 8, 64, 8, 8, 64, 1, 7, 64, 1, 1, 1, 1, 0, 3}},
                                               {.g = {1, 8, 8, 64, 4, 7, 64, 4, 2, 64, 2, 1, 1, 1, 1, 0}}};
    const bool in_rows = v->kind->row_taps;
    const char *family = v->form != OCT_U8S8     ? "avx2"
                         : in_rows               ? "rows"
                         : f == &oct_gemm_family ? "gemm"
                                                 : "conv";
    for (size_t i = 0; i < (in_rows ? sizeof windows / sizeof windows[0] : 1); i++) {
        char options[OCT_VARIANT_OPTIONS];
        oct_variant_options(v, in_rows ? (const void *)&windows[i] : request_for(f, v), options);
        printf("%s %s %s\n", family, v->file, options);
    }
}

static void print_x86(void)
{
    const oct_caps caps = {.x86_avx2 = true, .x86_avx512_vnni = true, .x86_avx512_vbmi = true};
    const oct_family *const families[] = {&oct_gemm_family, &oct_conv_family};
    const oct_variant *v;
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; (v = oct_variant_at(families[f], &caps, i)); i++)
            print_x86_row(families[f], v);
}

static void print_names(const oct_family *f, const void *request, const oct_caps *caps)
{
    const oct_variant *v;
    for (size_t i = 0; (v = oct_variant_candidate(f, caps, request, i)); i++)
        puts(v->name);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--for") == 0) {
        oct_caps caps = gpu(argv[2]);
        print_names(&oct_gemm_family, &gemm, &caps);
        print_names(&oct_conv_family, &conv, &caps);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--x86") == 0) {
        print_x86();
        return 0;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: print_variants [--for VENDOR | --x86]\n");
        return 2;
    }
    oct_caps caps = gpu("");
    caps.item_words = 1 << 10; /* all of them */
    print_rows(&oct_gemm_family, &caps);
    print_rows(&oct_conv_family, &caps);
    print_lanes();
    return 0;
}
