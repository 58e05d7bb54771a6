// Sigmoid and tanh in float32, written so that a compiler can compute whole vectors of them; nan stays nan.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// exp(x) = 2^n (1 + q): the integer n next to x / ln 2, and q = exp(r) - 1 of the rest r, by Cephes' polynomial.
struct Exponential {
    float power, q;  // 2^n

    explicit Exponential(float x) {
        const float shifted = x * 1.44269504088896341f + 12582912.f;  // 1.5 * 2^23: rounds to an integer in the low bits
        const float n = shifted - 12582912.f;
        float r = x - n * 0.693359375f;
        r = r - n * -2.12194440e-4f;
        float p = 1.9875691500E-4f;
        p = p * r + 1.3981999507E-3f;
        p = p * r + 8.3334519073E-3f;
        p = p * r + 4.1665795894E-2f;
        p = p * r + 1.6666665459E-1f;
        p = p * r + 5.0000001201E-1f;
        q = p * (r * r) + r;
        uint32_t bits;
        std::memcpy(&bits, &shifted, 4);
        bits = (bits + 127) << 23;  // the integer sits in the low bits; what is above is shifted out
        std::memcpy(&power, &bits, 4);
    }
};

// 1 / (1 + exp(-x)), with an error below 2.5 units in the last place over float32's normal range; nan stays nan.
static inline float sigmoid(float x) {
    x = x > 87.f ? 87.f : x;
    x = x < -88.f ? -88.f : x;
    const Exponential e(-x);
    return 1.f / (1.f + (e.power * e.q + e.power));
}

// (exp(2x) - 1) / (exp(2x) + 1), with an error below 2.5 units in the last place: exp(2|x|) - 1 keeps its digits near 0.
static inline float hyperbolic_tangent(float x) {
    float size = 2.f * std::fabs(x);
    size = size > 20.f ? 20.f : size;  // from there on it is 1
    const Exponential e(size);
    const float less_one = e.power * e.q + (e.power - 1.f);
    return std::copysign(less_one / (less_one + 2.f), x);
}
