/* Which instructions of x86 processors a device has. CPUID of this host speaks for a device that is here; one
 * on another machine (PoCL-Remote) runs a kernel that says what its processor answers. That is kept in the
 * user's cache folder, a small text file for each device, driver and server, so that it is asked once.
 * Answers that make no sense, or none, leave the device with portable kernels. */
#include "device_priv.h"
#include "hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define HOST_X86 1
#endif

#define FORMAT "octet-x86 1"
enum { TEXT_CHARS = 1024, NAME_CHARS = 40 };

/* By index of the answers. */
enum { HIGHEST, VENDOR, LEAF1_C = 4, LEAF7_B, LEAF7_C, SAVED };

/* Bits of leaf 7: those of Intel's manual, volume 2, CPUID. */
#define AVX2       (1u << 5)
#define AVX512F    (1u << 16)
#define AVX512DQ   (1u << 17)
#define AVX512BW   (1u << 30)
#define AVX512VL   (1u << 31)
#define AVX512VBMI (1u << 1)
#define AVX512VNNI (1u << 11)

bool oct_x86_take(const cl_uint answers[OCT_X86_ANSWERS], oct_caps *caps)
{
    static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls",
                                          "  Shanghai  "};
    const cl_uint ymm = 0x6, zmm = 0xe6, all = AVX512F | AVX512DQ | AVX512BW | AVX512VL;
    const cl_uint b = answers[LEAF7_B], c = answers[LEAF7_C], saved = answers[SAVED];
    bool known = false;
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
        known |= memcmp(&answers[VENDOR], vendors[i], 12) == 0;
    if (!known || answers[HIGHEST] < 1 || answers[HIGHEST] > 0xff)
        return false;
    caps->pocl_x86 = true;
    caps->x86_avx2 = (saved & ymm) == ymm && (b & AVX2);
    caps->x86_avx512_vnni = (saved & zmm) == zmm && (b & all) == all && (c & AVX512VNNI);
    caps->x86_avx512_vbmi = caps->x86_avx512_vnni && (c & AVX512VBMI);
    return true;
}

void oct_x86_host(oct_caps *caps)
{
#ifdef HOST_X86
    cl_uint answers[OCT_X86_ANSWERS] = {0};
    unsigned a, b, d, high;
    if (!__get_cpuid(0, &answers[HIGHEST], &answers[VENDOR], &answers[VENDOR + 2], &answers[VENDOR + 1]) ||
        !__get_cpuid(1, &a, &b, &answers[LEAF1_C], &d))
        return;
    (void)__get_cpuid_count(7, 0, &a, &answers[LEAF7_B], &answers[LEAF7_C], &d);
    if (answers[LEAF1_C] & bit_OSXSAVE)
        __asm__("xgetbv" : "=a"(answers[SAVED]), "=d"(high) : "c"(0));
    (void)oct_x86_take(answers, caps);
#else
    (void)caps;
#endif
}

/* ---- a device elsewhere -------------------------------------------------------------------------------- */

static octet_status run_probe(oct_device *d, cl_kernel kernel, cl_mem buffer,
                              cl_uint answers[OCT_X86_ANSWERS])
{
    const size_t one = 1, bytes = OCT_X86_ANSWERS * sizeof *answers;
    cl_int err = clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    if (err == CL_SUCCESS)
        err = clEnqueueNDRangeKernel(d->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL);
    if (err == CL_SUCCESS)
        err = clEnqueueReadBuffer(d->queue, buffer, CL_TRUE, 0, bytes, answers, 0, NULL, NULL);
    return err == CL_SUCCESS ? OCTET_OK : oct_device_fail(d, err, "the probe of x86");
}

static octet_status ask(oct_device *d, cl_uint answers[OCT_X86_ANSWERS])
{
    cl_kernel kernel = NULL;
    cl_mem buffer = NULL;
    octet_status status = oct_device_kernel(d, "probe_x86.cl", "probe", "", &kernel);
    if (status == OCTET_OK)
        status = oct_buffer_create(d, OCT_X86_ANSWERS * sizeof *answers, &buffer);
    if (status == OCTET_OK)
        status = run_probe(d, kernel, buffer, answers);
    oct_buffer_release(d, buffer);
    if (kernel)
        clReleaseKernel(kernel);
    return status;
}

/* The file is this text, then the answers. */
static void make_text(cl_device_id id, const octet_device_info *i, char text[TEXT_CHARS],
                      char name[NAME_CHARS])
{
    char server[256] = "";
    (void)clGetDeviceInfo(id, OCT_DEVICE_REMOTE_SERVER_IP_POCL, sizeof server - 1, server, NULL);
    snprintf(text, TEXT_CHARS, FORMAT "\nserver %s\ndevice %s\ndriver %s\nversion %s\ncpuid", server, i->name,
             i->driver, i->version);
    snprintf(name, NAME_CHARS, "x86-%016llx.txt",
             (unsigned long long)oct_hash(OCT_HASH_START, text, strlen(text)));
}

static void write_answers(const cl_uint answers[OCT_X86_ANSWERS], char line[OCT_X86_ANSWERS * 9 + 2])
{
    for (int i = 0; i < OCT_X86_ANSWERS; i++)
        snprintf(line + 9 * i, 11, " %08x\n", (unsigned)answers[i]);
}

/* Exactly what write_answers makes. */
static bool read_answers(const char *line, cl_uint answers[OCT_X86_ANSWERS])
{
    char again[OCT_X86_ANSWERS * 9 + 2];
    const char *at = line;
    for (int i = 0; i < OCT_X86_ANSWERS; i++) {
        char *end;
        answers[i] = (cl_uint)strtoul(at, &end, 16);
        at = end;
    }
    write_answers(answers, again);
    return strcmp(line, again) == 0;
}

static bool known(const char *folder, cl_device_id id, const octet_device_info *info,
                  cl_uint answers[OCT_X86_ANSWERS])
{
    char text[TEXT_CHARS], name[NAME_CHARS];
    size_t bytes = 0;
    make_text(id, info, text, name);
    char *file = folder ? oct_cache_read(folder, name, &bytes) : NULL;
    bool right = file && strlen(file) == bytes && strncmp(file, text, strlen(text)) == 0 &&
                 read_answers(file + strlen(text), answers);
    free(file);
    return right;
}

static void keep(oct_device *d, const cl_uint answers[OCT_X86_ANSWERS])
{
    char text[TEXT_CHARS], name[NAME_CHARS], line[OCT_X86_ANSWERS * 9 + 2];
    make_text(d->id, &d->caps.info, text, name);
    write_answers(answers, line);
    const oct_cache_piece pieces[] = {{text, strlen(text)}, {line, strlen(line)}};
    if (d->cache_dir)
        (void)oct_cache_write(d->cache_dir, name, pieces, 2);
}

void oct_x86_known(cl_device_id id, oct_caps *caps, const oct_environment *environment)
{
    cl_uint answers[OCT_X86_ANSWERS];
    char *folder = caps->remote_x86 ? oct_disk_cache_folder(NULL, environment) : NULL;
    if (folder && known(folder, id, &caps->info, answers) && oct_x86_take(answers, caps))
        oct_caps_name_paths(caps);
    free(folder);
}

void oct_device_probe_x86(oct_device *d)
{
    cl_uint answers[OCT_X86_ANSWERS] = {0};
    if (!d->caps.remote_x86)
        return;
    if (!known(d->cache_dir, d->id, &d->caps.info, answers)) {
        if (ask(d, answers) != OCTET_OK) {
            oct_device_log(d, "its processor is not known, and portable kernels are used: %s",
                           oct_error_text());
            oct_error_clear();
            return;
        }
        keep(d, answers);
        oct_device_counters_reset(d);
    }
    if (!oct_x86_take(answers, &d->caps))
        oct_device_log(d, "its processor's answers make no sense, and portable kernels are used");
    oct_caps_name_paths(&d->caps);
}
