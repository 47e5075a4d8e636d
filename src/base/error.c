#include "error.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char text[OCT_ERROR_TEXT_BYTES];

/* Names from damaged files may hold anything; the text stays one line. */
static void keep_one_line(void)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
}

octet_status oct_fail(octet_status status, const char *fmt, ...)
{
    char made[OCT_ERROR_TEXT_BYTES]; /* an argument may be the old text */
    va_list args;
    va_start(args, fmt);
    vsnprintf(made, sizeof made, fmt, args);
    va_end(args);
    memcpy(text, made, sizeof text);
    keep_one_line();
    return status;
}

octet_status oct_out_of_memory(const char *what)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for %s", what);
}

octet_status oct_fail_prefix(octet_status status, const char *fmt, ...)
{
    char old[OCT_ERROR_TEXT_BYTES];
    memcpy(old, text, sizeof old);
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, ": %.*s", OCT_ERROR_TEXT_BYTES - 3, old);
    keep_one_line();
    return status;
}

const char *oct_error_text(void)
{
    return text;
}

void oct_error_clear(void)
{
    text[0] = '\0';
}
