/* The rows of a text: a head, which says whose they are; a line "VARIANT SPREAD KEY" for each row; "end
 * COUNT". Anything else is refused as a whole. */
#include "tuning.h"
#include "error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS   65536
#define MAX_SPREAD 1000000
enum { LINE_CHARS = OCT_TUNING_KEY + 96 };

void oct_tuning_free(oct_tuning *t)
{
    free(t->rows);
    memset(t, 0, sizeof *t);
}

static oct_tuning_row *find(const oct_tuning *t, const char *key)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->rows[i].key, key) == 0)
            return &t->rows[i];
    }
    return NULL;
}

const oct_tuning_row *oct_tuning_find(const oct_tuning *t, const char *key)
{
    return t ? find(t, key) : NULL;
}

octet_status oct_tuning_set(oct_tuning *t, const oct_tuning_row *row)
{
    oct_tuning_row *old = find(t, row->key);
    if (old) {
        *old = *row;
        return OCTET_OK;
    }
    oct_tuning_row *rows = realloc(t->rows, (t->count + 1) * sizeof *rows);
    RETURN_IF(!rows, OCTET_OUT_OF_MEMORY, "out of host memory for %zu tuning rows", t->count + 1);
    t->rows = rows;
    rows[t->count++] = *row;
    return OCTET_OK;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* One line, without its end; false at the end of the text or where a line is too long or odd. */
static bool next_line(const char **text, char line[LINE_CHARS])
{
    size_t n = strcspn(*text, "\n");
    if ((*text)[n] != '\n' || n >= LINE_CHARS)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)(*text)[i] < 32 || (unsigned char)(*text)[i] > 126)
            return false;
    }
    memcpy(line, *text, n);
    line[n] = '\0';
    *text += n + 1;
    return true;
}

/* "VARIANT SPREAD KEY" */
static bool parse_row(const char *line, oct_tuning_row *row)
{
    int at = 0, end = (int)strlen(line);
    memset(row, 0, sizeof *row);
    if (sscanf(line, "%63s %" SCNd64 " %n", row->variant, &row->spread, &at) != 2 || at <= 0 || at >= end)
        return false;
    if (row->spread < 0 || row->spread > MAX_SPREAD || end - at >= OCT_TUNING_KEY)
        return false;
    strcpy(row->key, line + at);
    return true;
}

octet_status oct_tuning_parse(const char *text, const char *head, oct_tuning *t)
{
    char line[LINE_CHARS], last[32];
    oct_tuning_row row;
    octet_status status = OCTET_OK;
    memset(t, 0, sizeof *t);
    RETURN_IF(strncmp(text, head, strlen(head)) != 0, OCTET_CORRUPT_FILE,
              "it is for another device, driver or version of Octet");
    text += strlen(head);
    for (bool more = true; more && status == OCTET_OK;) {
        snprintf(last, sizeof last, "end %zu", t->count);
        if (!next_line(&text, line))
            status = oct_fail(OCTET_CORRUPT_FILE, "it breaks off after row %zu", t->count);
        else if (strcmp(line, last) == 0)
            more = false;
        else if (t->count == MAX_ROWS || !parse_row(line, &row) || find(t, row.key))
            status = oct_fail(OCTET_CORRUPT_FILE, "row %zu is damaged", t->count + 1);
        else
            status = oct_tuning_set(t, &row);
    }
    if (status == OCTET_OK && *text)
        status = oct_fail(OCTET_CORRUPT_FILE, "there is something behind its end");
    if (status != OCTET_OK)
        oct_tuning_free(t);
    return status;
}

/* ---- what comes with the library ---------------------------------------------------------------------- */

#define SHIPPED_FORMAT "octet-shipped-tuning 1"

/* Where a line of a section's head says for whom it is: is it for this device? 1 yes, 0 no, -1: no such line.
 */
static int condition(const char *line, const octet_device_info *device)
{
    if (strncmp(line, "vendor ", 7) == 0)
        return strstr(device->vendor, line + 7) != NULL;
    if (strncmp(line, "device ", 7) == 0)
        return strstr(device->name, line + 7) != NULL;
    if (strncmp(line, "dot ", 4) == 0)
        return strcmp(device->dot4, line + 4) == 0;
    return -1;
}

static octet_status ship_lines(const char *text, const octet_device_info *device, oct_tuning *tuning)
{
    char line[LINE_CHARS];
    bool opened = false, ours = false, in_head = false;
    for (size_t number = 1;; number++) {
        oct_tuning_row row;
        RETURN_IF(!next_line(&text, line), OCTET_CORRUPT_FILE, "shipped tuning: it breaks off at line %zu",
                  number);
        RETURN_IF(number == 1 && strcmp(line, SHIPPED_FORMAT) != 0, OCTET_CORRUPT_FILE,
                  "shipped tuning: the first line is not '" SHIPPED_FORMAT "'");
        if (number == 1 || line[0] == '#' || line[0] == '\0')
            continue;
        if (strcmp(line, "end") == 0)
            break;
        if (strcmp(line, "section") == 0) {
            opened = ours = in_head = true;
            continue;
        }
        int fits = in_head ? condition(line, device) : -1;
        if (fits >= 0) {
            ours = ours && fits;
            continue;
        }
        in_head = false;
        RETURN_IF(!opened || !parse_row(line, &row), OCTET_CORRUPT_FILE,
                  "shipped tuning: line %zu is damaged", number);
        if (ours && !find(tuning, row.key))
            FORWARD(oct_tuning_set(tuning, &row));
    }
    RETURN_IF(*text, OCTET_CORRUPT_FILE, "shipped tuning: there is something behind its end");
    return OCTET_OK;
}

octet_status oct_tuning_ship(const char *text, const octet_device_info *device, oct_tuning *tuning)
{
    size_t before = tuning->count;
    octet_status status = ship_lines(text, device, tuning);
    if (status != OCTET_OK)
        tuning->count = before; /* rows are only ever added at the end */
    return status;
}
