/* What the processor of a device says of itself, where it is not this host's: PoCL on another machine.
 *   out[0]     the highest leaf of CPUID
 *   out[1..3]  the vendor's name, 12 characters
 *   out[4]     leaf 1, ecx
 *   out[5..6]  leaf 7, ebx and ecx
 *   out[7]     XCR0, the vector registers that the operating system saves; 0: it saves none */
static inline uint4 cpuid(uint leaf)
{
    uint a, b, c, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(leaf), "2"(0u));
    return (uint4)(a, b, c, d);
}

static inline uint xcr0(void)
{
    uint low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0u));
    return low;
}

__kernel void probe(__global uint *out)
{
    const uint osxsave = 1u << 27;
    const uint4 start = cpuid(0);
    out[0] = start.s0;
    out[1] = start.s1;
    out[2] = start.s3;
    out[3] = start.s2;
    out[4] = start.s0 >= 1 ? cpuid(1).s2 : 0;
    const uint4 seven = start.s0 >= 7 ? cpuid(7) : (uint4)(0);
    out[5] = seven.s1;
    out[6] = seven.s2;
    out[7] = out[4] & osxsave ? xcr0() : 0;
}
