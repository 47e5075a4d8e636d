/* Comparisons, logic, Where and QLinearWhere. */
#ifndef OCT_LOGIC_H
#define OCT_LOGIC_H

#include "caps.h"
#include "quant_args.h"

/* name: Equal, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or, Xor. numpy broadcasting; a and b of one
 * type: f32, u8, s8, u16, s16, s32, s64, bool (And, Or, Xor: bool only). y bool. Errors: UNSUPPORTED. */
octet_status oct_logic(oct_recipe *r, const oct_caps *caps, const char *name, const oct_operand *a,
                       const oct_operand *b, const oct_operand *y);
octet_status oct_not(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_operand *y);
/* y = c ? a : b, with numpy broadcasting. c bool; a, b and y of any one type. */
octet_status oct_where(oct_recipe *r, const oct_caps *caps, const oct_operand *c, const oct_operand *a,
                       const oct_operand *b, const oct_operand *y);

/* z = condition ? x : y, each requantized to z's parameters, with numpy broadcasting. condition bool; x, y
 * and z of one type, u8 or s8. */
typedef struct oct_qwhere_request {
    oct_operand condition, x, y, z;
    oct_quant x_q, y_q, z_q;
} oct_qwhere_request;
octet_status oct_qwhere(oct_recipe *r, const oct_caps *caps, const oct_qwhere_request *q);

#endif
