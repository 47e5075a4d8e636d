/* Status and error text. One thread-local text holds what the last failing call on this thread wanted to say;
 * the library never prints. A failing function sets the text exactly once, where the values are known, and
 * everybody above only forwards the status. */
#ifndef OCT_ERROR_H
#define OCT_ERROR_H

#include <octet/octet.h>
#include <stdarg.h>

#if defined(__GNUC__)
#define OCT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define OCT_PRINTF(fmt, args)
#endif

#define OCT_ERROR_TEXT_BYTES 291 /* of a text: a line (line.h) */

/* Store the text of an error, as one line, and return `status`, so that `return oct_fail(...)` reads
 * well. */
octet_status oct_fail(octet_status status, const char *fmt, ...) OCT_PRINTF(2, 3);

/* OUT_OF_MEMORY: out of host memory for `what`. */
octet_status oct_out_of_memory(const char *what);

/* Put "WHERE: " in front of the text that is already there (node or file names known only further up). */
octet_status oct_fail_prefix(octet_status status, const char *fmt, ...) OCT_PRINTF(2, 3);

/* The text of this thread's last failure; "" when there was none. */
const char *oct_error_text(void);
void oct_error_clear(void);

#define RETURN_IF(cond, status, ...)                                                                         \
    do {                                                                                                     \
        if (cond)                                                                                            \
            return oct_fail((status), __VA_ARGS__);                                                          \
    } while (0)

#define FORWARD(expr)                                                                                        \
    do {                                                                                                     \
        octet_status forward_status_ = (expr);                                                               \
        if (forward_status_ != OCTET_OK)                                                                     \
            return forward_status_;                                                                          \
    } while (0)

#endif
