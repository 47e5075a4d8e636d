/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. Scale and zero point: one, or one per index of
 * `axis`. */
#ifndef OCT_QUANTIZE_H
#define OCT_QUANTIZE_H

#include "caps.h"
#include "quant_args.h"

/* x f32 or s32 -> y u8, s8, u16 or s16. axis is ignored when q has one scale. */
octet_status oct_quantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_quant *q,
                             int axis, const oct_operand *y);
/* x u8, s8, u16, s16 or s32 -> y f32. */
octet_status oct_dequantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_quant *q,
                               int axis, const oct_operand *y);
/* x f32, at least one element -> y u8, scale f32 [1], zero u8 [1]. */
octet_status oct_dynamic_quantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                                     const oct_operand *y, const oct_operand *scale, const oct_operand *zero);

#endif
