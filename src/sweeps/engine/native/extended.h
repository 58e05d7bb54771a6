// Rows of doubles that share a power of two, and gates and derivatives that do not round to 0: what the record computes with.
//
// Nothing here leaves double's range: each sequence of the batch has a power of two of its own for its row of dL/dh, and a
// row of gates that are all saturated is a multiple of a power of two as well. Scaling by a power of two is exact. Exponents
// are doubles: in a saturated network they may overflow any integer type.
//
// Rows are padded to a multiple of the vector width. The padding of an adjoint stays 0, because that of the weights is 0.

#pragma once

#include "kernels.h"

namespace {

constexpr int N = LONG<double>;  // of this processor's vectors: compilers do badly with longer ones
typedef double V __attribute__((vector_size(8 * N), aligned(8), may_alias));
typedef int64_t I __attribute__((vector_size(8 * N)));
typedef uint64_t U __attribute__((vector_size(8 * N)));  // whose bits may be shifted out
typedef float F __attribute__((vector_size(4 * N), aligned(4), may_alias));

constexpr double LOG2_E = 1.4426950408889634, LN2_HIGH = 0.69314718036912382, LN2_LOW = 1.9082149292705877e-10;
constexpr double TO_INTEGER = 6755399441055744.0;  // 1.5 * 2^52: added and taken away, rounds to an integer
constexpr double ZERO = -1e300;                    // the exponent of a row that is exactly zero
constexpr double DEEP = 64;                        // a row whose exponentials are all below exp(-DEEP) gets a power of two

// 2^n for integers n; 0 below double's normal range.
inline V power(V n) {
    n = n > 1023. ? V{} + 1023. : n;
    n = n < -1023. ? V{} - 1023. : n;
    const V shifted = n + TO_INTEGER;
    return (V)(((U)shifted + 1023) << 52);  // the integer sits in the low bits; what is above is shifted out
}
inline double power(double n) {
    const double shifted = std::min(std::max(n, -1023.), 1023.) + TO_INTEGER;
    uint64_t bits;
    std::memcpy(&bits, &shifted, 8);
    bits = (bits + 1023) << 52;
    double result;
    std::memcpy(&result, &bits, 8);
    return result;
}
inline V absolute(V x) { return (V)((I)x & INT64_MAX); }
inline V load(const float *x) { return __builtin_convertvector(*(const F *)x, V); }
inline V load(const double *x) { return *(const V *)x; }

// exp(-y) for y >= 0, with an error of 7e-12 (Taylor's series on |r| < ln 2 / 2); gates and derivatives computed from it.
template <bool deep>
struct Decay {
    V p, n, e, inverse;  // exp(-y) = p 2^-n = e, where e is 0 below double's range; inverse = 1 / (1 + e)

    inline explicit Decay(V y) {
        n = (y * LOG2_E + TO_INTEGER) - TO_INTEGER;
        V r = n * LN2_HIGH - y + n * LN2_LOW;
        if (deep) {  // y may be so large that it has no digits after the decimal point
            r = r > 0.35 ? V{} + 0.35 : r;
            r = r < -0.35 ? V{} - 0.35 : r;
        }
        p = r * (1. / 362880) + 1. / 40320;
        p = p * r + 1. / 5040;
        p = p * r + 1. / 720;
        p = p * r + 1. / 120;
        p = p * r + 1. / 24;
        p = p * r + 1. / 6;
        p = p * r + 0.5;
        p = p * r + 1.;
        p = p * r + 1.;
        e = p * power(-n);
        inverse = 1. / (1. + e);
    }
    // exp(-y) 2^k
    inline V times(double k) const {
        if constexpr (deep) return p * power(k - n);
        else return e;
    }
    // With y = |a|: sigma(a) and sigma'(a) = sigma(a) sigma(-a), times 2^k. With y = 2|a|: tanh(a), tanh'(a) / 4.
    inline V gate(V a, double k = 0) const { return (a >= 0. ? V{} + 1. : times(k)) * inverse; }
    inline V slope(double k) const { return times(k) * inverse * inverse; }
    inline V tangent(V a) const {
        const V z = a * a, large = (1. - e) * inverse;
        const V small = a * (1. + z * (-1. / 3 + z * (2. / 15 + z * (-17. / 315 + z * (62. / 2835)))));
        return z < 1e-3 ? small : a < 0. ? -large : large;
    }
};

int padded(int n) { return (n + N - 1) / N * N; }

// `blocks` adjacent rows of n floats, each padded with its first element, which changes neither minimum nor maximum.
struct Padded {
    int n, width;
    std::vector<float> copy;

    Padded(int n_, int blocks) : n(n_), width(padded(n_)), copy((size_t)blocks * padded(n_)) {}
    const float *operator()(const float *row, int block = 0) {
        const float *from = row + (long)block * n;
        if (n == width) return from;
        float *to = copy.data() + (long)block * width;
        std::memcpy(to, from, sizeof(float) * n);
        std::fill(to + n, to + width, from[0]);
        return to;
    }
};

// Whether any element is so large that all of a row might be saturated. This is rare; the exponents are computed then.
template <typename... Row>
inline bool may_be_deep(int width, const Row *...rows) {
    F largest = {};
    for (int j = 0; j < width; j += N)
        for (const F x : {*(const F *)(rows + j)...}) {
            const F size = x < 0.f ? -x : x;
            largest = size > largest ? size : largest;
        }
    float most = 0;
    for (int i = 0; i < N; ++i) most = std::max(most, largest[i]);
    return most > DEEP / 2;
}

// -log2 of the largest exp(-y) in a row, rounded down; 0 unless that exp(-y) is below exp(-DEEP).
template <typename Value>
inline double exponent_of(int width, Value y) {
    V least = V{} + INFINITY;
    for (int j = 0; j < width; j += N) {
        const V x = y(j);
        least = x < least ? x : least;
    }
    double result = least[0];
    for (int i = 1; i < N; ++i) result = std::min(result, least[i]);
    return result > DEEP ? std::floor(result * LOG2_E) : 0.;
}
template <typename T>
inline double slope_exponent(const T *a, int width, double scale) {
    return exponent_of(width, [=](int j) { return absolute(load(a + j)) * scale; });
}
inline double gate_exponent(const float *a, int width, double sign) {
    return exponent_of(width, [=](int j) { return load(a + j) * -sign; });
}

// Rows [B, width] in double, each times 2^exponent.
struct Rows {
    int rows, width;
    std::vector<double> value, exponent;

    Rows(int rows_, int width_) : rows(rows_), width(width_), value((size_t)rows_ * width_), exponent(rows_) {}
    double *row(int b) { return value.data() + (size_t)b * width; }
    void set(int n, const double *from, const double *exponents) {
        std::fill(value.begin(), value.end(), 0.);
        for (int b = 0; b < rows; ++b) std::copy(from + (long)b * n, from + (long)(b + 1) * n, row(b));
        std::copy(exponents, exponents + rows, exponent.begin());
    }
    // Sum of squares of a row; the row is rescaled to a maximum near 1 first if that sum is not within 1e-120 .. 1e120.
    double settle(int b) {
        double *x = row(b), sum = squares(x);
        if (sum > 1e-120 && sum < 1e120) return sum;
        double largest = 0;
        for (int j = 0; j < width; ++j) largest = std::max(largest, std::fabs(x[j]));
        if (largest == 0 && sum == 0) exponent[b] = ZERO;
        if (!(largest > 0 && std::isfinite(largest))) return sum;
        int e;
        std::frexp(largest, &e);
        const double half = power(-(e / 2)), rest = power(-(e - e / 2));
        for (int j = 0; j < width; ++j) x[j] = x[j] * half * rest;
        exponent[b] += e;
        return squares(x);
    }

  private:
    double squares(const double *x) const {
        V s = {}, other = {};  // two chains of additions: neither waits for the other
        int j = 0;
        for (; j + N < width; j += 2 * N) s += load(x + j) * load(x + j), other += load(x + j + N) * load(x + j + N);
        if (j < width) s += load(x + j) * load(x + j);
        s += other;
        double even = 0, odd = 0;
        for (int i = 0; i < N; i += 2) even += s[i], odd += s[i + 1];
        return even + odd;
    }
};

// Writes the norm of dL/dh_t over all rows as norm * 2^exponent.
void note(Rows &dh, std::vector<double> &squares, double *norm, double *exponent) {
    double largest = ZERO, sum = 0;
    for (int b = 0; b < dh.rows; ++b) {
        squares[b] = dh.settle(b);
        largest = std::max(largest, dh.exponent[b]);
    }
    for (int b = 0; b < dh.rows; ++b) {
        const double down = power(dh.exponent[b] - largest);
        sum += squares[b] * down * down;
    }
    *norm = std::sqrt(sum);
    *exponent = largest == ZERO ? 0. : largest;
}

// Transposed weights [n, blocks * m] of `blocks` gates: what takes a delta, whose blocks are padded to whole vectors, down.
struct Back {
    int m, blocks, width;
    Panels<double> panels;

    Back(int n, int m_, int blocks_) : m(m_), blocks(blocks_), width(padded(m_)), panels(blocks_ * padded(m_), n) {}
    void set(const float *w) {
        for (int g = 0; g < blocks; ++g)
            for (int j = 0; j < m; ++j) panels.put(g * width + j, w + (long)g * m + j, (long)blocks * m);
    }
    // to [rows, n] = delta [rows, blocks * width] W^T, or += that; a row of `to` has `ld` elements.
    template <bool more>
    void apply(int rows, const double *delta, double *to, long ld) const {
        tiles<double>(rows, panels.columns, [&](auto tile, int r, int c) {
            if (more) tile.load(to + r * ld + c, ld, panels.columns - c);
            else tile.zero();
            tile.add(panels.depth, delta + (long)r * panels.depth, panels.depth, 1, panels.at(c), tile.width);
            tile.store(to + r * ld + c, ld, panels.columns - c);
        });
    }
};

}  // namespace
