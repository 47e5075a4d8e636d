/* What tests of products ask of the tables of variants. */
#ifndef OCT_TEST_VARIANTS_H
#define OCT_TEST_VARIANTS_H

#include "check.h"
#include "variant.h"

/* The name of the row that is selected, NULL: none. */
static inline const char *selected(const oct_family *f, const oct_caps *caps, const void *request)
{
    const oct_variant *v = oct_variant_select(f, caps, request, NULL);
    return v ? v->name : NULL;
}

/* How many rows there are to run on this device: those whose capability it has, counted apart from the
 * engine; so many of them need AVX-512 VNNI where that is there. */
static inline size_t rows_to_run(const oct_family *f, const oct_caps *caps, size_t vnni)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        const oct_variant *v = &f->rows[i];
        bool is_vnni = v->capability == offsetof(oct_caps, x86_avx512_vnni);
        bool has = *(const bool *)((const char *)caps + v->capability);
        if (is_vnni && caps->x86_avx512_vnni)
            vnni--;
        count += has && (!v->kind->fits || v->kind->fits(v, caps));
    }
    if (caps->x86_avx512_vnni)
        assert_int_equal(vnni, 0);
    return count;
}

#endif
