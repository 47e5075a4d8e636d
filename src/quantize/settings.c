#include "settings.h"
#include "dtype.h"

static octet_status copy_names(oct_arena *arena, const char *const **names, size_t count)
{
    const char **copies = oct_arena_alloc(arena, count, sizeof *copies);
    bool ok = copies != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = (copies[i] = oct_arena_strdup(arena, (*names)[i])) != NULL;
    *names = copies;
    return ok ? OCTET_OK : oct_out_of_memory("quantization");
}

octet_status oct_quantize_settings_open(oct_device *device, const octet_quantize_desc *desc,
                                        oct_quantize_settings *s)
{
    *s = (oct_quantize_settings){.device = device, .desc = *desc};
    oct_device_retain(device);
    s->insert = (oct_insert_options){.activations = desc->activations,
                                     .wide = oct_dtype_min(desc->activations) < 0 ? OCTET_S16 : OCTET_U16,
                                     .per_tensor = desc->per_tensor,
                                     .symmetric = desc->symmetric,
                                     .reduce_range = desc->reduce_range,
                                     .correct_bias = !desc->no_bias_correction};
    s->desc.fixed = NULL;
    s->desc.fixed_count = 0;
    FORWARD(copy_names(&s->names, &s->desc.exclude, desc->exclude_count));
    return copy_names(&s->names, &s->desc.wide, desc->wide_count);
}

void oct_quantize_settings_close(oct_quantize_settings *s)
{
    oct_arena_free(&s->names);
    oct_device_release(s->device);
}

void oct_quantize_progress(const oct_quantize_settings *s, const char *step, size_t done, size_t total)
{
    if (s->desc.progress)
        s->desc.progress(s->desc.progress_user, step, done, total);
}
