// The trace, ||dL/dh_t|| for every t, one lane after the other, in double: the chain rule along the pre-activations that
// the forward pass stored. Activations, their derivatives and cell states are computed again from these, because a float32
// state has lost its unit's derivative where the unit saturates (1 - tanh(9)^2 is 0 in float32; its true value is 6e-8).
//
// Nothing here leaves double's range: each sequence of the batch has a power of two of its own for its row of dL/dh, each
// element of dL/dc has one, and a row of gates that are all saturated is a multiple of a power of two as well. Scaling by a
// power of two is exact. Exponents are doubles: in a saturated network they may overflow any integer type.
//
// Rows are padded to a multiple of the vector width. The padding of an adjoint stays 0, because that of the weights is 0.

#include "kernels.h"

namespace {

constexpr int N = 8;
typedef double V __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t I __attribute__((vector_size(64)));
typedef float F __attribute__((vector_size(32), aligned(4), may_alias));

constexpr double LOG2_E = 1.4426950408889634, LN2_HIGH = 0.69314718036912382, LN2_LOW = 1.9082149292705877e-10;
constexpr double TO_INTEGER = 6755399441055744.0;  // 1.5 * 2^52: added and taken away, rounds to an integer
constexpr double ZERO = -1e300;                    // the exponent of a row that is exactly zero
constexpr double DEEP = 64;                        // a row whose exponentials are all below exp(-DEEP) gets a power of two

// 2^n for integers n; 0 below double's normal range.
inline V power(V n) {
    n = n > 1023. ? V{} + 1023. : n;
    n = n < -1023. ? V{} - 1023. : n;
    const V shifted = n + TO_INTEGER;
    return (V)(((I)shifted + 1023) << 52);  // the integer sits in the low bits; what is above is shifted out
}
inline double power(double n) {
    const double shifted = std::min(std::max(n, -1023.), 1023.) + TO_INTEGER;
    int64_t bits;
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
    V largest = {};
    for (int j = 0; j < width; j += N)
        for (const V x : {absolute(load(rows + j))...}) largest = x > largest ? x : largest;
    const I over = largest > DEEP / 2;
    int64_t any = 0;
    for (int i = 0; i < N; ++i) any |= over[i];
    return any != 0;
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
        V sums[2] = {};
        for (int j = 0; j < width; j += N) sums[j / N % 2] += load(x + j) * load(x + j);
        const V s = sums[0] + sums[1];
        return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
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

// The transposed recurrent weights of `blocks` gates, both dimensions of each block padded to whole vectors, in panels two
// vectors wide: a panel is contiguous, so that its rows do not evict one another from the cache.
struct Back {
    int n, blocks, width;
    std::vector<double> panels;

    Back(int n_, int blocks_)
        : n(n_), blocks(blocks_), width(padded(n_)), panels((size_t)blocks_ * padded(n_) * padded(n_)) {}
    void set(const float *w) {
        for (int i = 0; i < n; ++i)
            for (int g = 0; g < blocks; ++g)
                for (int j = 0; j < n; ++j) {
                    const int first = i / (2 * N) * (2 * N), across = std::min(2 * N, width - first);
                    panels[(size_t)first * blocks * width + ((size_t)g * width + j) * across + (i - first)] =
                        w[((long)i * blocks + g) * n + j];
                }
    }
    // to += delta back, for [rows, blocks * width] and [rows, width]
    void add(int rows, const double *delta, double *to) const {
        const int depth = blocks * width;
        for (int first = 0; first < width; first += 2 * N) {
            const double *panel = panels.data() + (size_t)first * depth;
            if (width - first >= 2 * N) column<N, 2>(rows, depth, delta, depth, 1, panel, 2 * N, to + first, width);
            else column<N, 1>(rows, depth, delta, depth, 1, panel, N, to + first, width);
        }
    }
};

}  // namespace

// The layers above and below a recurrence, in double, a power of two for each sequence of each step. Null pointers: none.
struct OutsideRows {
    const double *above;  // [K, T, B, H] times 2^above_exponent [K, T, B]
    int64_t above_lane;
    const double *above_exponent;
    const float *w_ih;
    double *dx;  // [K, T, B, I] times 2^dx_exponent [K, T, B], written
    int64_t dx_lane;
    double *dx_exponent;
};

namespace {

// The same for one lane after the other. A delta has `blocks` blocks, each padded to whole vectors.
struct Neighbours {
    const OutsideRows &o;
    const int steps, batch, inputs, n, blocks, width;
    std::vector<double> down;  // the transpose of w_ih, its rows padded as a delta is
    const double *above = nullptr, *above_exponent = nullptr;
    double *dx = nullptr, *dx_exponent = nullptr;

    Neighbours(const OutsideRows *o_, const Shape *s, int blocks_)
        : o(*o_), steps(s->steps), batch(s->batch), inputs(s->inputs), n(s->hidden), blocks(blocks_),
          width(padded(s->hidden)), down(o.dx ? (size_t)blocks_ * width * s->inputs : 0) {}
    void lane(int64_t k, int64_t p_lane) {
        const long rows = (long)steps * batch;
        if (o.above) above = o.above + k * o.above_lane, above_exponent = o.above_exponent + k * rows;
        if (!o.dx) return;
        dx = o.dx + k * o.dx_lane, dx_exponent = o.dx_exponent + k * rows;
        std::fill(dx, dx + rows * inputs, 0.);
        const float *w = o.w_ih + k * p_lane;
        for (int i = 0; i < inputs; ++i)
            for (int g = 0; g < blocks; ++g)
                for (int j = 0; j < n; ++j)
                    down[((size_t)g * width + j) * inputs + i] = w[((long)i * blocks + g) * n + j];
    }
    void pass_down(int t, const double *delta, const double *exponents) {
        const int depth = blocks * width;
        product(batch, inputs, depth, delta, depth, 1, down.data(), inputs, dx + (long)t * batch * inputs, inputs);
        std::copy(exponents, exponents + batch, dx_exponent + (long)t * batch);
    }
    bool zero(const double *x) const {
        return std::all_of(x, x + n, [](double value) { return value == 0.; });
    }
    // Adds what comes down to h_{t-1}, each row on the larger of the two exponents.
    void take(int t, Rows &adjoint) const {
        if (!above) return;
        for (int b = 0; b < batch; ++b) {
            const long row = (long)(t - 1) * batch + b;
            double *x = adjoint.row(b);
            const double *y = above + row * n;
            // the exponent of a row of zeros says nothing
            const double e = zero(x) ? ZERO : adjoint.exponent[b], e_above = zero(y) ? ZERO : above_exponent[row];
            const double top = std::max(e, e_above), own = power(e - top), other = power(e_above - top);
            for (int j = 0; j < n; ++j) x[j] = x[j] * own + y[j] * other;
            adjoint.exponent[b] = top;
        }
    }
};

template <bool deep>
void tanh_row(int width, const float *a, double k, const double *dh, double *delta) {
    for (int j = 0; j < width; j += N) {
        const Decay<deep> d(absolute(load(a + j)) * 2.);
        *(V *)(delta + j) = load(dh + j) * 4. * d.slope(k);
    }
}

// c_t = f c_{t-1} + i g
void lstm_cell(int width, const float *i, const float *f, const float *g, const double *before, double *after) {
    for (int j = 0; j < width; j += N) {
        const V a_i = load(i + j), a_f = load(f + j), a_g = load(g + j);
        const Decay<true> d_i(absolute(a_i)), d_f(absolute(a_f)), d_g(absolute(a_g) * 2.);
        *(V *)(after + j) = d_f.gate(a_f) * load(before + j) + d_i.gate(a_i) * d_g.tangent(a_g);
    }
}

// dL/dc, each element with a power of two of its own: through a forget gate that is open for a thousand steps, a unit's
// dL/dc outlasts that of other units which was many powers of two larger.
struct Cells {
    int width;
    std::vector<double> value, exponent;

    Cells(int rows, int width_) : width(width_), value((size_t)rows * width_), exponent((size_t)rows * width_) {}
    void zero() {
        std::fill(value.begin(), value.end(), 0.);
        std::fill(exponent.begin(), exponent.end(), ZERO);
    }
};

// Normalises x = m 2^e to 1 <= |m| < 2. A zero gets the exponent ZERO; values that are not finite stay as they are.
inline void settle(V &m, V &e) {
    const I bits = (I)m, field = (bits >> 52) & 2047;
    const I some = (field != 0) & (field != 2047);
    const V shift = __builtin_convertvector(field - 1023, V);
    m = some ? (V)((bits & ~(2047LL << 52)) | (1023LL << 52)) : m;
    e = some ? e + shift : e;
    e = m == 0. ? V{} + ZERO : e;
}

// Adds dL/dh_t o tanh'(c_t) to dL/dc_t, in `dc`; writes dL/da_o, scaled, to `d_o`. Returns the highest exponent of dc.
double lstm_into_cell(int width, const float *o, const double *c, double s_o, const double *dh, double e, double *dc,
                      double *dc_exponent, double *d_o) {
    V highest = V{} + ZERO;
    for (int j = 0; j < width; j += N) {
        const V a_o = load(o + j), c_t = load(c + j), a = load(dh + j);
        const Decay<true> by_o(absolute(a_o)), by_c(absolute(c_t) * 2.);
        *(V *)(d_o + j) = a * by_c.tangent(c_t) * by_o.slope(s_o);
        V added = a * 4. * by_c.p * by_c.inverse * by_c.inverse * (a_o >= 0. ? V{} + 1. : by_o.p) * by_o.inverse;
        V e_added = e - by_c.n - (a_o >= 0. ? V{} : by_o.n), old = load(dc + j), e_old = load(dc_exponent + j);
        e_added = added == 0. ? V{} + ZERO : e_added;
        V top = e_added > e_old ? e_added : e_old;
        V whole = old * power(e_old - top) + added * power(e_added - top);
        settle(whole, top);
        highest = top > highest ? top : highest;
        *(V *)(dc + j) = whole;
        *(V *)(dc_exponent + j) = top;
    }
    double result = highest[0];
    for (int i = 1; i < N; ++i) result = std::max(result, highest[i]);
    return result;
}

struct LstmScales {  // exponents of the rows of gates (k_) and of derivatives (s_); factors to one scale for delta (to_)
    double k_i, s_i, s_f, s_g, top, to_o, to_i, to_f, to_g;
};
// dL/da of i, f and g from dL/dc_t, all of delta at one scale; dL/dc_{t-1} = f dL/dc_t.
template <bool deep>
void lstm_row(int width, const float *i, const float *f, const float *g, const double *before, const LstmScales &s,
              double *dc, double *dc_exponent, double *delta) {
    for (int j = 0; j < width; j += N) {
        const V a_i = load(i + j), a_f = load(f + j), a_g = load(g + j), e = load(dc_exponent + j);
        const Decay<deep> d_i(absolute(a_i)), d_f(absolute(a_f)), d_g(absolute(a_g) * 2.);
        const V own = load(dc + j), whole = own * power(e - s.top);
        *(V *)(delta + j) = whole * d_g.tangent(a_g) * d_i.slope(s.s_i) * s.to_i;
        *(V *)(delta + width + j) = whole * load(before + j) * d_f.slope(s.s_f) * s.to_f;
        *(V *)(delta + 2 * width + j) = load(delta + 2 * width + j) * s.to_o;
        *(V *)(delta + 3 * width + j) = whole * d_i.gate(a_i, s.k_i) * d_g.slope(s.s_g) * (4. * s.to_g);
        *(V *)(dc + j) = own * (a_f >= 0. ? V{} + 1. : d_f.p) * d_f.inverse;
        *(V *)(dc_exponent + j) = own == 0. ? V{} + ZERO : a_f >= 0. ? e : e - d_f.n;
    }
}

// h_t = (1 - z) n + z h_{t-1}
void gru_state(int width, const float *z, const float *m, const double *before, double *after) {
    for (int j = 0; j < width; j += N) {
        const V a_z = load(z + j), a_m = load(m + j);
        const Decay<true> d_z(absolute(a_z)), d_m(absolute(a_m) * 2.);
        *(V *)(after + j) = d_z.gate(-a_z) * d_m.tangent(a_m) + d_z.gate(a_z) * load(before + j);
    }
}

struct GruScales {
    double k_z, k_w, k_r, s_z, s_m, s_r, to_kept, to_z, to_r, to_s;
};
template <bool deep>
void gru_row(int width, const float *r, const float *z, const float *m, const float *inner, const double *before,
             const GruScales &s, double *dh, double *delta, double *for_x) {
    for (int j = 0; j < width; j += N) {
        const V a_r = load(r + j), a_z = load(z + j), a_m = load(m + j), a = load(dh + j);
        const Decay<deep> d_r(absolute(a_r)), d_z(absolute(a_z)), d_m(absolute(a_m) * 2.);
        const V through = a * d_z.gate(-a_z, s.k_w) * d_m.slope(s.s_m) * 4.;
        const V to_r = through * load(inner + j) * d_r.slope(s.s_r);
        const V to_z = a * (load(before + j) - d_m.tangent(a_m)) * d_z.slope(s.s_z);
        if (for_x) *(V *)(for_x + j) = to_r, *(V *)(for_x + width + j) = to_z, *(V *)(for_x + 2 * width + j) = through;
        *(V *)(delta + j) = to_r * s.to_r;
        *(V *)(delta + width + j) = to_z * s.to_z;
        *(V *)(delta + 2 * width + j) = through * d_r.gate(a_r, s.k_r) * s.to_s;
        *(V *)(dh + j) = a * d_z.gate(a_z, s.k_z) * s.to_kept;  // dL/dh_{t-1} through z h_{t-1} alone
    }
}

}  // namespace

// In each function dh [K, B, H] times 2^dh_exponent [K, B] is dL/dh_{T-1}; norm and exponent [K, T] are its results.
extern "C" {

void rnn_record(const Shape *s, int64_t phi, const float *pre, int64_t pre_lane, const float *w_hh, int64_t p_lane,
                const double *dh, int64_t dh_lane, const double *dh_exponent, double *norm, double *exponent, const OutsideRows *outside) {
    const int T = s->steps, B = s->batch, H = s->hidden, W = padded(H);
    Back back(H, 1);
    Neighbours beside(outside, s, 1);
    std::vector<double> squares(B);
    Rows adjoint(B, W), delta(B, W);
    Padded whole(H, 1);
    for (int64_t k = 0; k < s->lanes;
         ++k, pre += pre_lane, w_hh += p_lane, dh += dh_lane, dh_exponent += B, norm += T, exponent += T) {
        back.set(w_hh);
        beside.lane(k, p_lane);
        adjoint.set(H, dh, dh_exponent);
        for (int t = T - 1; t >= 0; --t) {
            note(adjoint, squares, norm + t, exponent + t);
            if (t == 0 && !beside.dx) break;
            for (int b = 0; b < B; ++b) {
                const float *a = whole(pre + ((long)t * B + b) * H);
                const double *in = adjoint.row(b);
                double *out = delta.row(b);
                if (phi == 0) {
                    const double least = may_be_deep(W, a) ? slope_exponent(a, W, 2) : 0.;
                    (least ? tanh_row<true> : tanh_row<false>)(W, a, least, in, out);
                    adjoint.exponent[b] -= least;
                } else
                    for (int j = 0; j < W; ++j) out[j] = a[j] <= 0.f ? 0. : in[j];
            }
            if (beside.dx) beside.pass_down(t, delta.value.data(), adjoint.exponent.data());
            if (t == 0) break;
            std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
            if (!s->cut_before(t)) back.add(B, delta.value.data(), adjoint.value.data());
            beside.take(t, adjoint);
        }
    }
}

void lstm_record(const Shape *s, const float *pre, int64_t pre_lane, const float *w_hh, int64_t p_lane, const double *dh,
                 int64_t dh_lane, const double *dh_exponent, double *norm, double *exponent, const OutsideRows *outside) {
    const int T = s->steps, B = s->batch, H = s->hidden, W = padded(H);
    const long n = (long)B * W;
    Back back(H, 4);
    Neighbours beside(outside, s, 4);
    std::vector<double> squares(B), cell((size_t)(T + 1) * n);
    Rows adjoint(B, W), delta(B, 4 * W);
    Cells dc(B, W);
    Padded whole(H, 4);
    for (int64_t k = 0; k < s->lanes;
         ++k, pre += pre_lane, w_hh += p_lane, dh += dh_lane, dh_exponent += B, norm += T, exponent += T) {
        back.set(w_hh);
        beside.lane(k, p_lane);
        for (long row = 0; row < (long)T * B; ++row) {
            const float *gates = pre + row * 4 * H;
            double *before = cell.data() + row * W;
            lstm_cell(W, whole(gates, 0), whole(gates, 1), whole(gates, 3), before, before + n);
        }
        adjoint.set(H, dh, dh_exponent);
        dc.zero();
        for (int t = T - 1; t >= 0; --t) {
            note(adjoint, squares, norm + t, exponent + t);
            if (t == 0 && !beside.dx) break;
            for (int b = 0; b < B; ++b) {
                const float *gates = pre + ((long)t * B + b) * 4 * H;
                const float *i = whole(gates, 0), *f = whole(gates, 1), *o = whole(gates, 2), *g = whole(gates, 3);
                const double *before = cell.data() + t * n + (long)b * W, *c = before + n, e = adjoint.exponent[b];
                double *dc_t = dc.value.data() + (long)b * W, *dc_exponent = dc.exponent.data() + (long)b * W;
                LstmScales x{};
                const bool deep = may_be_deep(W, i, f, o, g);
                double s_o = 0;
                if (deep) {
                    s_o = slope_exponent(o, W, 1), x.k_i = gate_exponent(i, W, 1), x.s_i = slope_exponent(i, W, 1);
                    x.s_f = slope_exponent(f, W, 1), x.s_g = slope_exponent(g, W, 2);
                }
                x.top = lstm_into_cell(W, o, c, s_o, adjoint.row(b), e, dc_t, dc_exponent, delta.row(b) + 2 * W);
                const double e_o = e - s_o, e_i = x.top - x.s_i, e_f = x.top - x.s_f, e_g = x.top - x.k_i - x.s_g;
                const double top = std::max(std::max(e_o, e_g), std::max(e_i, e_f));
                x.to_o = power(e_o - top), x.to_i = power(e_i - top), x.to_f = power(e_f - top), x.to_g = power(e_g - top);
                (deep ? lstm_row<true> : lstm_row<false>)(W, i, f, g, before, x, dc_t, dc_exponent, delta.row(b));
                adjoint.exponent[b] = top;
            }
            if (beside.dx) beside.pass_down(t, delta.value.data(), adjoint.exponent.data());
            if (t == 0) break;
            std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
            if (s->cut_before(t)) dc.zero();
            else back.add(B, delta.value.data(), adjoint.value.data());
            beside.take(t, adjoint);
        }
    }
}

void gru_record(const Shape *s, const float *pre, int64_t pre_lane, const float *inner, int64_t inner_lane,
                const float *w_hh, int64_t p_lane, const double *dh, int64_t dh_lane, const double *dh_exponent,
                double *norm, double *exponent, const OutsideRows *outside) {
    const int T = s->steps, B = s->batch, H = s->hidden, W = padded(H);
    const long n = (long)B * W;
    Back back(H, 3);
    Neighbours beside(outside, s, 3);
    std::vector<double> squares(B), h((size_t)(T + 1) * n);
    Rows adjoint(B, W), delta(B, 3 * W);  // delta: dr, dz, and ds in place of dn
    Rows for_x(B, 3 * W);                 // dr, dz, dn
    Padded whole(H, 3), whole_inner(H, 1);
    for (int64_t k = 0; k < s->lanes; ++k, pre += pre_lane, inner += inner_lane, w_hh += p_lane, dh += dh_lane,
                 dh_exponent += B, norm += T, exponent += T) {
        back.set(w_hh);
        beside.lane(k, p_lane);
        for (long row = 0; row < (long)T * B; ++row) {
            const float *gates = pre + row * 3 * H;
            double *before = h.data() + row * W;
            gru_state(W, whole(gates, 1), whole(gates, 2), before, before + n);
        }
        adjoint.set(H, dh, dh_exponent);
        for (int t = T - 1; t >= 0; --t) {
            note(adjoint, squares, norm + t, exponent + t);
            if (t == 0 && !beside.dx) break;
            for (int b = 0; b < B; ++b) {
                const long row = (long)t * B + b;
                const float *gates = pre + row * 3 * H, *in = whole_inner(inner + row * H);
                const float *r = whole(gates, 0), *z = whole(gates, 1), *m = whole(gates, 2);
                GruScales x{};
                const bool deep = may_be_deep(W, r, z, m);
                if (deep) {
                    x.k_z = gate_exponent(z, W, 1), x.k_w = gate_exponent(z, W, -1), x.k_r = gate_exponent(r, W, 1);
                    x.s_z = slope_exponent(z, W, 1), x.s_m = slope_exponent(m, W, 2), x.s_r = slope_exponent(r, W, 1);
                }
                const double e = adjoint.exponent[b], e_n = e - x.k_w - x.s_m;
                const double e_kept = e - x.k_z, e_z = e - x.s_z, e_r = e_n - x.s_r, e_s = e_n - x.k_r;
                const double top = std::max(std::max(e_kept, e_z), std::max(e_r, e_s));
                x.to_kept = power(e_kept - top), x.to_z = power(e_z - top);
                x.to_r = power(e_r - top), x.to_s = power(e_s - top);
                double *x_row = beside.dx ? for_x.row(b) : nullptr;
                (deep ? gru_row<true> : gru_row<false>)(W, r, z, m, in, h.data() + row * W, x, adjoint.row(b),
                                                        delta.row(b), x_row);
                adjoint.exponent[b] = top;
                if (!x_row) continue;
                const double down = std::max(e_n, std::max(e_z, e_r));  // without the direct path, which stays here
                const double parts[] = {power(e_r - down), power(e_z - down), power(e_n - down)};
                for (int j = 0; j < 3 * W; ++j) x_row[j] *= parts[j / W];
                for_x.exponent[b] = down;
            }
            if (beside.dx) beside.pass_down(t, for_x.value.data(), for_x.exponent.data());
            if (t == 0) break;
            if (s->cut_before(t)) std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
            else back.add(B, delta.value.data(), adjoint.value.data());
            beside.take(t, adjoint);
        }
    }
}

}  // extern "C"
