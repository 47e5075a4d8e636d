/* Copy, Transpose, boxes, Cast: elements move, nothing is computed. */
#ifndef OCT_MOVE_H
#define OCT_MOVE_H

#include "caps.h"
#include "recipe.h"

/* y = x, same bytes. */
octet_status oct_copy(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);
/* y dimension i is x dimension perm[i]. Any dtype. */
octet_status oct_transpose(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                           const int *perm);
/* A box of elements with its own steps on either side, in elements: y[y_start + sum i y_steps] =
 * x[x_start + sum i x_steps]. x_steps of 0 repeat; negative ones go backwards. x and y: memory and dtype
 * count. */
typedef struct oct_box {
    int rank;
    int64_t dims[OCTET_MAX_RANK], x_steps[OCTET_MAX_RANK], y_steps[OCTET_MAX_RANK];
    int64_t x_start, y_start;
} oct_box;
octet_status oct_move_box(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                          const oct_box *box);
/* Steps of a dense tensor. */
void oct_dense_steps(const int64_t *dims, int rank, int64_t *steps);

/* y[o][k][i] = x[o][indices[k]][i] along one axis of x; indices s32 or s64, checked in runs by `check`, or
 * NULL where they are known to be in range. y: memory and dtype count. */
octet_status oct_gather(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *indices,
                        const oct_operand *y, int axis, const oct_check *check);

/* Among f32, u8, s8, u16, s16, s32, s64, bool (docs/numerics.md). Errors: UNSUPPORTED. */
octet_status oct_cast(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);

#endif
