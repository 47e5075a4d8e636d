/* What a kernel is given, declared once: a list in kernels/<family>/<family>_args.clh that the kernel
 * (kernels/record.clh) and the host both include. It names each argument with its kind, in order:
 *
 *     #define COPY_ARGS(ARG)      RECORD(copy, COPY_ARGS) makes for the host
 *         ARG(IN, x)              copy_args          what is given: oct_ref x, y; int64_t bytes
 *         ARG(OUT, y)             copy_numbers       what the kernel gets by value: long bytes
 *         ARG(I64, bytes)         oct_launch_copy()  gives a launch its arguments, checked
 *
 * A record has at least one number. Kinds: kernels/record.clh. */
#ifndef OCT_RECORD_H
#define OCT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int oct_mem; /* index into recipe->mems */
#define OCT_MEM_NONE (-1)

/* A memory, or a place in it, that a launch is given. {0} is none. */
typedef struct oct_ref {
    oct_mem mem;
    bool given;
    size_t offset; /* where the kernel begins, bytes */
} oct_ref;

static inline oct_ref oct_from(oct_mem mem, size_t offset)
{
    return (oct_ref){.mem = mem, .given = mem != OCT_MEM_NONE, .offset = offset};
}

static inline oct_ref oct_whole(oct_mem mem)
{
    return oct_from(mem, 0);
}

/* The executor's flag, for a FLAG of a launch that has something to check (oct_recipe_check in recipe.h). */
static inline oct_ref oct_flag_for(int check)
{
    return (oct_ref){.mem = OCT_MEM_NONE, .given = check != 0};
}

typedef enum oct_field_kind {
    OCT_FIELD_IN,
    OCT_FIELD_OUT,
    OCT_FIELD_FLAG,
    OCT_FIELD_I32, /* given as int64_t */
    OCT_FIELD_I64,
    OCT_FIELD_F32,
    OCT_FIELD_PART
} oct_field_kind;

typedef struct oct_record oct_record;

typedef struct oct_field {
    const char *name;
    oct_field_kind kind;
    bool optional; /* a memory that may be absent */
    int count;     /* of an array; else 1 */
    size_t given;  /* where it is in NAME_args, bytes */
    size_t packed; /* where it is in NAME_numbers */
    const oct_record *(*part)(void);
} oct_field;

struct oct_record {
    const char *numbers; /* the type of the kernel's last argument */
    size_t numbers_bytes;
    const oct_field *fields;
    int count;
};

/* Each list is expanded three times, by kind (the table is in kernels/record.clh): to what is given, */
#define OCT_GIVEN(kind, x)                   OCT_KIND_##kind(OCT_GIVEN_MEM, OCT_GIVEN_NUM, OCT_GIVEN_PART, x)
#define OCT_GIVEN_MEM(x, field, optional, n) oct_ref x OCT_DIMS_##n;
#define OCT_GIVEN_NUM(x, type, n)            OCT_GIVEN_##type x OCT_DIMS_##n;
#define OCT_GIVEN_PART(x)                    x##_part x;
#define OCT_GIVEN_I32                        int64_t
#define OCT_GIVEN_I64                        int64_t
#define OCT_GIVEN_F32                        float

/* to the numbers as the kernel has them, */
#define OCT_PACKED(kind, x) OCT_KIND_##kind(OCT_PACKED_MEM, OCT_PACKED_NUM, OCT_PACKED_PART, x)
#define OCT_PACKED_MEM(x, field, optional, n)
#define OCT_PACKED_NUM(x, type, n) OCT_PACKED_##type x OCT_DIMS_##n;
#define OCT_PACKED_PART(x)         x##_numbers x;
#define OCT_PACKED_I32             int32_t
#define OCT_PACKED_I64             int64_t
#define OCT_PACKED_F32             float

/* and to oct_fields, where `given` and `packed` are the two types. */
#define OCT_ROW(kind, x)                   OCT_KIND_##kind(OCT_ROW_MEM, OCT_ROW_NUM, OCT_ROW_PART, x)
#define OCT_ROW_MEM(x, field, optional, n) {#x, field, optional, n, offsetof(given, x), 0, NULL},
#define OCT_ROW_NUM(x, type, n)                                                                              \
    {#x, OCT_FIELD_##type, false, n, offsetof(given, x), offsetof(packed, x), NULL},
#define OCT_ROW_PART(x) {#x, OCT_FIELD_PART, false, 1, offsetof(given, x), offsetof(packed, x), x##_record},

#define OCT_RECORD_TYPES(name, LIST, struct_given)                                                           \
    typedef struct struct_given {                                                                            \
        LIST(OCT_GIVEN)                                                                                      \
    } struct_given;                                                                                          \
    OCT_RECORD_OF(name, LIST, struct_given)
#define OCT_RECORD_OF(name, LIST, struct_given)                                                              \
    typedef struct name##_numbers {                                                                          \
        LIST(OCT_PACKED)                                                                                     \
        int64_t record_end; /* see kernels/record.clh */                                                     \
    } name##_numbers;                                                                                        \
    static inline const oct_record *name##_record(void)                                                      \
    {                                                                                                        \
        typedef struct_given given;                                                                          \
        typedef name##_numbers packed;                                                                       \
        static const oct_field fields[] = {LIST(OCT_ROW)};                                                   \
        static const oct_record record = {#name "_numbers", sizeof(packed), fields,                          \
                                          sizeof fields / sizeof fields[0]};                                 \
        return &record;                                                                                      \
    }

/* Numbers that several records have: NAME_part is what is given of them. */
#define RECORD_PART(name, LIST) OCT_RECORD_TYPES(name, LIST, name##_part)
/* Likewise, where the host has a type with such members. */
#define RECORD_PART_OF(name, LIST, type)                                                                     \
    typedef type name##_part;                                                                                \
    OCT_RECORD_OF(name, LIST, name##_part)
#define RECORD(name, LIST)                                                                                   \
    OCT_RECORD_TYPES(name, LIST, name##_args)                                                                \
    static inline void oct_launch_##name(oct_launch *l, const name##_args *args)                             \
    {                                                                                                        \
        oct_launch_args(l, name##_record(), args);                                                           \
    }

/* OCT_ARGS(l, copy, .x = oct_whole(x), .y = oct_whole(y), .bytes = n): what is not given is none, or 0. */
#define OCT_ARGS(l, name, ...) oct_launch_##name(l, &(name##_args){__VA_ARGS__})

#endif
