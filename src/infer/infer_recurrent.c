/* Shapes of recurrent operators. */
#include "infer.h"
#include "recurrent.h"

octet_status oct_infer_recurrent(infer_ctx *c)
{
    oct_recurrent r;
    FORWARD(oct_recurrent_resolve(c->g, c->n, &r));
    int64_t d = r.directions;
    const int64_t y[2][4] = {{r.steps, d, r.batch, r.hidden}, {r.batch, r.steps, d, r.hidden}};
    const int64_t state[2][3] = {{d, r.batch, r.hidden}, {r.batch, d, r.hidden}};
    oct_infer_out(c, 0, OCTET_F32, 4, y[r.batch_first]);
    oct_infer_out(c, 1, OCTET_F32, 3, state[r.batch_first]);
    oct_infer_out(c, 2, OCTET_F32, 3, state[r.batch_first]);
    return OCTET_OK;
}
