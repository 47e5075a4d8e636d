/* Which of its operands qcom_dot8_acc takes as signed: out[0] is 255 or -1 for the first, out[1] for the
 * second. */
#include "common.clh"
#ifdef cl_qcom_dot_product8
#pragma OPENCL EXTENSION cl_qcom_dot_product8 : enable
#endif

__kernel void probe(MEM(out))
{
    AT(int, out)[0] = qcom_dot8_acc(0xffu, 0x01u, 0);
    AT(int, out)[1] = qcom_dot8_acc(0x01u, 0xffu, 0);
}
