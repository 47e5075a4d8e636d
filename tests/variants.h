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
 * engine. So many of the table need AVX-512 VNNI, whatever is here, and are to be run where that is. */
static inline size_t rows_to_run(const oct_family *f, const oct_caps *caps, size_t vnni)
{
    size_t count = 0, with_vnni = 0;
    for (size_t i = 0; i < f->count; i++) {
        const oct_variant *v = &f->rows[i];
        bool has = *(const bool *)((const char *)caps + v->capability);
        with_vnni += v->capability == offsetof(oct_caps, x86_avx512_vnni);
        count += has && (!v->kind->fits || v->kind->fits(v, caps));
    }
    assert_int_equal(with_vnni, vnni);
    for (size_t i = 0; i < f->count && caps->x86_avx512_vnni; i++)
        assert_true(f->rows[i].capability != offsetof(oct_caps, x86_avx512_vnni) ||
                    oct_variant_runs_on(&f->rows[i], caps));
    return count;
}

#endif
