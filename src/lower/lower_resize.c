/* Resize, on channels-last operands. */
#include "lower.h"
#include "resize.h"
#include "resize_op.h"

octet_status oct_lower_resize(lowering *l, const oct_node *n)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_resize r;
    FORWARD(oct_resize_resolve(l->g, n, &r));
    oct_resize_request q = {.x = oct_lower_input(l, n, 0),
                            .y = oct_lower_output(l, n, 0),
                            .h = r.in[0],
                            .w = r.in[1],
                            .oh = r.out[0],
                            .ow = r.out[1],
                            .linear = r.linear,
                            .quantized = f->result_kind == OCT_RESULT_GIVEN};
    q.n = q.x.dims[0];
    q.c = q.x.dims[q.x.rank - 1];
    oct_resize_tap *rows = oct_arena_alloc(&l->r->arena, (size_t)r.out[0], sizeof *rows);
    oct_resize_tap *columns = oct_arena_alloc(&l->r->arena, (size_t)r.out[1], sizeof *columns);
    RETURN_IF(!rows || !columns, OCTET_OUT_OF_MEMORY, "out of host memory");
    oct_resize_taps(&r, 0, rows);
    oct_resize_taps(&r, 1, columns);
    q.row_taps = rows;
    q.column_taps = columns;
    q.x_q = oct_lower_quant(l, n, f->operands[0], q.x.dtype);
    q.y_q = oct_lower_quant(l, n, f->result, q.y.dtype);
    return oct_resize_op(l->r, l->caps, &q);
}
