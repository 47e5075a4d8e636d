#include "peak.h"

/* In step with kernels/bench/peak.cl. */
#define CHAINS 16
#define ROUNDS 4000000

octet_status oct_peak(oct_recipe *r, const oct_caps *caps, double *operations)
{
    RETURN_IF(!caps->x86_avx512_vnni && !caps->x86_avx2, OCTET_UNSUPPORTED,
              "'%s' has no int8 dot path that Octet can measure a ceiling of", caps->info.name);
    size_t items = caps->info.compute_units ? caps->info.compute_units : 1;
    int products = caps->x86_avx512_vnni ? 64 : 16; /* of one instruction */
    oct_mem out = oct_recipe_output(r, items * 64);
    oct_launch *l =
        oct_recipe_launch(r, "bench/peak.cl", "peak", "-D%s", caps->x86_avx512_vnni ? "VNNI512" : "AVX2");
    oct_launch_out(l, out);
    oct_launch_i32(l, ROUNDS);
    oct_launch_1d(l, items, 1);
    *operations = 2.0 * products * CHAINS * (double)ROUNDS * (double)items;
    return r->status;
}
