/* What a device can do, as plain data: all that kernel selection, packing and planning may look at, so that
 * they are tested without OpenCL. src/device fills it in (device_caps.c). */
#ifndef OCT_CAPS_H
#define OCT_CAPS_H

#include <octet/octet.h>
#include <stdbool.h>
#include <stdint.h>

/* Every memory a kernel is given can be read this many bytes past its end. */
#define OCT_BUFFER_PAD 64

/* Ways to a 4-way 8-bit dot product in portable kernels; kernels/dot4/ has one file a vendor. */
typedef enum oct_dot4_path {
    OCT_DOT4_NONE, /* plain OpenCL C */
    OCT_DOT4_KHR,
    OCT_DOT4_NVIDIA,
    OCT_DOT4_AMD_SDOT4,
    OCT_DOT4_AMD_SUDOT4,
    OCT_DOT4_INTEL,
    OCT_DOT4_ARM,
    OCT_DOT4_QUALCOMM, /* by the signs that the device has been found to give its operands */
    OCT_DOT4_QUALCOMM_US,
    OCT_DOT4_QUALCOMM_SU,
    OCT_DOT4_COUNT
} oct_dot4_path;

/* What kernel selection may look at: plain data, so that select() is tested without OpenCL. */
typedef struct oct_caps {
    octet_device_info info;
    uint32_t vendor_id;
    int cl_c_version;     /* 120, 200, 300 */
    size_t max_group;     /* CL_DEVICE_MAX_WORK_GROUP_SIZE */
    bool any_device;      /* true: the capability of portable kernels */
    bool clblast;         /* this build of Octet has it */
    bool remote_x86;      /* PoCL on another machine's x86 CPU, which is asked when the device is opened */
    bool pocl_x86;        /* PoCL on an x86 CPU that is known: inline assembly is possible */
    bool x86_avx2;        /* with pocl_x86: this processor has it (CPUID and OS) */
    bool x86_avx512_vnni; /* AVX-512 F, BW, VL and VNNI */
    bool x86_avx512_vbmi; /* that and VBMI */
    bool x86_emulated;    /* these instructions in OpenCL C (kernels/x86*.clh): for tests, on any device */
    unsigned dot4_paths;  /* 1 << path: those that the device has */
    oct_dot4_path dot4;   /* the one that kernels are built with */
    bool prefers_tiles;   /* a GPU: tiles in local memory before kernels of one work-item */
    const char *lanes;    /* for tests: a row of lane_variants.def; NULL: what suits */
    int item_words;       /* dwords of sums and fetched operands that a work-item keeps in registers */
    const char *build_options;       /* what every program needs on this driver; "" for most */
    bool weak_compiler;              /* of its driver: only small kernels, please */
    bool one_build;                  /* its driver must not build two programs at once */
    int nvidia_cc;                   /* compute capability * 10, 0: not NVIDIA */
    int nvidia_registers;            /* of a compute unit, where kernels can be given a limit; 0: unknown */
    const struct oct_tuning *tuning; /* what `octet tune` found for this device; NULL: nothing */
    const struct oct_distrust *distrust; /* variants that are not to be chosen; NULL: none */
} oct_caps;

#endif
