#include "line.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL = 100, HEAD = OCT_LINE_CHARS - TAIL - 3 };

static bool inside_character(char c) /* of UTF-8 */
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static void fit(char *line, const char *text)
{
    size_t length = strlen(text);
    if (length <= OCT_LINE_CHARS) {
        memcpy(line, text, length + 1);
        return;
    }
    size_t head = HEAD, tail = length - TAIL;
    while (head > HEAD - 4 && inside_character(text[head]))
        head--;
    while (tail < length - TAIL + 4 && inside_character(text[tail]))
        tail++;
    memcpy(line, text, head);
    memcpy(line + head, "...", 3);
    memcpy(line + head + 3, text + tail, length - tail + 1);
}

void oct_line_format(char line[OCT_LINE_BYTES], const char *fmt, va_list args)
{
    char some[1024]; /* enough for most; and where there is no memory for more, the beginning has to do */
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(some, sizeof some, fmt, args);
    char *all = length >= (int)sizeof some ? malloc((size_t)length + 1) : NULL;
    if (all)
        (void)vsnprintf(all, (size_t)length + 1, fmt, again);
    va_end(again);
    fit(line, length < 0 ? fmt : all ? all : some);
    free(all);
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = strchr("\t\n\r", *c) ? ' ' : '?';
    }
}
