/* Copy, Transpose, Cast: elements move, nothing is computed. */
#ifndef OCT_MOVE_H
#define OCT_MOVE_H

#include "device.h"
#include "recipe.h"

/* y = x, same bytes. */
octet_status oct_copy(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);
/* y dimension i is x dimension perm[i]. Any dtype. */
octet_status oct_transpose(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y,
                           const int *perm);
/* Among f32, u8, s8, u16, s16, s32, s64, bool (docs/numerics.md). Errors: UNSUPPORTED. */
octet_status oct_cast(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);

#endif
