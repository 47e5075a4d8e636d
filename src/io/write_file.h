/* The one way in which Octet writes a file, the library and the command alike: beside the target, under a
 * name of its own, and in its place only when it is whole and on the disk. Whatever ends the process before,
 * a reader finds the file that was there, or none.
 *
 * What exists already keeps its mode, owner and group where they may be set (not ACLs); a new file has 0666
 * less the umask. A symbolic link stays, and the file that it leads to is replaced. A device or a pipe that
 * someone reads, and what the process has as standard output or error, is written to directly: /dev/null,
 * /dev/stdout.
 *
 * The name beside "model.onnx" is ".model.onnx.octet-0" (or -1, ... where another process writes the same).
 * One that a killed process has left there is not locked any more, and the next who writes the same file
 * removes it.
 *
 * Functions return NULL, or in a few words why not; the caller knows the file's name. */
#ifndef OCT_WRITE_FILE_H
#define OCT_WRITE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct oct_out_file {
    FILE *stream;        /* what is to be in the file goes here, or to oct_out_write */
    int error;           /* of the first write that failed */
    char *path;          /* of the target, links followed */
    const char *name;    /* its part behind the folder */
    int folder;          /* which is open; -1: nothing is to be put in its place */
    char temporary[240]; /* "": written to directly */
    bool is_swapped;     /* the temporary name has what the target was */
    bool is_new;         /* the target was not there */
} oct_out_file;          /* {.folder = -1} is none */

/* Ready to be written; a path that cannot be is refused here, before long work. */
const char *oct_out_open(const char *path, oct_out_file *out);
/* Much at a time: the stream loses the reason where such a write fails. oct_out_finish tells it. */
bool oct_out_write(oct_out_file *out, const void *data, size_t bytes);
/* All is written, and on the disk. Nothing is changed at the target yet. */
const char *oct_out_finish(oct_out_file *out);
/* Put finished files in place, all of them or (*failed: the one that cannot be) none, as far as the file
 * system can exchange two names; all are closed then. A process that is killed between two of them leaves
 * some new. */
const char *oct_out_commit(oct_out_file *outs, size_t count, size_t *failed);
/* Forget it, opened, finished or neither; what was at the target stays. */
void oct_out_abandon(oct_out_file *out);

#endif
