/* Files of the cache folder: an entry of a program, which has to be whole and for exactly this key, and
 * texts. The first byte says what the rest is: an entry as it is, or what goes behind a head that is right,
 * so that checks beyond the checksum are reached. */
#include "device_priv.h"
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static const char key[] = "octet\nfile options\n";

/* The name of the key's entry: the only file there is after one is put. */
static const char *entry_name(const char *folder)
{
    static char name[64];
    if (*name)
        return name;
    oct_disk_cache_put(folder, key, (const unsigned char *)"binary", 6);
    DIR *dir = opendir(folder);
    FUZZ_MUST(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] != '.')
            snprintf(name, sizeof name, "%.60s", e->d_name);
    }
    closedir(dir);
    FUZZ_MUST(*name);
    return name;
}

static const char *folder_of_its_own(void)
{
    static char folder[512];
    if (!*folder) {
        oct_environment none = {0};
        char *made = oct_disk_cache_folder(fuzz_path("cache"), &none);
        FUZZ_MUST(made);
        snprintf(folder, sizeof folder, "%s", made);
        free(made);
    }
    return folder;
}

static void read_as_text(const char *folder, const char *name, const uint8_t *data, size_t size)
{
    size_t bytes = 0;
    char *text = oct_cache_read(folder, name, &bytes);
    FUZZ_MUST(text && bytes == size && text[size] == '\0' && (!size || memcmp(text, data, size) == 0));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = folder_of_its_own(), *name = entry_name(folder);
    if (!size)
        return 0;
    bool whole = data[0] & 1;
    const uint8_t *body = data + 1;
    size_t bytes = size - 1, got = 0;
    if (whole && !bytes)
        return 0; /* nothing is put, so what was there stays */
    const oct_cache_piece piece = {body, bytes};
    if (whole)
        oct_disk_cache_put(folder, key, body, bytes);
    else
        FUZZ_MUST(oct_cache_write(folder, name, &piece, 1));
    unsigned char *binary = oct_disk_cache_get(folder, key, &got);
    if (whole)
        FUZZ_MUST(binary && got == bytes && memcmp(binary, body, bytes) == 0);
    else if (binary)
        FUZZ_MUST(got < bytes && memcmp(binary, body + (bytes - got), got) == 0);
    free(binary);
    FUZZ_MUST(!oct_disk_cache_get(folder, "another key", &got));
    if (!whole)
        read_as_text(folder, name, body, bytes);
    return 0;
}
