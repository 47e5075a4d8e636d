/* An error is one line that a person can read, whatever the names in it: those of a damaged file may be
 * thousands of characters long, or hold what a terminal obeys. */
#ifndef OCT_LINE_H
#define OCT_LINE_H

#include <stdarg.h>
#include <stddef.h>

/* A whole line of the command has at most 300: its own "octet: " comes in front of this. */
enum { OCT_LINE_CHARS = 290, OCT_LINE_BYTES = OCT_LINE_CHARS + 1 };

/* The text, in one line: control characters become '?' (blanks where they were blanks), and from the middle
 * of what is longer something is left out, "...": its beginning says what and where, its end the mend. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 0)))
#endif
void oct_line_format(char line[OCT_LINE_BYTES], const char *fmt, va_list args);

#endif
