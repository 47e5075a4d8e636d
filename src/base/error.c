#include "error.h"
#include "line.h"

#include <string.h>

_Static_assert(OCT_ERROR_TEXT_BYTES == OCT_LINE_BYTES, "what callers keep texts in");

static _Thread_local char text[OCT_ERROR_TEXT_BYTES];

octet_status oct_fail(octet_status status, const char *fmt, ...)
{
    char made[OCT_LINE_BYTES]; /* an argument may be the old text */
    va_list args;
    va_start(args, fmt);
    oct_line_format(made, fmt, args);
    va_end(args);
    memcpy(text, made, sizeof text);
    return status;
}

octet_status oct_out_of_memory(const char *what)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for %s", what);
}

octet_status oct_fail_prefix(octet_status status, const char *fmt, ...)
{
    char before[OCT_LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    oct_line_format(before, fmt, args);
    va_end(args);
    return oct_fail(status, "%s: %s", before, text);
}

const char *oct_error_text(void)
{
    return text;
}

void oct_error_clear(void)
{
    text[0] = '\0';
}
