/* Variants of products, and the one engine that goes over them. A family (GEMM, convolution, ...) is a table
 * of rows; a row says all that there is to know of a variant. Selecting, forcing, tuning, testing, compiling
 * for GPUs and benchmarking read the rows and nothing else. Pure functions of request and capabilities.
 *
 * A row is of a kind: what rows with one launcher have in common. A new kind is a file that defines it, a
 * declaration beside the others of its family, and rows. */
#ifndef OCT_VARIANT_H
#define OCT_VARIANT_H

#include "caps.h"
#include "recipe.h"
#include "tuning.h"

#include <stddef.h>

/* OCT_AS_IS multiplies operands as they are stored; OCT_U8S8 wants A unsigned and B signed, OCT_S8S8 both
 * signed: top bits are flipped for it. OCT_DOT4 is one of these, whichever the device's dot product path has
 * (tile.h). The kernels of OCT_U8S8 take 16-bit A too (option WIDE): they multiply it, signed, with B in 16
 * bits, half as many terms in a k group. */
typedef enum oct_form { OCT_AS_IS, OCT_U8S8, OCT_S8S8, OCT_DOT4 } oct_form;

/* What a work-group of a GPU's kernel makes. bm 0: no such kernel. bk 0: a kernel for few rows, which makes
 * bm rows of bn columns, a panel or half of one. */
typedef struct oct_tile {
    int bm, bn; /* rows and columns of C */
    int bk;     /* bytes of k in local memory at a time */
    int tm, tn; /* rows and columns of a work-item */
} oct_tile;

/* What every request of a family begins with. */
typedef struct oct_forced {
    const char *variant; /* by its name; NULL: select */
    int64_t spread;      /* with that: how its work is spread; 0: what it does by itself */
} oct_forced;

/* How the work of a variant can be spread besides its own way: parts of k (tiles), or rows that a work-group
 * takes (kernels of one work-item). */
#define OCT_SPREADS 6
typedef struct oct_spreads {
    int64_t at[OCT_SPREADS];
    int count;
} oct_spreads;
/* Add `wanted`, unless it is `own` or is no more than the one before. */
void oct_spreads_add(oct_spreads *s, int64_t own, int64_t wanted);

typedef struct oct_variant oct_variant;
#define OCT_VARIANT_OPTIONS 128

/* Any function may be NULL except launch. */
typedef struct oct_kind {
    /* Does it fit the device, besides the capability? */
    bool (*fits)(const oct_variant *v, const oct_caps *caps);
    /* Can it do this request? */
    bool (*applies)(const void *request);
    /* Is it to be thought of where nobody asks for it by name? */
    bool (*suits)(const oct_caps *caps, const void *request);
    /* Time in arbitrary units: of neighbours of one kind and capability the cheapest is taken. */
    double (*cost)(const oct_variant *v, const oct_caps *caps, const void *request);
    oct_spreads (*spreads)(const oct_variant *v, const oct_caps *caps, const void *request);
    /* Build options that follow from the row, and from the request's shape. */
    void (*options)(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS]);
    /* Append the launch. work: what the family gives its launchers. */
    octet_status (*launch)(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work);
    /* Of convolutions: one output a channel, channels side by side; k groups hold taps of a window's row. */
    bool depthwise, row_taps;
} oct_kind;

struct oct_variant {
    const char *name, *file; /* kernel source; of a library call, of what it falls back on */
    const oct_kind *kind;
    size_t capability; /* offset of a bool in oct_caps */
    int rows;          /* of C (pixels of a convolution) that a work-item makes at a time */
    int nb, kb;        /* packing of B: columns of a panel, bytes of a k group */
    oct_form form;
    oct_tile tile;
};

/* Rows of a table. */
#define OCT_VARIANT(name, kind, capability, file, rows, nb, kb, form)                                        \
    {#name, file, &(kind), offsetof(oct_caps, capability), rows, nb, kb, form, {0}},
#define OCT_VARIANT_TILE(name, kind, capability, file, bm, bn, bk, tm, tn)                                   \
    {#name, file, &(kind), offsetof(oct_caps, capability), bm, 64, 4, OCT_DOT4, {bm, bn, bk, tm, tn}},

/* Best first; the last can do every request on every device. */
struct oct_family {
    const char *name; /* for messages */
    const oct_variant *rows;
    size_t count;
    double (*macs)(const void *request); /* multiply-adds */
    /* What a request is called in tuning; NULL: it is not tuned. */
    void (*key)(const void *request, char key[OCT_TUNING_KEY]);
};

/* Is the row for this device, if need be by force? One that is distrusted is not. */
bool oct_variant_runs_on(const oct_variant *v, const oct_caps *caps);
/* Does it ask the driver for more than OpenCL C, instructions of a processor by name, so that only a result
 * tells whether it was understood? Not a library's. */
bool oct_variant_needs_proof(const oct_variant *v, const oct_caps *caps);
/* The index-th row that this device can run, NULL past the last. */
const oct_variant *oct_variant_at(const oct_family *f, const oct_caps *caps, size_t index);
/* The row of this name, if it can do the request here. */
const oct_variant *oct_variant_find(const oct_family *f, const oct_caps *caps, const void *request,
                                    const char *name);
/* The index-th row that may serve the request unasked, NULL past the last. */
const oct_variant *oct_variant_candidate(const oct_family *f, const oct_caps *caps, const void *request,
                                         size_t index);
/* The forced row, that of tuning, or the cheapest of the first kind and capability that may serve; NULL when
 * the forced one cannot. *spread (may be NULL): how its work is to be spread. */
const oct_variant *oct_variant_select(const oct_family *f, const oct_caps *caps, const void *request,
                                      int64_t *spread);
/* Likewise. Errors: UNSUPPORTED, the forced row named. */
octet_status oct_variant_choose(const oct_family *f, const oct_caps *caps, const void *request,
                                const oct_variant **v, int64_t *spread);
/* Why it is that row, in a few words: "forced", "tuned", "the cheapest of its kind". */
const char *oct_variant_reason(const oct_family *f, const oct_caps *caps, const void *request);
/* Other ways to spread this row's work. */
oct_spreads oct_variant_spreads(const oct_variant *v, const oct_caps *caps, const void *request);
/* Its build options: kind->options, "" without. */
void oct_variant_options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS]);

/* For `suits`: kernels that only GPUs take. */
bool oct_suits_gpu(const oct_caps *caps, const void *request);

#endif
