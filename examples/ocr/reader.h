/* Reads the text of a picture with the three networks of PP-OCR on liboctet: where lines are, which way up
 * they stand, what they say. The networks may be float or int8; all of it is the same. */
#ifndef OCR_READER_H
#define OCR_READER_H

#include "boxes.h"
#include "picture_file.h"
#include "text.h"

#include <octet/octet.h>

enum { DETECT, DIRECT, RECOGNIZE, NETWORKS };

typedef struct reader {
    octet_context *context;
    octet_model *models[NETWORKS];
    octet_session *sessions[NETWORKS];
    alphabet letters;
    double ms[NETWORKS]; /* spent in each, since the caller last set it to 0 */
    const char
        *samples; /* NULL, or a folder that gets what each network is given: det/, cls/ and rec/N.png */
    int sample_count;
} reader;

typedef struct text_line {
    text_box box;
    int turned; /* it stood upside down; the box starts where the text does */
    char *text;
    double certainty;
} text_line;

typedef struct page_text {
    text_line *lines; /* [count], in reading order; lines of doubtful text are left out */
    size_t count;
} page_text;

/* folder has det.onnx, cls.onnx, rec.onnx and characters.txt. All functions: 0, or -1 with a line on stderr.
 */
int reader_open(reader *r, const char *folder, const char *device);
void reader_close(reader *r);
int reader_read(reader *r, const picture *page, page_text *text);
void page_text_free(page_text *text);

#endif
