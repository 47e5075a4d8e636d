#include "environment.h"

#include <stdlib.h>
#include <string.h>

/* Every variable, and where its value goes. */
static const struct {
    const char *name;
    bool is_number;
    size_t at;
} rows[] = {
    {"OCTET_DEVICE", false, offsetof(oct_environment, device)},
    {"OCTET_VERBOSE", true, offsetof(oct_environment, verbose)},
    {"OCTET_KERNEL_DIR", false, offsetof(oct_environment, kernel_dir)},
    {"XDG_CACHE_HOME", false, offsetof(oct_environment, cache_home)},
    {"HOME", false, offsetof(oct_environment, home)},
    {"OCTET_BUILD_THREADS", true, offsetof(oct_environment, build_threads)},
    {"OCTET_DOT4", false, offsetof(oct_environment, dot4)},
    {"OCTET_LANES", false, offsetof(oct_environment, lanes)},
    {"OCTET_X86", false, offsetof(oct_environment, x86)},
    {"OCTET_STAGING", true, offsetof(oct_environment, staging)},
    {"OCTET_PROBE", true, offsetof(oct_environment, probe)},
    {"OCTET_MEMORY", true, offsetof(oct_environment, memory)},
    {"OCTET_MAX_ALLOC", true, offsetof(oct_environment, max_alloc)},
    {"OCTET_SPLIT", true, offsetof(oct_environment, split)},
};

static void take_text(char *to, const char *value)
{
    size_t length = value ? strlen(value) : 0;
    if (length >= OCT_ENVIRONMENT_TEXT)
        length = 0;
    if (length)
        memcpy(to, value, length);
    to[length] = '\0';
}

void oct_environment_read(oct_environment *e)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = getenv(rows[i].name);
        char *at = (char *)e + rows[i].at;
        if (!rows[i].is_number) {
            take_text(at, value);
            continue;
        }
        int64_t number = value && *value ? strtoll(value, NULL, 10) : -1;
        memcpy(at, &number, sizeof number);
    }
}

const char *oct_environment_name(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? rows[index].name : NULL;
}
