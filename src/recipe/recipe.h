/* A recipe is a list of kernel launches over symbolic memories, as plain data: what the operator families of
 * ops/ produce and what memory/ places and run/ turns into OpenCL objects.
 *
 * Nobody says when a launch runs: a launch whose inputs are all constants, or results of such launches, is
 * done once when the session is made (packing weights, multipliers, constant folding); the others are done in
 * every run. Nobody says how long a memory lives: from the first to the last launch that names it.
 *
 * Builder calls never fail one by one: the first failure sticks in recipe->status, later calls are no-ops. */
#ifndef OCT_RECIPE_H
#define OCT_RECIPE_H

#include "arena.h"
#include "error.h"
#include "record.h"
#include "sgemm.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum oct_mem_kind {
    OCT_MEM_INPUT,  /* written by the host before each run */
    OCT_MEM_OUTPUT, /* read by the host after each run */
    OCT_MEM_CONST,  /* host bytes, uploaded once */
    OCT_MEM_TEMP    /* written by a launch */
} oct_mem_kind;

typedef struct oct_mem_info {
    oct_mem_kind kind;
    size_t bytes;
    const void *host;             /* OCT_MEM_CONST: must stay valid until the recipe is bound */
    bool by_content;              /* the address means nothing: equal bytes are the same constant */
    size_t row_bytes, row_stride; /* CONST whose rows lie apart on the host; row_bytes 0: dense */
} oct_mem_info;

typedef enum oct_arg_kind { OCT_ARG_IN, OCT_ARG_OUT, OCT_ARG_FLAG } oct_arg_kind;

/* A memory that a launch is given: TWO kernel arguments, `__global uchar *base, ulong offset` (bytes).
 * OCT_MEM_NONE becomes a valid buffer that must not be touched, offset 0; of a FLAG, which names no memory of
 * the recipe, the executor's flag. */
typedef struct oct_arg {
    oct_arg_kind kind;
    oct_mem mem;
    size_t offset;    /* where in the memory the kernel begins, bytes */
    const char *name; /* of its field in the record */
} oct_arg;

#define OCT_MAX_ARGS 24

#define OCT_MOST_LAUNCHES (1 << 19) /* of a recipe: about a kilobyte of host memory each */

#define OCT_SLICE_BYTES ((size_t)1 << 20) /* what slice_bytes is where nobody sets it */

/* What a launch computes element by element in float, for those that can be fused (ops/fuse.h). */
typedef struct oct_elementwise oct_elementwise;

typedef struct oct_recipe oct_recipe;

typedef struct oct_launch {
    const oct_sgemm *product; /* a library call instead of a kernel: its arguments are A, B and C (an OUT,
                                 though beta may read it); NULL: a kernel */
    const char *file;         /* kernel source, e.g. "gemm/gemm_portable.cl" */
    const char *entry;        /* kernel function */
    const char *options;      /* "-DTM=4 -DTN=8": build options, part of the cache key */
    int dims;
    size_t global[3];
    size_t local[3];    /* local[0] == 0: left to the executor */
    oct_recipe *recipe; /* that it is being built in */
    oct_arg args[OCT_MAX_ARGS];
    int arg_count;
    const oct_record *record; /* of a kernel: `args` are its memories, and its last argument */
    const void *numbers;      /* are these */
    int node;                 /* graph node this belongs to, -1: none */
    oct_mem in_place[2];      /* inputs whose bytes the output may take */
    int in_place_count;
    const oct_elementwise *elementwise; /* NULL: nothing that is known how to fuse */
} oct_launch;

/* Numbers of a tensor that a kernel takes as positions, and that are known only in a run. One that is out of
 * range the kernel notes in the executor's flag, an oct_flag, and the run fails by it. */
typedef struct oct_check {
    const char *op_type, *node, *tensor; /* kept by oct_recipe_check as copies */
    int64_t low, high;                   /* what is in range, both inclusive */
} oct_check;

typedef struct oct_flag { /* as kernels/flag.clh has it */
    int32_t check;        /* 1 + the index of the recipe's check; 0: nothing was found */
    int32_t unused;
    int64_t position, number;
} oct_flag;

/* A product that an operator was asked for: what tuning can choose a variant for. */
typedef struct oct_family oct_family; /* ops/product/variant.h */
typedef struct oct_noted {
    const oct_family *family;
    const void *request; /* a copy of the family's request */
    int node;            /* of the graph, -1: none */
} oct_noted;

struct oct_recipe {
    oct_arena arena;
    octet_status status;
    oct_mem_info *mems;
    int mem_count, mem_capacity;
    oct_launch **launches; /* in an order that respects data flow */
    int launch_count, launch_capacity;
    oct_noted *noted; /* in the order they were asked for */
    int noted_count, noted_capacity;
    oct_check *checks;
    int check_count, check_capacity;
    /* Set before operators are appended. Constant B of a product is uploaded and packed in slices of at most
     * slice_bytes, and when it packs to more than piece_bytes the product becomes several launches, each with
     * a packed memory of its own. Both give way where one panel of columns is more. */
    size_t slice_bytes, piece_bytes;
    size_t
        memory_limit; /* a large tensor that is larger is refused before it is planned; SIZE_MAX: none is */
    int current_node; /* stamped on new launches */
};

/* Does this argument name a memory? */
static inline bool oct_arg_names_memory(const oct_arg *a)
{
    return a->mem != OCT_MEM_NONE;
}

void oct_recipe_init(oct_recipe *r);
void oct_recipe_free(oct_recipe *r);

/* Memories. Sizes in bytes; zero is allowed (no launch may then touch it). */
oct_mem oct_recipe_const(oct_recipe *r, const void *host, size_t bytes); /* host is kept, not copied */
/* Likewise, but host lives no longer than the recipe: its bytes, not its address, tell whether a later plan
 * has the same constant. */
oct_mem oct_recipe_const_made(oct_recipe *r, const void *host, size_t bytes);
oct_mem oct_recipe_const_copy(oct_recipe *r, const void *host, size_t bytes); /* copied into the recipe */
/* Rows of a constant, from `offset` in it, as a dense constant of its own. What is only used in such parts is
 * never uploaded whole. */
oct_mem oct_recipe_const_part(oct_recipe *r, oct_mem whole, size_t offset, size_t rows, size_t row_bytes,
                              size_t row_stride);
bool oct_recipe_is_const(const oct_recipe *r, oct_mem mem);
oct_mem oct_recipe_temp(oct_recipe *r, size_t bytes);
oct_mem oct_recipe_input(oct_recipe *r, size_t bytes);
oct_mem oct_recipe_output(oct_recipe *r, size_t bytes);

/* Note a request for tuning. */
void oct_recipe_note(oct_recipe *r, const oct_family *family, const void *request, size_t bytes);

/* What a kernel is given to check by, beside oct_flag_for() of it. NULL: numbers are known to be in range; 0.
 */
int oct_recipe_check(oct_recipe *r, const oct_check *check);

/* Append a launch. options is a printf format. A NULL return is only for the builder calls below, which
 * accept it. */
oct_launch *oct_recipe_launch(oct_recipe *r, const char *file, const char *entry, const char *options, ...)
    OCT_PRINTF(4, 5);
/* Append a float product by a library. A, B and C begin `offset` bytes into their memories. */
typedef struct oct_float_place {
    oct_mem mem;
    size_t offset;
} oct_float_place;
void oct_recipe_sgemm(oct_recipe *r, const oct_sgemm *product, oct_float_place a, oct_float_place b,
                      oct_float_place c);
/* All arguments of a launch, from the NAME_args of its record: what oct_launch_NAME() calls. Sticky INTERNAL
 * where a memory that is needed is not given, or a number does not fit. */
void oct_launch_args(oct_launch *l, const oct_record *record, const void *args);
/* A memory that a launch without a record reads or writes. Sticky INTERNAL where one is too many. */
void oct_launch_in(oct_launch *l, oct_mem mem);
void oct_launch_out(oct_launch *l, oct_mem mem);
/* The kernel reads element i of this input only in the work-item that writes element i of its only output,
 * and before that: where both have as many bytes and the input is not read later, they may be the same bytes.
 * Of at most two inputs. */
void oct_launch_in_place(oct_launch *l, oct_mem mem);
/* Work sizes. A zero global size means nothing to do: the launch is dropped when bound. local 0: driver's
 * choice. */
void oct_launch_1d(oct_launch *l, size_t global, size_t local);
void oct_launch_2d(oct_launch *l, size_t gx, size_t gy, size_t lx, size_t ly);
void oct_launch_3d(oct_launch *l, const size_t global[3], const size_t local[3]);

/* An operand of an operator: a memory and what is in it. */
typedef struct oct_operand {
    oct_mem mem;
    octet_dtype dtype;
    int rank;
    int64_t dims[OCTET_MAX_RANK];
    const void *host; /* the constant's bytes when the host knows them, else NULL */
} oct_operand;

int64_t oct_operand_elems(const oct_operand *t);
static inline bool oct_operand_present(const oct_operand *t)
{
    return t && t->dtype != OCTET_DTYPE_NONE;
}

#endif
