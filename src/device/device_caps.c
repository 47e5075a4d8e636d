/* What is asked of a driver, and the one table of what its answers mean for int8. A path is reported here
 * only when Octet has kernels that use it. */
#include "device_priv.h"

#include <stdio.h>
#include <string.h>

static void get_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    size_t bytes = 0;
    text[0] = '\0';
    if (clGetDeviceInfo(id, what, size - 1, text, &bytes) == CL_SUCCESS) {
        text[bytes < size ? bytes : size - 1] = '\0';
        return;
    }
    /* Too long for the field: some drivers then give nothing at all, so take it whole and cut. */
    char whole[16384];
    if (clGetDeviceInfo(id, what, sizeof whole - 1, whole, &bytes) == CL_SUCCESS) {
        whole[bytes < sizeof whole ? bytes : sizeof whole - 1] = '\0';
        snprintf(text, size, "%.*s", (int)size - 1, whole);
    }
}

static uint64_t get_number(cl_device_id id, cl_device_info what)
{
    /* Answers are 4 or 8 bytes wide; all devices Octet takes are little-endian, like their hosts. */
    uint64_t value = 0;
    if (clGetDeviceInfo(id, what, sizeof value, &value, NULL) != CL_SUCCESS)
        return 0;
    return value;
}

static bool has_extension(const char *extensions, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = extensions; (at = strstr(at, name)); at += n) {
        bool starts = at == extensions || at[-1] == ' ';
        if (starts && (at[n] == ' ' || at[n] == '\0'))
            return true;
    }
    return false;
}

static bool is_remote(cl_device_id id, const octet_device_info *info)
{
    char address[256];
    return clGetDeviceInfo(id, OCT_DEVICE_REMOTE_SERVER_IP_POCL, sizeof address, address, NULL) ==
               CL_SUCCESS ||
           strstr(info->version, "pocl-remote");
}

/* PoCL's CPU driver compiles for the processor it runs on, so the host's CPUID speaks for a device that is
 * here. One behind a server is asked when it is opened (x86_probe.c). */
static void query_pocl(cl_device_id id, oct_caps *caps)
{
    if (caps->info.type != OCTET_DEVICE_CPU || !strstr(caps->info.platform, "Portable Computing Language"))
        return;
    if (is_remote(id, &caps->info))
        caps->remote_x86 = strstr(caps->info.version, "-x86_64-") != NULL;
    else
        oct_x86_host(caps);
}

#define VENDOR_NVIDIA 0x10de
/* cl_nv_device_attribute_query: CL_DEVICE_COMPUTE_CAPABILITY_{MAJOR,MINOR}_NV, REGISTERS_PER_BLOCK_NV */
#define NV_CAPABILITY_MAJOR 0x4000
#define NV_CAPABILITY_MINOR 0x4001
#define NV_REGISTERS        0x4002

#define VENDOR_INTEL               0x8086
#define INTEL_FEATURE_CAPABILITIES 0x4256 /* CL_DEVICE_FEATURE_CAPABILITIES_INTEL */
#define INTEL_FEATURE_DP4A         1

static void query_nvidia(cl_device_id id, oct_caps *caps)
{
    if (caps->vendor_id != VENDOR_NVIDIA ||
        !has_extension(caps->info.extensions, "cl_nv_device_attribute_query"))
        return;
    caps->nvidia_cc = (int)(get_number(id, NV_CAPABILITY_MAJOR) * 10 + get_number(id, NV_CAPABILITY_MINOR));
    if (has_extension(caps->info.extensions, "cl_nv_compiler_options"))
        caps->nvidia_registers = (int)get_number(id, NV_REGISTERS);
}

/* Targets of AMD's compiler by the start of the device's name, and what they have. */
static const struct {
    const char *name;
    oct_dot4_path path;
} amd_targets[] = {
    {"gfx906", OCT_DOT4_AMD_SDOT4},  {"gfx908", OCT_DOT4_AMD_SDOT4}, {"gfx90a", OCT_DOT4_AMD_SDOT4},
    {"gfx94", OCT_DOT4_AMD_SDOT4},   {"gfx95", OCT_DOT4_AMD_SDOT4},  {"gfx1011", OCT_DOT4_AMD_SDOT4},
    {"gfx1012", OCT_DOT4_AMD_SDOT4}, {"gfx103", OCT_DOT4_AMD_SDOT4}, {"gfx11", OCT_DOT4_AMD_SUDOT4},
    {"gfx12", OCT_DOT4_AMD_SUDOT4},
};

static bool has_khr(cl_device_id id, const oct_caps *caps, bool *fast)
{
    *fast = false;
#ifdef CL_DEVICE_INTEGER_DOT_PRODUCT_CAPABILITIES_KHR
    int version = 0; /* of the device: its functions are of OpenCL C 3.0 */
    if (!has_extension(caps->info.extensions, "cl_khr_integer_dot_product") ||
        sscanf(caps->info.version, "OpenCL %d", &version) != 1 || version < 3)
        return false;
    uint64_t bits = get_number(id, CL_DEVICE_INTEGER_DOT_PRODUCT_CAPABILITIES_KHR);
    cl_device_integer_dot_product_acceleration_properties_khr p = {0};
    if (clGetDeviceInfo(id, CL_DEVICE_INTEGER_DOT_PRODUCT_ACCELERATION_PROPERTIES_4x8BIT_PACKED_KHR, sizeof p,
                        &p, NULL) == CL_SUCCESS)
        *fast = p.signed_accelerated;
    return (bits & CL_DEVICE_INTEGER_DOT_PRODUCT_INPUT_4x8BIT_PACKED_KHR) != 0;
#else
    (void)id;
    (void)caps;
    return false;
#endif
}

static oct_dot4_path amd_path(const octet_device_info *info)
{
    if (!strstr(info->platform, "AMD Accelerated"))
        return OCT_DOT4_NONE;
    for (size_t i = 0; i < sizeof amd_targets / sizeof amd_targets[0]; i++) {
        if (strncmp(info->name, amd_targets[i].name, strlen(amd_targets[i].name)) == 0)
            return amd_targets[i].path;
    }
    return OCT_DOT4_NONE;
}

/* The dot product paths the device has, and the best of them. Qualcomm's is found by asking the device
 * (dot4_probe.c). */
static void query_dot4(cl_device_id id, oct_caps *caps)
{
    const octet_device_info *info = &caps->info;
    bool fast, khr = has_khr(id, caps, &fast);
    const struct {
        bool has;
        oct_dot4_path path;
    } found[] = {
        {true, OCT_DOT4_NONE},
        {khr && !fast, OCT_DOT4_KHR}, /* there, but plain code is no slower: for who asks for it */
        {has_extension(info->extensions, "cl_arm_integer_dot_product_accumulate_int8"), OCT_DOT4_ARM},
        {khr && fast, OCT_DOT4_KHR},
        /* After it: Intel's compilers of 2022 leave the functions of the extension unresolved. */
        {caps->vendor_id == VENDOR_INTEL && info->type == OCTET_DEVICE_GPU &&
             has_extension(info->extensions, "cl_intel_device_attribute_query") &&
             (get_number(id, INTEL_FEATURE_CAPABILITIES) & INTEL_FEATURE_DP4A),
         OCT_DOT4_INTEL},
        {amd_path(info) != OCT_DOT4_NONE, amd_path(info)},
        {caps->nvidia_cc >= 61, OCT_DOT4_NVIDIA},
    };
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        if (!found[i].has)
            continue;
        caps->dot4_paths |= 1u << found[i].path;
        if (!(khr && !fast && found[i].path == OCT_DOT4_KHR))
            caps->dot4 = found[i].path;
    }
}

/* By part of a vendor's name: what a work-item keeps in registers besides addresses and the like. Embedded
 * GPUs have 64 registers, Intel's 128, the others 255. */
static const struct {
    const char *vendor;
    int words;
} registers[] = {{"ARM", 48},      {"QUALCOMM", 48}, {"Imagination", 48},
                 {"Broadcom", 48}, {"Intel", 72},    {"", 128}};

int oct_item_words(const char *vendor)
{
    size_t i = 0;
    while (!strstr(vendor, registers[i].vendor))
        i++;
    return registers[i].words;
}

/* By oct_dot4_path: as `octet devices` shows them and OCTET_DOT4 names them. */
static const char *const dot4_names[OCT_DOT4_COUNT] = {
    "none",  "khr", "nvidia",   "amd-sdot4",   "amd-sudot4",
    "intel", "arm", "qualcomm", "qualcomm-us", "qualcomm-su",
};

octet_status oct_caps_choose_dot4(oct_caps *caps, const char *name)
{
    for (unsigned i = 0; i < OCT_DOT4_COUNT; i++) {
        if ((caps->dot4_paths & 1u << i) && strcmp(dot4_names[i], name) == 0) {
            caps->dot4 = (oct_dot4_path)i;
            oct_caps_name_paths(caps);
            return OCTET_OK;
        }
    }
    return oct_fail(OCTET_INVALID_ARGUMENT, "OCTET_DOT4: '%s' does not have the dot product path '%s'",
                    caps->info.name, name);
}

void oct_caps_name_paths(oct_caps *caps)
{
    const char *name = caps->x86_emulated      ? "x86-emulated"
                       : caps->x86_avx512_vnni ? "x86-vnni"
                       : caps->x86_avx2        ? "x86-avx2"
                                               : dot4_names[caps->dot4];
    snprintf(caps->info.matrix, sizeof caps->info.matrix, "none");
    snprintf(caps->info.dot4, sizeof caps->info.dot4, "%s", name);
}

/* Defects of drivers that Octet works around. */
static const struct {
    const char *platform, *device, *options;
    bool weak_compiler; /* minutes for what others compile in a second */
    bool one_build;     /* clBuildProgram in two threads crashes, whatever the standard promises */
} quirks[] = {
    /* Mesa 22.3: a vector store in divergent control flow is also made for work-items that are masked off.
     * Its compiler needs minutes and gigabytes for an expression of ten operators on vectors of 16. */
    {"rusticl", "llvmpipe", "-DOCT_NO_MASKED_VECTOR_STORES", true, false},
    /* PoCL 3.1: its compiler counts its warnings on stderr ("16 warnings generated."), asked or not. */
    {"Portable Computing Language", "", "-w", false, false},
    /* Oclgrind 21.10: every build uses the one LLVM context of the simulator. */
    {"Oclgrind", "Oclgrind", "", false, true},
};

static void query_quirks(oct_caps *caps)
{
    caps->build_options = "";
    for (size_t i = 0; i < sizeof quirks / sizeof quirks[0]; i++) {
        if (strstr(caps->info.platform, quirks[i].platform) && strstr(caps->info.name, quirks[i].device)) {
            caps->build_options = quirks[i].options;
            caps->weak_compiler = quirks[i].weak_compiler;
            caps->one_build = quirks[i].one_build;
        }
    }
}

static octet_device_type device_type(cl_device_id id)
{
    uint64_t type = get_number(id, CL_DEVICE_TYPE);
    return type & CL_DEVICE_TYPE_GPU   ? OCTET_DEVICE_GPU
           : type & CL_DEVICE_TYPE_CPU ? OCTET_DEVICE_CPU
                                       : OCTET_DEVICE_ACCELERATOR;
}

static void query_info(cl_platform_id platform, cl_device_id id, octet_device_info *info)
{
    size_t bytes = 0;
    info->type = device_type(id);
    get_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    get_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    get_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    get_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    get_text(id, CL_DEVICE_EXTENSIONS, info->extensions, sizeof info->extensions);
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform, &bytes) !=
        CL_SUCCESS)
        snprintf(info->platform, sizeof info->platform, "unknown");
    info->global_bytes = get_number(id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->max_alloc_bytes = get_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->local_bytes = info->local_said_bytes = get_number(id, CL_DEVICE_LOCAL_MEM_SIZE);
    info->compute_units = (uint32_t)get_number(id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->clock_mhz = (uint32_t)get_number(id, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    info->max_work_group = (uint32_t)get_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    info->local_is_dedicated = get_number(id, CL_DEVICE_LOCAL_MEM_TYPE) == CL_LOCAL;
    info->unified_memory = get_number(id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    info->available = get_number(id, CL_DEVICE_AVAILABLE) && get_number(id, CL_DEVICE_COMPILER_AVAILABLE) &&
                      get_number(id, CL_DEVICE_ENDIAN_LITTLE) && info->max_alloc_bytes;
}

octet_status oct_caps_query(cl_platform_id platform, cl_device_id id, oct_caps *caps)
{
    memset(caps, 0, sizeof *caps);
    OCTET_INIT(caps->info);
    query_info(platform, id, &caps->info);
    RETURN_IF(!caps->info.name[0] && !caps->info.version[0], OCTET_DEVICE_ERROR,
              "an OpenCL device does not tell its name or version; its driver is broken");
    caps->vendor_id = (cl_uint)get_number(id, CL_DEVICE_VENDOR_ID);
    caps->any_device = true;
    caps->clblast = oct_blas_built();
    caps->max_group = caps->info.max_work_group;
    char version[128];
    int major = 1, minor = 2;
    get_text(id, CL_DEVICE_OPENCL_C_VERSION, version, sizeof version);
    if (sscanf(version, "OpenCL C %d.%d", &major, &minor) != 2)
        major = 1, minor = 2;
    caps->cl_c_version = major * 100 + minor * 10;
    query_nvidia(id, caps);
    query_quirks(caps);
    query_pocl(id, caps);
    query_dot4(id, caps);
    caps->prefers_tiles = caps->info.type == OCTET_DEVICE_GPU;
    caps->item_words = oct_item_words(caps->info.vendor);
    oct_caps_name_paths(caps);
    return OCTET_OK;
}
