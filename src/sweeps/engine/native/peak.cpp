// What a core can do at most, for benchmarks: multiply-adds in registers, and instructions that do nothing.

#include "kernels.h"

typedef Vec<float, WIDTH>::type vec;

// The constraint of a vector register in an assembler statement.
#if defined(__x86_64__)
#define REGISTER "+x"
#elif defined(__aarch64__)
#define REGISTER "+w"
#else
#define REGISTER "+m"
#endif

extern "C" {

// Does `rounds` times CHAINS multiply-adds of vectors, none of which waits for the one before it; returns their flops.
double multiply_adds(int64_t rounds) {
    constexpr int CHAINS = 12;
    vec a = vec{} + 1.f, b = vec{};
    asm volatile("" : REGISTER(a), REGISTER(b));  // values the compiler does not know
    vec s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
    for (int64_t n = 0; n < rounds; ++n) {
#define CHAIN(s) s = s * a + b; asm volatile("" : REGISTER(s));
        CHAIN(s0) CHAIN(s1) CHAIN(s2) CHAIN(s3) CHAIN(s4) CHAIN(s5)
        CHAIN(s6) CHAIN(s7) CHAIN(s8) CHAIN(s9) CHAIN(s10) CHAIN(s11)
#undef CHAIN
    }
    return 2. * CHAINS * WIDTH * rounds;
}

// Does `rounds` times 64 instructions that do nothing; returns how many. How many a nanosecond sees of them tells whether
// the core is shared: another program on it takes its share of the instructions, and the clock does not show it.
double nops(int64_t rounds) {
    for (int64_t n = 0; n < rounds; ++n) asm volatile(".rept 64\n nop\n .endr");
    return 64. * rounds;
}

}  // extern "C"
