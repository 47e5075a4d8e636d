#include "recipe.h"
#include "sizes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void oct_recipe_init(oct_recipe *r)
{
    memset(r, 0, sizeof *r);
    r->current_node = -1;
    r->slice_bytes = OCT_SLICE_BYTES;
    r->piece_bytes = r->memory_limit = SIZE_MAX;
}

void oct_recipe_free(oct_recipe *r)
{
    oct_arena_free(&r->arena);
    free(r->mems);
    free(r->launches);
    free(r->noted);
    free(r->checks);
    oct_recipe_init(r);
}

static void out_of_memory(oct_recipe *r)
{
    r->status = oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory while planning kernel launches");
}

/* Make room for one more element; false (and a sticky status) when memory is short. */
static bool grow(oct_recipe *r, void **array, int count, int *capacity, size_t size)
{
    if (r->status != OCTET_OK)
        return false;
    bool ok = oct_grow(array, count, capacity, size);
    if (!ok)
        out_of_memory(r);
    return ok;
}

static oct_mem add_mem(oct_recipe *r, oct_mem_kind kind, size_t bytes, const void *host)
{
    void *mems = r->mems;
    bool ok = grow(r, &mems, r->mem_count, &r->mem_capacity, sizeof *r->mems);
    r->mems = mems;
    if (!ok)
        return OCT_MEM_NONE;
    r->mems[r->mem_count] = (oct_mem_info){.kind = kind, .bytes = bytes, .host = host};
    return r->mem_count++;
}

void oct_recipe_note(oct_recipe *r, const oct_family *family, const void *request, size_t bytes)
{
    void *noted = r->noted;
    bool ok = grow(r, &noted, r->noted_count, &r->noted_capacity, sizeof *r->noted);
    r->noted = noted;
    void *copy = ok ? oct_arena_alloc(&r->arena, 1, bytes) : NULL;
    if (copy)
        r->noted[r->noted_count++] = (oct_noted){family, memcpy(copy, request, bytes), r->current_node};
    else if (ok)
        out_of_memory(r);
}

int oct_recipe_check(oct_recipe *r, const oct_check *check)
{
    void *checks = r->checks;
    bool ok = check && grow(r, &checks, r->check_count, &r->check_capacity, sizeof *r->checks);
    r->checks = checks;
    if (!ok)
        return 0;
    oct_check copy = {.op_type = oct_arena_strdup(&r->arena, check->op_type),
                      .node = oct_arena_strdup(&r->arena, check->node),
                      .tensor = oct_arena_strdup(&r->arena, check->tensor),
                      .low = check->low,
                      .high = check->high};
    if (!copy.op_type || !copy.node || !copy.tensor) {
        out_of_memory(r);
        return 0;
    }
    r->checks[r->check_count++] = copy;
    return r->check_count;
}

oct_mem oct_recipe_const(oct_recipe *r, const void *host, size_t bytes)
{
    return add_mem(r, OCT_MEM_CONST, bytes, host);
}

oct_mem oct_recipe_const_made(oct_recipe *r, const void *host, size_t bytes)
{
    oct_mem m = add_mem(r, OCT_MEM_CONST, bytes, host);
    if (m != OCT_MEM_NONE)
        r->mems[m].by_content = true;
    return m;
}

oct_mem oct_recipe_const_copy(oct_recipe *r, const void *host, size_t bytes)
{
    if (r->status != OCTET_OK)
        return OCT_MEM_NONE;
    void *copy = oct_arena_alloc(&r->arena, bytes, 1);
    if (!copy) {
        out_of_memory(r);
        return OCT_MEM_NONE;
    }
    if (bytes)
        memcpy(copy, host, bytes);
    return oct_recipe_const_made(r, copy, bytes);
}

bool oct_recipe_is_const(const oct_recipe *r, oct_mem mem)
{
    return r->status == OCTET_OK && mem != OCT_MEM_NONE && r->mems[mem].kind == OCT_MEM_CONST;
}

oct_mem oct_recipe_const_part(oct_recipe *r, oct_mem whole, size_t offset, size_t rows, size_t row_bytes,
                              size_t row_stride)
{
    if (r->status != OCTET_OK)
        return OCT_MEM_NONE;
    oct_mem_info from = r->mems[whole];
    assert(from.kind == OCT_MEM_CONST && !from.row_bytes && row_bytes <= row_stride);
    assert(rows == 0 || offset + (rows - 1) * row_stride + row_bytes <= from.bytes);
    oct_mem m = add_mem(r, OCT_MEM_CONST, rows * row_bytes, (const char *)from.host + offset);
    if (m == OCT_MEM_NONE)
        return m;
    r->mems[m].by_content = from.by_content;
    if (row_bytes != row_stride && rows > 1) {
        r->mems[m].row_bytes = row_bytes;
        r->mems[m].row_stride = row_stride;
    }
    return m;
}

oct_mem oct_recipe_temp(oct_recipe *r, size_t bytes)
{
    return add_mem(r, OCT_MEM_TEMP, bytes, NULL);
}

oct_mem oct_recipe_input(oct_recipe *r, size_t bytes)
{
    return add_mem(r, OCT_MEM_INPUT, bytes, NULL);
}

oct_mem oct_recipe_output(oct_recipe *r, size_t bytes)
{
    return add_mem(r, OCT_MEM_OUTPUT, bytes, NULL);
}

oct_launch *oct_recipe_launch(oct_recipe *r, const char *file, const char *entry, const char *options, ...)
{
    void *launches = r->launches;
    bool ok = grow(r, &launches, r->launch_count, &r->launch_capacity, sizeof *r->launches);
    r->launches = launches;
    if (!ok)
        return NULL;
    if (r->launch_count == OCT_MOST_LAUNCHES) {
        r->status = oct_fail(OCTET_UNSUPPORTED, "it takes more than %d kernel launches, with those before it",
                             OCT_MOST_LAUNCHES);
        return NULL;
    }
    char text[1280];
    va_list args;
    va_start(args, options);
    int length = vsnprintf(text, sizeof text, options, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) {
        r->status =
            oct_fail(OCTET_INTERNAL, "kernel %s of %s: its build options take %d bytes; %zu are the most",
                     entry, file, length, sizeof text - 1);
        return NULL;
    }
    oct_launch *l = oct_arena_alloc(&r->arena, 1, sizeof *l);
    char *copy = oct_arena_strdup(&r->arena, text);
    if (!l || !copy) {
        out_of_memory(r);
        return NULL;
    }
    l->recipe = r;
    l->file = file;
    l->entry = entry;
    l->options = copy;
    l->node = r->current_node;
    r->launches[r->launch_count++] = l;
    return l;
}

/* The first failure of a recipe stays. */
static OCT_PRINTF(2, 3) void defect(const oct_launch *l, const char *format, ...)
{
    if (l->recipe->status != OCTET_OK)
        return;
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    l->recipe->status =
        oct_fail(OCTET_INTERNAL, "kernel %s of %s: %s; this is a defect in Octet", l->entry, l->file, text);
}

static void add_arg(oct_launch *l, oct_arg_kind kind, const char *name, oct_mem mem, size_t offset)
{
    if (!l)
        return;
    if (l->arg_count == OCT_MAX_ARGS)
        defect(l, "more than %d memories", OCT_MAX_ARGS);
    else
        l->args[l->arg_count++] =
            (oct_arg){.kind = kind, .name = name, .mem = mem, .offset = mem == OCT_MEM_NONE ? 0 : offset};
}

static void take_mem(oct_launch *l, const oct_field *f, const oct_ref *ref)
{
    if (!ref->given && !f->optional)
        defect(l, "the memory %s is not given", f->name);
    add_arg(l, f->kind == OCT_FIELD_IN ? OCT_ARG_IN : OCT_ARG_OUT, f->name,
            ref->given ? ref->mem : OCT_MEM_NONE, ref->offset);
}

static void take_flag(oct_launch *l, const oct_field *f, const oct_ref *ref)
{
    add_arg(l, ref->given ? OCT_ARG_FLAG : OCT_ARG_IN, f->name, OCT_MEM_NONE, 0);
}

static int32_t narrow(const oct_launch *l, const char *name, int64_t value)
{
    if (value < INT32_MIN || value > INT32_MAX)
        defect(l, "%s is %lld, past 32 bits", name, (long long)value);
    return (int32_t)value;
}

/* From the fields as the host gives them to the kernel's. */
static void take_fields(oct_launch *l, const oct_record *record, const char *args, char *numbers)
{
    for (int i = 0; i < record->count; i++) {
        const oct_field *f = &record->fields[i];
        const void *from = args + f->given;
        void *to = numbers + f->packed;
        switch (f->kind) {
        case OCT_FIELD_IN:
        case OCT_FIELD_OUT:
            for (int k = 0; k < f->count; k++)
                take_mem(l, f, (const oct_ref *)from + k);
            break;
        case OCT_FIELD_FLAG:
            take_flag(l, f, from);
            break;
        case OCT_FIELD_I32:
            for (int k = 0; k < f->count; k++)
                ((int32_t *)to)[k] = narrow(l, f->name, ((const int64_t *)from)[k]);
            break;
        case OCT_FIELD_I64:
            memcpy(to, from, (size_t)f->count * sizeof(int64_t));
            break;
        case OCT_FIELD_F32:
            memcpy(to, from, (size_t)f->count * sizeof(float));
            break;
        case OCT_FIELD_PART:
            take_fields(l, f->part(), from, to);
            break;
        }
    }
}

void oct_launch_args(oct_launch *l, const oct_record *record, const void *args)
{
    if (!l || l->recipe->status != OCTET_OK)
        return;
    void *numbers = oct_arena_alloc(&l->recipe->arena, 1, record->numbers_bytes);
    if (!numbers) {
        out_of_memory(l->recipe);
        return;
    }
    l->record = record;
    l->numbers = numbers;
    take_fields(l, record, args, numbers);
}

void oct_launch_in(oct_launch *l, oct_mem mem)
{
    add_arg(l, OCT_ARG_IN, "input", mem, 0);
}

void oct_launch_out(oct_launch *l, oct_mem mem)
{
    add_arg(l, OCT_ARG_OUT, "output", mem, 0);
}

void oct_recipe_sgemm(oct_recipe *r, const oct_sgemm *product, oct_float_place a, oct_float_place b,
                      oct_float_place c)
{
    oct_launch *l = oct_recipe_launch(r, "CLBlast", "sgemm", "%s", "");
    oct_sgemm *copy = l ? oct_arena_alloc(&r->arena, 1, sizeof *copy) : NULL;
    if (l && !copy)
        out_of_memory(r);
    if (!copy)
        return;
    *copy = *product;
    l->product = copy;
    add_arg(l, OCT_ARG_IN, "A", a.mem, a.offset);
    add_arg(l, OCT_ARG_IN, "B", b.mem, b.offset);
    add_arg(l, OCT_ARG_OUT, "C", c.mem, c.offset);
    oct_launch_1d(l, product->m && product->n && product->k && product->batch, 0);
}

void oct_launch_in_place(oct_launch *l, oct_mem mem)
{
    if (l && l->in_place_count == 2)
        defect(l, "more than 2 inputs whose place the output may take");
    else if (l)
        l->in_place[l->in_place_count++] = mem;
}

void oct_launch_3d(oct_launch *l, const size_t global[3], const size_t local[3])
{
    if (!l)
        return;
    l->dims = 3;
    for (int i = 0; i < 3; i++) {
        l->global[i] = global[i];
        l->local[i] = local ? local[i] : 0;
    }
}

void oct_launch_2d(oct_launch *l, size_t gx, size_t gy, size_t lx, size_t ly)
{
    const size_t global[3] = {gx, gy, 1}, local[3] = {lx, ly, 1};
    oct_launch_3d(l, global, local);
    if (l)
        l->dims = 2;
}

void oct_launch_1d(oct_launch *l, size_t global, size_t local)
{
    const size_t g[3] = {global, 1, 1}, loc[3] = {local, 1, 1};
    oct_launch_3d(l, g, loc);
    if (l)
        l->dims = 1;
}

int64_t oct_operand_elems(const oct_operand *t)
{
    int64_t elems = 0;
    return oct_shape_elems(t->dims, t->rank, &elems) ? elems : 0;
}
