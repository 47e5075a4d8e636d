#include "peak.h"
#include "bench/peak_args.clh"
#include "tile.h"

#include <stdio.h>

/* Work-items enough for every scheduler of a GPU, few rounds; on a CPU one a core and many. */
#define CPU_ROUNDS 4000000
#define GPU_ROUNDS 20000
#define GPU_ITEMS  2048 /* a compute unit */
#define GPU_GROUP  256

octet_status oct_peak(oct_recipe *r, const oct_caps *caps, double *operations)
{
    bool x86 = caps->x86_avx512_vnni || caps->x86_avx2;
    RETURN_IF(!x86 && !caps->prefers_tiles, OCTET_UNSUPPORTED,
              "'%s' has no int8 dot path that Octet can measure a ceiling of", caps->info.name);
    size_t units = caps->info.compute_units ? caps->info.compute_units : 1;
    size_t items = x86 ? units : units * GPU_ITEMS, group = x86 ? 1 : GPU_GROUP;
    group = group > caps->max_group && caps->max_group ? 1 : group;
    int products = caps->x86_avx512_vnni ? 64 : caps->x86_avx2 ? 16 : 4; /* of one instruction */
    char path[64];
    if (x86)
        snprintf(path, sizeof path, "-D%s", caps->x86_avx512_vnni ? "VNNI512" : "AVX2");
    else
        oct_tile_device_options(&(oct_tile){.bm = 1, .bn = 64}, caps, path);
    oct_mem out = oct_recipe_output(r, items * (x86 ? 64 : 4));
    oct_launch *l = oct_recipe_launch(r, "bench/peak.cl", "peak", "%s", path);
    int rounds = x86 ? CPU_ROUNDS : GPU_ROUNDS;
    OCT_ARGS(l, peak, .sums = oct_whole(out), .rounds = rounds);
    oct_launch_1d(l, items, group);
    *operations = 2.0 * products * PEAK_CHAINS * (double)rounds * (double)items;
    return r->status;
}
