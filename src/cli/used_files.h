/* The files of a command. It reads through here and writes through here, so that no output takes the place of
 * something that is read, or of another output. All return 0, or EXIT_FAILED with the error told. */
#ifndef CLI_USED_FILES_H
#define CLI_USED_FILES_H

#include "write_file.h"

#include <stddef.h>
#include <stdio.h>

/* A regular file of this many bytes, to be read. */
int input_open(const char *path, FILE **file, size_t *bytes);
/* All of it, and a 0 behind it; free *data. */
int input_read(const char *path, unsigned char **data, size_t *bytes);
/* One that the library reads, or is going to. What cannot be opened is for the library to tell. */
int input_note(const char *path);

typedef struct output_file {
    oct_out_file out;
    const char *path; /* the caller's, who keeps it */
} output_file;

int output_open(const char *path, output_file *file);
/* That it could be opened, and is nothing that is read: for what the library writes, before long work. */
int output_check(const char *path);
/* All is written. The others of a command are finished, too, before any is put in place. */
int output_finish(output_file *file);
/* All of them or none; they are closed then. */
int output_commit(output_file *files, size_t count);
void output_abandon(output_file *files, size_t count);

/* At the end of a command. */
void used_files_forget(void);

#endif
