#include "weights.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

static bool is_none(const oct_identity *id)
{
    return !id->hash[0];
}

static void mix(oct_identity *id, const void *data, size_t bytes)
{
    id->hash[0] = oct_hash(id->hash[0], data, bytes);
    id->hash[1] = oct_hash(id->hash[1] * 31 + 7, data, bytes);
}

static void mix_text(oct_identity *id, const char *text)
{
    mix(id, text, strlen(text) + 1);
}

/* Constants that do not outlive the recipe are known by their bytes, mapped ones by where they lie in the
 * file. */
static oct_identity constant_identity(const oct_mem_info *m)
{
    oct_identity id = {{OCT_HASH_START, 1}};
    mix(&id, &m->bytes, sizeof m->bytes);
    mix(&id, &m->row_bytes, sizeof m->row_bytes);
    mix(&id, &m->row_stride, sizeof m->row_stride);
    if (!m->by_content) {
        mix(&id, &m->host, sizeof m->host);
        return id;
    }
    size_t row = m->row_bytes ? m->row_bytes : m->bytes;
    for (size_t at = 0, i = 0; at < m->bytes; at += row, i++)
        mix(&id, (const char *)m->host + i * m->row_stride, row);
    return id;
}

/* Field by field: a struct may have padding. */
static void mix_product(oct_identity *id, const oct_sgemm *p)
{
    const size_t sizes[] = {p->m,   p->n,   p->k,        p->batch,    p->lda,
                            p->ldb, p->ldc, p->a_stride, p->b_stride, p->c_stride};
    const float factors[] = {p->alpha, p->beta};
    mix(id, sizes, sizeof sizes);
    mix(id, factors, sizeof factors);
}

/* What a launch does, from everything that it is given. False: some input has no identity. */
static bool launch_identity(const oct_launch *l, const oct_identity *mems, oct_identity *out)
{
    *out = (oct_identity){{OCT_HASH_START, 2}};
    mix_text(out, l->file);
    mix_text(out, l->entry);
    mix_text(out, l->options);
    mix(out, l->global, sizeof l->global);
    if (l->product)
        mix_product(out, l->product);
    if (l->record)
        mix(out, l->numbers, l->record->numbers_bytes);
    for (int i = 0; i < l->arg_count; i++) {
        const oct_arg *a = &l->args[i];
        mix(out, &a->kind, sizeof a->kind);
        mix(out, &a->offset, sizeof a->offset);
        if (a->kind == OCT_ARG_IN && a->mem != OCT_MEM_NONE) {
            if (is_none(&mems[a->mem]))
                return false;
            mix(out, &mems[a->mem], sizeof mems[a->mem]);
        }
    }
    return true;
}

/* What several launches write, each its part, is known by all of them in their order. */
void oct_identify(const oct_recipe *r, const oct_phase *phases, oct_identity *out)
{
    const oct_identity unknown = {{0, 1}}; /* written, by something that has no identity */
    for (int m = 0; m < r->mem_count; m++)
        out[m] = r->mems[m].kind == OCT_MEM_CONST ? constant_identity(&r->mems[m]) : (oct_identity){{0, 0}};
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        oct_identity id;
        bool known = (phases[i] & OCT_IN_LOAD) && launch_identity(l, out, &id);
        for (int a = 0; a < l->arg_count; a++) {
            if (!oct_arg_names_memory(&l->args[a]) || l->args[a].kind == OCT_ARG_IN)
                continue;
            oct_identity *target = &out[l->args[a].mem];
            oct_identity before = *target;
            bool written = before.hash[1] != 0;
            *target = unknown;
            if (!known || (written && is_none(&before)))
                continue;
            *target = id;
            mix(target, &a, sizeof a);
            if (written)
                mix(target, &before, sizeof before);
        }
    }
}

const oct_resident *oct_weights_find(const oct_weights *w, const oct_identity *id)
{
    for (int i = 0; !is_none(id) && i < w->count; i++) {
        if (memcmp(w->entries[i].identity, id->hash, sizeof id->hash) == 0)
            return &w->entries[i];
    }
    return NULL;
}

octet_status oct_weights_add(oct_weights *w, const oct_identity *id, void *buffer, size_t offset)
{
    if (is_none(id) || oct_weights_find(w, id))
        return OCTET_OK;
    void *entries = w->entries;
    bool ok = oct_grow(&entries, w->count, &w->capacity, sizeof *w->entries);
    w->entries = entries;
    RETURN_IF(!ok, OCTET_OUT_OF_MEMORY, "out of host memory for resident weights");
    oct_resident *e = &w->entries[w->count++];
    memcpy(e->identity, id->hash, sizeof e->identity);
    e->buffer = buffer;
    e->offset = offset;
    return OCTET_OK;
}

void oct_weights_free(oct_weights *w)
{
    free(w->entries);
    memset(w, 0, sizeof *w);
}
