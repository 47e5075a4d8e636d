/* What a kernel is given, declared once: a list in kernels/<family>/<family>_args.clh that the kernel
 * (kernels/record.clh) and the host both include. It names each argument with its kind, in order:
 *
 *     #define COPY_ARGS(ARG)      RECORD(copy, COPY_ARGS) makes for the host
 *         ARG(IN, x)              copy_args          what is given: oct_ref x, y; int64_t bytes
 *         ARG(OUT, y)             copy_numbers       what the kernel gets by value: long bytes
 *         ARG(I64, bytes)         oct_launch_copy()  gives a launch its arguments, checked
 *
 * Kinds:
 *     IN, OUT                        a memory: two kernel arguments, base and offset in bytes
 *     IN_OPT, OUT_OPT                a memory that may be absent
 *     IN_OPT_4, IN_OPT_8             an array of those
 *     I32, I64, F32                  a number, given as int64_t or float
 *     I32_8, I64_4, I64_7, F32_16    an array of those
 *     PART                           numbers that several records have: the RECORD_PART of that name
 * A record has at least one number. */
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

typedef enum oct_field_kind {
    OCT_FIELD_IN,
    OCT_FIELD_OUT,
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

/* ---- one kind of expansion a line --------------------------------------------------------------------- */

/* NAME_args */
#define OCT_GIVEN(kind, x)    OCT_GIVEN_##kind(x)
#define OCT_GIVEN_IN(x)       oct_ref x;
#define OCT_GIVEN_OUT(x)      oct_ref x;
#define OCT_GIVEN_IN_OPT(x)   oct_ref x;
#define OCT_GIVEN_OUT_OPT(x)  oct_ref x;
#define OCT_GIVEN_IN_OPT_4(x) oct_ref x[4];
#define OCT_GIVEN_IN_OPT_8(x) oct_ref x[8];
#define OCT_GIVEN_I32(x)      int64_t x;
#define OCT_GIVEN_I32_8(x)    int64_t x[8];
#define OCT_GIVEN_I64(x)      int64_t x;
#define OCT_GIVEN_I64_4(x)    int64_t x[4];
#define OCT_GIVEN_I64_7(x)    int64_t x[7];
#define OCT_GIVEN_F32(x)      float x;
#define OCT_GIVEN_F32_16(x)   float x[16];
#define OCT_GIVEN_PART(x)     x##_part x;

/* NAME_numbers, as the kernel has it */
#define OCT_PACKED(kind, x) OCT_PACKED_##kind(x)
#define OCT_PACKED_IN(x)
#define OCT_PACKED_OUT(x)
#define OCT_PACKED_IN_OPT(x)
#define OCT_PACKED_OUT_OPT(x)
#define OCT_PACKED_IN_OPT_4(x)
#define OCT_PACKED_IN_OPT_8(x)
#define OCT_PACKED_I32(x)    int32_t x;
#define OCT_PACKED_I32_8(x)  int32_t x[8];
#define OCT_PACKED_I64(x)    int64_t x;
#define OCT_PACKED_I64_4(x)  int64_t x[4];
#define OCT_PACKED_I64_7(x)  int64_t x[7];
#define OCT_PACKED_F32(x)    float x;
#define OCT_PACKED_F32_16(x) float x[16];
#define OCT_PACKED_PART(x)   x##_numbers x;

/* oct_field, where `given` and `packed` are the two types */
#define OCT_ROW_MEM(x, kind, optional, n) {#x, kind, optional, n, offsetof(given, x), 0, NULL},
#define OCT_ROW_NUM(x, kind, n)           {#x, kind, false, n, offsetof(given, x), offsetof(packed, x), NULL},
#define OCT_ROW(kind, x)                  OCT_ROW_##kind(x)
#define OCT_ROW_IN(x)                     OCT_ROW_MEM(x, OCT_FIELD_IN, false, 1)
#define OCT_ROW_OUT(x)                    OCT_ROW_MEM(x, OCT_FIELD_OUT, false, 1)
#define OCT_ROW_IN_OPT(x)                 OCT_ROW_MEM(x, OCT_FIELD_IN, true, 1)
#define OCT_ROW_OUT_OPT(x)                OCT_ROW_MEM(x, OCT_FIELD_OUT, true, 1)
#define OCT_ROW_IN_OPT_4(x)               OCT_ROW_MEM(x, OCT_FIELD_IN, true, 4)
#define OCT_ROW_IN_OPT_8(x)               OCT_ROW_MEM(x, OCT_FIELD_IN, true, 8)
#define OCT_ROW_I32(x)                    OCT_ROW_NUM(x, OCT_FIELD_I32, 1)
#define OCT_ROW_I32_8(x)                  OCT_ROW_NUM(x, OCT_FIELD_I32, 8)
#define OCT_ROW_I64(x)                    OCT_ROW_NUM(x, OCT_FIELD_I64, 1)
#define OCT_ROW_I64_4(x)                  OCT_ROW_NUM(x, OCT_FIELD_I64, 4)
#define OCT_ROW_I64_7(x)                  OCT_ROW_NUM(x, OCT_FIELD_I64, 7)
#define OCT_ROW_F32(x)                    OCT_ROW_NUM(x, OCT_FIELD_F32, 1)
#define OCT_ROW_F32_16(x)                 OCT_ROW_NUM(x, OCT_FIELD_F32, 16)
#define OCT_ROW_PART(x)                   {#x, OCT_FIELD_PART, false, 1, offsetof(given, x), offsetof(packed, x), x##_record},

#define OCT_RECORD_TYPES(name, LIST, struct_given)                                                           \
    typedef struct struct_given {                                                                            \
        LIST(OCT_GIVEN)                                                                                      \
    } struct_given;                                                                                          \
    OCT_RECORD_OF(name, LIST, struct_given)
#define OCT_RECORD_OF(name, LIST, struct_given)                                                              \
    typedef struct name##_numbers {                                                                          \
        LIST(OCT_PACKED)                                                                                     \
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
