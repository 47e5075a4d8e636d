#include "variant.h"
#include "distrust.h"

#include <string.h>

void oct_spreads_add(oct_spreads *s, int64_t own, int64_t wanted)
{
    bool larger = s->count == 0 || wanted > s->at[s->count - 1];
    if (s->count < OCT_SPREADS && wanted > 0 && wanted != own && larger)
        s->at[s->count++] = wanted;
}

bool oct_suits_gpu(const oct_caps *caps, const void *request)
{
    (void)request;
    return caps->prefers_tiles;
}

bool oct_variant_runs_on(const oct_variant *v, const oct_caps *caps)
{
    bool has;
    memcpy(&has, (const char *)caps + v->capability, sizeof has);
    return has && !oct_is_distrusted(caps->distrust, v->name) && (!v->kind->fits || v->kind->fits(v, caps));
}

bool oct_variant_needs_proof(const oct_variant *v, const oct_caps *caps)
{
    bool portable = v->capability == offsetof(oct_caps, any_device),
         library = v->capability == offsetof(oct_caps, clblast);
    return portable ? v->form == OCT_DOT4 && caps->dot4 != OCT_DOT4_NONE : !library;
}

static bool can_serve(const oct_variant *v, const oct_caps *caps, const void *request)
{
    return oct_variant_runs_on(v, caps) && (!v->kind->applies || v->kind->applies(request));
}

static bool may_serve(const oct_variant *v, const oct_caps *caps, const void *request)
{
    return can_serve(v, caps, request) && (!v->kind->suits || v->kind->suits(caps, request));
}

const oct_variant *oct_variant_at(const oct_family *f, const oct_caps *caps, size_t index)
{
    for (size_t i = 0; i < f->count; i++) {
        if (oct_variant_runs_on(&f->rows[i], caps) && index-- == 0)
            return &f->rows[i];
    }
    return NULL;
}

const oct_variant *oct_variant_find(const oct_family *f, const oct_caps *caps, const void *request,
                                    const char *name)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(name, f->rows[i].name) == 0)
            return can_serve(&f->rows[i], caps, request) ? &f->rows[i] : NULL;
    }
    return NULL;
}

const oct_variant *oct_variant_candidate(const oct_family *f, const oct_caps *caps, const void *request,
                                         size_t index)
{
    for (size_t i = 0; i < f->count; i++) {
        if (may_serve(&f->rows[i], caps, request) && index-- == 0)
            return &f->rows[i];
    }
    return NULL;
}

static double cost(const oct_variant *v, const oct_caps *caps, const void *request)
{
    return v->kind->cost ? v->kind->cost(v, caps, request) : 0.0;
}

static const oct_variant *cheapest(const oct_family *f, const oct_caps *caps, const void *request)
{
    const oct_variant *best = NULL, *v;
    for (size_t i = 0; (v = oct_variant_candidate(f, caps, request, i)); i++) {
        bool alike = best && v->capability == best->capability && v->kind == best->kind;
        if (!best || (alike && cost(v, caps, request) < cost(best, caps, request)))
            best = v;
    }
    return best;
}

/* What tuning found for a request, where that can serve it. */
static const oct_variant *tuned(const oct_family *f, const oct_caps *caps, const void *request,
                                int64_t *spread)
{
    char key[OCT_TUNING_KEY];
    if (!f->key || !caps->tuning)
        return NULL;
    f->key(request, key);
    const oct_tuning_row *row = oct_tuning_find(caps->tuning, key);
    const oct_variant *v = row ? oct_variant_find(f, caps, request, row->variant) : NULL;
    *spread = v ? row->spread : 0;
    return v;
}

const oct_variant *oct_variant_select(const oct_family *f, const oct_caps *caps, const void *request,
                                      int64_t *spread)
{
    const oct_forced *force = request;
    int64_t ignored;
    spread = spread ? spread : &ignored;
    *spread = force->spread;
    if (force->variant)
        return oct_variant_find(f, caps, request, force->variant);
    *spread = 0;
    const oct_variant *v = tuned(f, caps, request, spread);
    return v ? v : cheapest(f, caps, request);
}

const char *oct_variant_reason(const oct_family *f, const oct_caps *caps, const void *request)
{
    int64_t spread;
    if (((const oct_forced *)request)->variant)
        return "forced";
    return tuned(f, caps, request, &spread) ? "tuned" : "the cheapest of its kind";
}

octet_status oct_variant_choose(const oct_family *f, const oct_caps *caps, const void *request,
                                const oct_variant **v, int64_t *spread)
{
    const oct_forced *force = request;
    *v = oct_variant_select(f, caps, request, spread);
    RETURN_IF(!*v && force->variant && oct_is_distrusted(caps->distrust, force->variant), OCTET_UNSUPPORTED,
              "%s variant '%s' is not used here: its results on this device and driver are not exact",
              f->name, force->variant);
    RETURN_IF(!*v, OCTET_UNSUPPORTED, "%s variant '%s' is unknown or does not fit this device or request",
              f->name, force->variant ? force->variant : "");
    return OCTET_OK;
}

oct_spreads oct_variant_spreads(const oct_variant *v, const oct_caps *caps, const void *request)
{
    return v->kind->spreads ? v->kind->spreads(v, caps, request) : (oct_spreads){.count = 0};
}

void oct_variant_options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS])
{
    text[0] = '\0';
    if (v->kind->options)
        v->kind->options(v, request, text);
}
