#include "quant_samples.h"

#include <stdlib.h>
#include <string.h>

octet_status oct_tensor_copy(const octet_tensor *from, octet_tensor *to)
{
    *to = *from;
    to->data = NULL;
    to->data_bytes = 0;
    FORWARD(octet_tensor_alloc(to));
    if (octet_tensor_bytes(from))
        memcpy(to->data, from->data, octet_tensor_bytes(from));
    return OCTET_OK;
}

void oct_tensors_free(octet_tensor *tensors, int count)
{
    for (int i = 0; tensors && i < count; i++)
        octet_tensor_free(&tensors[i]);
    free(tensors);
}

octet_status oct_samples_add(oct_samples *s, const octet_tensor *inputs, int input_count)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        octet_tensor **grown = realloc(s->inputs, capacity * sizeof *grown);
        if (!grown)
            return oct_out_of_memory("quantization");
        s->inputs = grown;
        s->capacity = capacity;
    }
    s->input_count = input_count;
    octet_tensor *copy = calloc((size_t)input_count + 1, sizeof *copy);
    octet_status status = copy ? OCTET_OK : oct_out_of_memory("quantization");
    for (int i = 0; status == OCTET_OK && i < input_count; i++)
        status = oct_tensor_copy(&inputs[i], &copy[i]);
    if (status == OCTET_OK)
        s->inputs[s->count++] = copy;
    else
        oct_tensors_free(copy, input_count);
    return status;
}

void oct_samples_drop_last(oct_samples *s)
{
    oct_tensors_free(s->inputs[--s->count], s->input_count);
}

void oct_samples_free(oct_samples *s)
{
    while (s->count)
        oct_samples_drop_last(s);
    free(s->inputs);
    *s = (oct_samples){0};
}

size_t oct_samples_used(const oct_samples *s, size_t most)
{
    return s->count < most ? s->count : most;
}

size_t oct_samples_spread(const oct_samples *s, size_t i, size_t used)
{
    return i * s->count / used;
}
