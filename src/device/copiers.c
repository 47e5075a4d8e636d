/* Copying into pinned memory by several threads: one cannot read a file's pages as fast as a bus takes them.
 * The threads start with the first copy that is worth it, sleep between copies and end with the device. */
#include "device_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shares of a copy: several a thread, since some wait for pages longer than others. */
#define SHARES 32

enum { MAX_COPIERS = 8 };

struct oct_copiers {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t threads[MAX_COPIERS - 1];
    int thread_count;
    const oct_host_data *from; /* the copy that is being made: bytes [first, first + count) of this */
    size_t first, count, share;
    unsigned char *to;
    size_t next, left; /* shares to be taken, to be finished */
    bool quit;
};

/* Bytes [first, first + count) of what is copied, as they lie on the device. */
static void gather(const oct_host_data *from, size_t first, size_t count, unsigned char *to)
{
    const char *data = from->data;
    if (!from->row_bytes) {
        memcpy(to, data + first, count);
        return;
    }
    while (count) {
        size_t row = first / from->row_bytes, in_row = first % from->row_bytes, n = from->row_bytes - in_row;
        n = n < count ? n : count;
        memcpy(to, data + row * from->row_stride + in_row, n);
        to += n;
        first += n;
        count -= n;
    }
}

/* Make shares until none is left. Locked on entry and return. */
static void make_shares(oct_copiers *c)
{
    while (c->next * c->share < c->count) {
        const size_t at = c->next++ * c->share, n = c->count - at < c->share ? c->count - at : c->share;
        const oct_host_data *from = c->from;
        unsigned char *to = c->to + at;
        const size_t first = c->first + at;
        pthread_mutex_unlock(&c->lock);
        gather(from, first, n, to);
        pthread_mutex_lock(&c->lock);
        if (--c->left == 0)
            pthread_cond_signal(&c->done);
    }
}

static void *help(void *data)
{
    oct_copiers *c = data;
    pthread_mutex_lock(&c->lock);
    while (!c->quit) {
        make_shares(c);
        if (!c->quit)
            pthread_cond_wait(&c->work, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static oct_copiers *start(void)
{
    oct_copiers *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->done, NULL);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int wanted = (int)(processors < MAX_COPIERS ? processors : MAX_COPIERS) - 1;
    while (c->thread_count < wanted && pthread_create(&c->threads[c->thread_count], NULL, help, c) == 0)
        c->thread_count++;
    return c;
}

void oct_copiers_stop(oct_copiers *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->quit = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < c->thread_count; i++)
        pthread_join(c->threads[i], NULL);
    pthread_cond_destroy(&c->done);
    pthread_cond_destroy(&c->work);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void oct_copiers_copy(oct_copiers **copiers, bool together, const oct_host_data *from, size_t first,
                      size_t count, unsigned char *to)
{
    if (together && !*copiers)
        *copiers = start();
    oct_copiers *c = *copiers;
    if (!together || !c) {
        gather(from, first, count, to);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->from = from;
    c->first = first;
    c->count = count;
    c->to = to;
    c->share = (count + SHARES - 1) / SHARES;
    c->next = 0;
    c->left = (count + c->share - 1) / c->share;
    pthread_cond_broadcast(&c->work);
    make_shares(c);
    while (c->left)
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}
