/* Rows of tuning: the user's file and the text that comes with the library. */
#include "fuzz.h"
#include "geometry.h"
#include "tuning.h"

#include <string.h>

#define HEAD "octet-tuning\n"

/* What was parsed is found by its key, and prints to a text that parses to the same. */
static void check_rows(const oct_tuning *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const oct_tuning_row *row = &t->rows[i];
        char text[OCT_GEOMETRY_TEXT];
        oct_geometry g, again;
        FUZZ_MUST(oct_tuning_find(t, row->key) == row);
        FUZZ_MUST(row->spread >= 0 && memchr(row->variant, '\0', sizeof row->variant));
        if (!oct_geometry_parse(row->key, &g))
            continue;
        oct_geometry_print(&g, text);
        FUZZ_MUST(oct_geometry_parse(text, &again) && memcmp(&g, &again, sizeof g) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    octet_device_info info;
    OCTET_INIT(info);
    snprintf(info.vendor, sizeof info.vendor, "NVIDIA Corporation");
    snprintf(info.name, sizeof info.name, "NVIDIA GeForce RTX 4090");
    snprintf(info.dot4, sizeof info.dot4, "nvidia");
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    oct_tuning t = {0};
    if (oct_tuning_parse(text, HEAD, &t) == OCTET_OK)
        check_rows(&t);
    size_t before = t.count;
    if (oct_tuning_ship(text, &info, &t) == OCTET_OK)
        check_rows(&t);
    else
        FUZZ_MUST(t.count == before);
    oct_tuning_free(&t);
    free(text);
    return 0;
}
