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

/* With what is noted of each. */
static uint64_t bytes_of(const octet_tensor *inputs, int count)
{
    uint64_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += octet_tensor_bytes(&inputs[i]) + sizeof *inputs;
    return bytes;
}

octet_status oct_samples_add(oct_samples *s, const octet_tensor *inputs, int input_count, uint64_t limit)
{
    uint64_t bytes = bytes_of(inputs, input_count);
    RETURN_IF(bytes > limit || s->bytes > limit - bytes, OCTET_OUT_OF_MEMORY,
              "sample %zu: with it samples take %llu bytes of host memory; the limit is %llu: give fewer, or "
              "raise it (memory_limit, --memory-limit)",
              s->count + 1, (unsigned long long)(s->bytes + bytes), (unsigned long long)limit);
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
    if (status != OCTET_OK) {
        oct_tensors_free(copy, input_count);
        return status;
    }
    s->inputs[s->count++] = copy;
    s->bytes += bytes;
    return OCTET_OK;
}

void oct_samples_drop_last(oct_samples *s)
{
    s->bytes -= bytes_of(s->inputs[--s->count], s->input_count);
    oct_tensors_free(s->inputs[s->count], s->input_count);
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
