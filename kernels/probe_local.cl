/* Is there this much local memory? One work-group fills `words` of it and reads them back from the other end:
 * right[item] is the number of words that were as they should be. */
__kernel void probe(__global int *right, __local uint *block, const int words)
{
    const int item = get_local_id(0), items = get_local_size(0);
    for (int i = item; i < words; i += items)
        block[i] = (uint)i * 2654435761u;
    barrier(CLK_LOCAL_MEM_FENCE);
    int count = 0;
    for (int i = item; i < words; i += items) {
        const int at = words - 1 - i;
        count += block[at] == (uint)at * 2654435761u;
    }
    right[item] = count;
}
