// The recurrences as one call each: a lane at a time, its whole time loop with the weights in cache, every elementwise
// step fused. Plain C interface, no dependencies; the mathematics and the buffers are those of recurrences/*.py.
//
// A lane's numbers depend on nothing but the lane: no step here looks at K or at another lane. Rows are batch,
// weights multiply from the right, everything is float32 in row-major order; `*_lane` are strides between lanes. Only
// the adjoint may travel back in double (`wide`, see Sizes.adjoint in base.py): S is its format in what follows.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
#elif defined(__AVX__)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif
constexpr int ROWS = 8;     // rows of a register tile
constexpr int VECTORS = 2;  // vectors across it
constexpr int CHUNK = 4;    // time steps whose weight gradients are taken as one product
constexpr double LARGEST = 16777216.0;  // 2^24, as in adjoint.py

template <typename S, int N>
struct Vec {
    typedef S type __attribute__((vector_size(sizeof(S) * N), aligned(sizeof(S)), may_alias));
};

// ---------------------------------------------------------------------------------------------- products

// C[R, V*N] += A[R, depth] B[depth, V*N], A addressed by a row and a depth stride.
template <int N, int R, int V, typename S>
static inline void tile(int depth, const S *a, long a_row, long a_depth, const S *b, long ldb, S *c, long ldc) {
    typedef typename Vec<S, N>::type vec;
    vec sum[R][V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[r][v] = *(const vec *)(c + r * ldc + v * N);
    for (int k = 0; k < depth; ++k) {
        vec row[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) row[v] = *(const vec *)(b + k * ldb + v * N);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            const S x = a[r * a_row + k * a_depth];
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[r][v] += x * row[v];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) *(vec *)(c + r * ldc + v * N) = sum[r][v];
}

template <int N, int V, typename S>
static inline void column(int rows, int depth, const S *a, long a_row, long a_depth, const S *b, long ldb, S *c,
                          long ldc) {
    int m = 0;
    for (; m + ROWS <= rows; m += ROWS) tile<N, ROWS, V>(depth, a + m * a_row, a_row, a_depth, b, ldb, c + m * ldc, ldc);
    for (; m + 4 <= rows; m += 4) tile<N, 4, V>(depth, a + m * a_row, a_row, a_depth, b, ldb, c + m * ldc, ldc);
    for (; m < rows; ++m) tile<N, 1, V>(depth, a + m * a_row, a_row, a_depth, b, ldb, c + m * ldc, ldc);
}

// C[rows, columns] += A[rows, depth] B[depth, columns]
template <typename S>
static void product(int rows, int columns, int depth, const S *a, long a_row, long a_depth, const S *b, long ldb, S *c,
                    long ldc) {
    constexpr int N = WIDTH * sizeof(float) / sizeof(S);
    int n = 0;
    for (; n + VECTORS * N <= columns; n += VECTORS * N)
        column<N, VECTORS>(rows, depth, a, a_row, a_depth, b + n, ldb, c + n, ldc);
    for (; n + N <= columns; n += N) column<N, 1>(rows, depth, a, a_row, a_depth, b + n, ldb, c + n, ldc);
    for (; n + 4 <= columns; n += 4) column<4, 1>(rows, depth, a, a_row, a_depth, b + n, ldb, c + n, ldc);
    for (; n < columns; ++n)
        for (int m = 0; m < rows; ++m) {
            S sum = c[m * ldc + n];
            for (int k = 0; k < depth; ++k) sum += a[m * a_row + k * a_depth] * b[k * ldb + n];
            c[m * ldc + n] = sum;
        }
}

template <typename S>
static void transpose(int rows, int columns, const float *w, S *out) {
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) out[(long)j * rows + i] = w[(long)i * columns + j];
}

static void fill_rows(int rows, int columns, const float *bias, float *out) {
    for (int r = 0; r < rows; ++r) std::memcpy(out + (long)r * columns, bias, sizeof(float) * columns);
}

// ---------------------------------------------------------------------------------------------- functions

// exp with an error below 2 units in the last place over float32's normal range (Cephes expf); nan stays nan.
static inline float exponential(float x) {
    x = x > 88.f ? 88.f : x;
    x = x < -87.f ? -87.f : x;
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
    p = p * (r * r) + r + 1.f;
    int32_t bits;
    std::memcpy(&bits, &shifted, 4);
    const int32_t scale = (bits + 127) << 23;  // the integer sits in the low bits; what is above is shifted out
    float power;
    std::memcpy(&power, &scale, 4);
    return p * power;
}

static inline float sigmoid(float x) { return 1.f / (1.f + exponential(-x)); }

static inline float hyperbolic_tangent(float x) {
    const float z = x * x;
    float p = -5.70498872745E-3f;
    p = p * z + 2.06390887954E-2f;
    p = p * z - 5.37397155531E-2f;
    p = p * z + 1.33314422036E-1f;
    p = p * z - 3.33332819422E-1f;
    const float small = p * z * x + x;
    const float size = std::fabs(x);
    const float large = std::copysign(1.f - 2.f / (exponential(2.f * size) + 1.f), x);
    return size < 0.625f ? small : large;
}

// ---------------------------------------------------------------------------------------------- the adjoint's record

// ||dL/dh_t|| of one lane while it travels back; keeps the adjoint in range by powers of two, as Trace does in Python.
struct Record {
    double *norm;       // [T], or null: nothing is recorded
    int64_t *exponent;  // [T]
    int64_t shift = 0;

    // Frobenius norm; where float32 squares would underflow or overflow it is taken in double.
    template <typename S>
    static double size_of(const S *x, long n) {
        constexpr int N = WIDTH * sizeof(float) / sizeof(S);
        typedef typename Vec<S, N>::type vec;
        vec sums[8] = {};
        long i = 0;
        for (; i + 8 * N <= n; i += 8 * N)
#pragma GCC unroll 8
            for (int j = 0; j < 8; ++j) {
                const vec part = *(const vec *)(x + i + j * N);
                sums[j] += part * part;
            }
        const vec total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
        double parts[4] = {};  // four chains of additions: one would wait for each
        for (int j = 0; j < N; ++j) parts[j % 4] += total[j];
        double sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
        for (; i < n; ++i) sum += (double)x[i] * (double)x[i];
        if (!(sum > 1e-30 && sum < 1e30)) {
            sum = 0;
            for (i = 0; i < n; ++i) sum += (double)x[i] * (double)x[i];
        }
        return std::sqrt(sum);
    }

    template <typename S>
    void visit(int t, long n, S *dh, S *dc = nullptr) {
        if (!norm) return;
        norm[t] = size_of(dh, n);
        double size = norm[t];
        if (dc) {
            const double other = size_of(dc, n);
            size = other > size ? other : size;
        }
        if ((size > LARGEST || (size > 0 && size < 1 / LARGEST)) && std::isfinite(size)) {
            int e;
            std::frexp(size, &e);
            const S factor = std::ldexp(S(1), -e);
            for (long i = 0; i < n; ++i) dh[i] *= factor;
            if (dc)
                for (long i = 0; i < n; ++i) dc[i] *= factor;
            norm[t] = std::ldexp(norm[t], -e);
            shift += e;
        }
        exponent[t] = shift;
    }

    // Give a step's deltas their true scale; outside float32's range they become 0 or inf. False if all are 0 for that:
    // a delta is below 2^40, so that from 2^-192 on nothing is left of it.
    bool restore(int t, long n, float *delta) const {
        if (!norm || exponent[t] == 0) return true;
        if (exponent[t] <= -192 && std::isfinite(norm[t])) {
            std::memset(delta, 0, sizeof(float) * n);
            return false;
        }
        const int bounded = (int)std::clamp<int64_t>(exponent[t], -252, 254);  // beyond: 0 or inf already
        const int first = std::clamp(bounded, -126, 127), rest = bounded - first;
        const float factor = std::ldexp(1.f, first), second = std::ldexp(1.f, rest);
        for (long i = 0; i < n; ++i) delta[i] *= factor;
        if (rest != 0)
            for (long i = 0; i < n; ++i) delta[i] *= second;
        return true;
    }
};

// A step's deltas are computed in the adjoint's format: in the chunk itself, or beside it and then narrowed.
template <typename S>
static S *place(float *chunk, std::vector<S> &beside) {
    if constexpr (std::is_same_v<S, float>) return chunk;
    else return beside.data();
}
template <typename S>
static void narrow(long n, const S *from, float *chunk) {
    if constexpr (!std::is_same_v<S, float>)
        for (long i = 0; i < n; ++i) chunk[i] = (float)from[i];
}

// The last CHUNK deltas of a lane, which add to the weight gradients when the chunk is full, unless all of them are 0.
struct Deltas {
    int steps, rows, columns, count = 0;
    bool alive = false;
    std::vector<float> buffer;  // [CHUNK, rows, columns], filled from the back, as time runs backwards

    Deltas(int steps_, int rows_, int columns_)
        : steps(steps_), rows(rows_), columns(columns_), buffer((size_t)CHUNK * rows_ * columns_) {}
    float *next() { return buffer.data() + (size_t)(CHUNK - 1 - count) * rows * columns; }
    float *first() { return buffer.data() + (size_t)(CHUNK - count) * rows * columns; }
    bool full(int t) const { return count == CHUNK || t == 0; }
    void add(bool some) { ++count, alive |= some; }
    void clear() { count = 0, alive = false; }
};

static const float ONE = 1.f;

// grad[inputs, columns] += input^T delta over the chunk; input [.., inputs] row-major, delta with leading dimension ldb.
static void add_products(int inputs, int columns, int depth, const float *input, const float *delta, long ldb, float *grad,
                         long ldc) {
    product(inputs, columns, depth, input, 1, inputs, delta, ldb, grad, ldc);
}
static void add_sums(int columns, int depth, const float *delta, long ldb, float *grad) {
    product(1, columns, depth, &ONE, 0, 0, delta, ldb, grad, columns);
}

// ---------------------------------------------------------------------------------------------- interface

struct Shape {
    int64_t lanes, steps, batch, inputs, hidden;
};

// ---------------------------------------------------------------------------------------------- the way back

template <typename S>
static void rnn_back(const Shape *s, int64_t phi, const float *x, int64_t x_lane, const float *w_hh, int64_t p_lane,
                     const float *h, int64_t h_lane, const float *dh, int64_t dh_lane, float *g_ih, float *g_hh,
                     float *g_bias, double *norm, int64_t *exponent) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden;
    const long n = (long)B * H;
    std::vector<S> back((size_t)H * H), adjoint(n), beside(n);
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_hh += p_lane, h += h_lane, dh += dh_lane, g_ih += p_lane,
                 g_hh += p_lane, g_bias += p_lane) {
        transpose(H, H, w_hh, back.data());
        std::memset(g_ih, 0, sizeof(float) * I * H);
        std::memset(g_hh, 0, sizeof(float) * H * H);
        std::memset(g_bias, 0, sizeof(float) * H);
        Record record{norm ? norm + k * T : nullptr, exponent ? exponent + k * T : nullptr};
        Deltas deltas(T, B, H);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            record.visit(t, n, adjoint.data());
            float *delta = deltas.next();
            S *d = place(delta, beside);
            const float *out = h + (t + 1) * n;
            if (phi == 0)
                for (long i = 0; i < n; ++i) d[i] = adjoint[i] * (S(1) - S(out[i]) * S(out[i]));
            else
                for (long i = 0; i < n; ++i) d[i] = out[i] <= 0.f ? S(0) : adjoint[i];
            if (t > 0) {
                std::fill(adjoint.begin(), adjoint.end(), S(0));
                product(B, H, H, d, H, 1, back.data(), H, adjoint.data(), H);
            }
            narrow(n, d, delta);
            deltas.add(record.restore(t, n, delta));
            if (deltas.full(t)) {
                const int depth = deltas.count * B;
                if (deltas.alive) {
                    add_products(H, H, depth, h + t * n, deltas.first(), H, g_hh, H);
                    add_products(I, H, depth, x + (long)t * B * I, deltas.first(), H, g_ih, H);
                    add_sums(H, depth, deltas.first(), H, g_bias);
                }
                deltas.clear();
            }
        }
    }
}

template <typename S>
static void lstm_back(const Shape *s, const float *x, int64_t x_lane, const float *w_hh, int64_t p_lane,
                      const float *gate, int64_t gate_lane, const float *h, const float *c, int64_t h_lane,
                      const float *tanh_c, int64_t tanh_c_lane, const float *dh, int64_t dh_lane, float *g_ih,
                      float *g_hh, float *g_bias, double *norm, int64_t *exponent) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden, G = 4 * s->hidden;
    const long n = (long)B * H;
    std::vector<S> back((size_t)G * H), adjoint(n), dc(n), beside((size_t)B * G);
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_hh += p_lane, gate += gate_lane, h += h_lane, c += h_lane,
                 tanh_c += tanh_c_lane, dh += dh_lane, g_ih += p_lane, g_hh += p_lane, g_bias += p_lane) {
        transpose(H, G, w_hh, back.data());
        std::memset(g_ih, 0, sizeof(float) * I * G);
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::memset(g_bias, 0, sizeof(float) * G);
        std::fill(dc.begin(), dc.end(), S(0));
        Record record{norm ? norm + k * T : nullptr, exponent ? exponent + k * T : nullptr};
        Deltas deltas(T, B, G);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            record.visit(t, n, adjoint.data(), dc.data());
            float *delta = deltas.next();
            S *d = place(delta, beside);
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *i_t = gate + 4 * row, *f_t = i_t + H, *o_t = f_t + H, *g_t = o_t + H;
                const float *before = c + row, *squashed = tanh_c + row;
                S *di = d + 4L * b * H, *df = di + H, *d_o = df + H, *dg = d_o + H;
                S *dh_t = adjoint.data() + (long)b * H, *cell = dc.data() + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    const S i = i_t[j], f = f_t[j], o = o_t[j], g = g_t[j], q = squashed[j], a = dh_t[j];
                    const S whole = cell[j] + a * o * (S(1) - q * q);
                    d_o[j] = a * q * (S(1) - o) * o;
                    dg[j] = whole * i * (S(1) - g * g);
                    di[j] = whole * g * (S(1) - i) * i;
                    df[j] = whole * S(before[j]) * (S(1) - f) * f;
                    cell[j] = whole * f;
                }
            }
            if (t > 0) {
                std::fill(adjoint.begin(), adjoint.end(), S(0));
                product(B, H, G, d, G, 1, back.data(), H, adjoint.data(), H);
            }
            narrow(4 * n, d, delta);
            deltas.add(record.restore(t, 4 * n, delta));
            if (deltas.full(t)) {
                const int depth = deltas.count * B;
                if (deltas.alive) {
                    add_products(H, G, depth, h + t * n, deltas.first(), G, g_hh, G);
                    add_products(I, G, depth, x + (long)t * B * I, deltas.first(), G, g_ih, G);
                    add_sums(G, depth, deltas.first(), G, g_bias);
                }
                deltas.clear();
            }
        }
    }
}

template <typename S>
static void gru_back(const Shape *s, const float *x, int64_t x_lane, const float *w_hh, int64_t p_lane,
                     const float *gate, int64_t gate_lane, const float *inner, int64_t inner_lane, const float *h,
                     int64_t h_lane, const float *dh, int64_t dh_lane, float *g_ih, float *g_hh, float *g_bias,
                     float *g_bias_hn, double *norm, int64_t *exponent) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden, G = 3 * s->hidden;
    const long n = (long)B * H;
    std::vector<S> back((size_t)G * H), adjoint(n), beside((size_t)B * G), beside_inner(n);
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_hh += p_lane, gate += gate_lane, inner += inner_lane, h += h_lane,
                 dh += dh_lane, g_ih += p_lane, g_hh += p_lane, g_bias += p_lane, g_bias_hn += p_lane) {
        transpose(H, G, w_hh, back.data());
        std::memset(g_ih, 0, sizeof(float) * I * G);
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::memset(g_bias, 0, sizeof(float) * G);
        std::memset(g_bias_hn, 0, sizeof(float) * H);
        Record record{norm ? norm + k * T : nullptr, exponent ? exponent + k * T : nullptr};
        Deltas deltas(T, B, G), inners(T, B, H);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            record.visit(t, n, adjoint.data());
            float *delta = deltas.next(), *d_inner = inners.next();
            S *d = place(delta, beside), *d_s = place(d_inner, beside_inner);
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *r_t = gate + 3 * row, *z_t = r_t + H, *m_t = z_t + H, *in = inner + row, *old = h + row;
                S *dr = d + 3L * b * H, *dz = dr + H, *dm = dz + H, *ds = d_s + (long)b * H;
                S *dh_t = adjoint.data() + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    const S r = r_t[j], z = z_t[j], m = m_t[j], a = dh_t[j];
                    const S kept = a * z, through = (a - kept) * (S(1) - m * m);
                    dm[j] = through;
                    dz[j] = a * (S(old[j]) - m) * (S(1) - z) * z;
                    dr[j] = through * S(in[j]) * (S(1) - r) * r;
                    ds[j] = through * r;
                    dh_t[j] = kept;
                }
            }
            if (t > 0) {
                product(B, H, 2 * H, d, G, 1, back.data(), H, adjoint.data(), H);
                product(B, H, H, d_s, H, 1, back.data() + 2L * H * H, H, adjoint.data(), H);
            }
            narrow(3 * n, d, delta);
            narrow(n, d_s, d_inner);
            deltas.add(record.restore(t, 3 * n, delta));
            inners.add(record.restore(t, n, d_inner));
            if (deltas.full(t)) {
                const int depth = deltas.count * B;
                if (deltas.alive) {
                    add_products(H, 2 * H, depth, h + t * n, deltas.first(), G, g_hh, G);
                    add_products(H, H, depth, h + t * n, inners.first(), H, g_hh + 2 * H, G);
                    add_products(I, G, depth, x + (long)t * B * I, deltas.first(), G, g_ih, G);
                    add_sums(G, depth, deltas.first(), G, g_bias);
                    add_sums(H, depth, inners.first(), H, g_bias_hn);
                }
                deltas.clear(), inners.clear();
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------- the way there; entries

extern "C" {

// ---- h_t = phi(h_{t-1} W + x_t U + b); phi: 0 tanh, 1 relu

void rnn_forward(const Shape *s, int64_t phi, const float *x, int64_t x_lane, const float *w_ih, const float *w_hh,
                 const float *bias, int64_t p_lane, float *h, int64_t h_lane) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_ih += p_lane, w_hh += p_lane, bias += p_lane, h += h_lane)
        for (int t = 0; t < T; ++t) {
            float *out = h + (t + 1) * n;
            fill_rows(B, H, bias, out);
            product(B, H, I, x + (long)t * B * I, I, 1, w_ih, H, out, H);
            product(B, H, H, h + t * n, H, 1, w_hh, H, out, H);
            if (phi == 0)
                for (long i = 0; i < n; ++i) out[i] = hyperbolic_tangent(out[i]);
            else
                for (long i = 0; i < n; ++i) out[i] = out[i] > 0.f || out[i] != out[i] ? out[i] : 0.f;
        }
}

void rnn_backward(const Shape *s, int64_t wide, int64_t phi, const float *x, int64_t x_lane, const float *w_hh,
                  int64_t p_lane, const float *h, int64_t h_lane, const float *dh, int64_t dh_lane, float *g_ih,
                  float *g_hh, float *g_bias, double *norm, int64_t *exponent) {
    (wide ? rnn_back<double> : rnn_back<float>)(s, phi, x, x_lane, w_hh, p_lane, h, h_lane, dh, dh_lane, g_ih, g_hh,
                                                g_bias, norm, exponent);
}

// ---- LSTM, blocks i, f, o, g

void lstm_forward(const Shape *s, const float *x, int64_t x_lane, const float *w_ih, const float *w_hh, const float *bias,
                  int64_t p_lane, float *gate, int64_t gate_lane, float *h, float *c, int64_t h_lane, float *tanh_c,
                  int64_t tanh_c_lane) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_ih += p_lane, w_hh += p_lane, bias += p_lane,
                 gate += gate_lane, h += h_lane, c += h_lane, tanh_c += tanh_c_lane)
        for (int t = 0; t < T; ++t) {
            float *gates = gate + 4 * n * t;
            fill_rows(B, 4 * H, bias, gates);
            product(B, 4 * H, I, x + (long)t * B * I, I, 1, w_ih, 4 * H, gates, 4 * H);
            product(B, 4 * H, H, h + t * n, H, 1, w_hh, 4 * H, gates, 4 * H);
            for (int b = 0; b < B; ++b) {
                float *i = gates + 4L * b * H, *f = i + H, *o = f + H, *g = o + H;
                const float *before = c + t * n + (long)b * H;
                float *after = c + (t + 1) * n + (long)b * H, *squashed = tanh_c + t * n + (long)b * H;
                float *out = h + (t + 1) * n + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    i[j] = sigmoid(i[j]);
                    f[j] = sigmoid(f[j]);
                    o[j] = sigmoid(o[j]);
                    g[j] = hyperbolic_tangent(g[j]);
                    after[j] = f[j] * before[j] + i[j] * g[j];
                    squashed[j] = hyperbolic_tangent(after[j]);
                    out[j] = o[j] * squashed[j];
                }
            }
        }
}

void lstm_backward(const Shape *s, int64_t wide, const float *x, int64_t x_lane, const float *w_hh, int64_t p_lane,
                   const float *gate, int64_t gate_lane, const float *h, const float *c, int64_t h_lane,
                   const float *tanh_c, int64_t tanh_c_lane, const float *dh, int64_t dh_lane, float *g_ih, float *g_hh,
                   float *g_bias, double *norm, int64_t *exponent) {
    (wide ? lstm_back<double> : lstm_back<float>)(s, x, x_lane, w_hh, p_lane, gate, gate_lane, h, c, h_lane, tanh_c,
                                                  tanh_c_lane, dh, dh_lane, g_ih, g_hh, g_bias, norm, exponent);
}

// ---- GRU, blocks r, z, n; s = h_{t-1} W_n + b_hn

void gru_forward(const Shape *s, const float *x, int64_t x_lane, const float *w_ih, const float *w_hh, const float *bias,
                 const float *bias_hn, int64_t p_lane, float *gate, int64_t gate_lane, float *inner, int64_t inner_lane,
                 float *h, int64_t h_lane) {
    const int T = s->steps, B = s->batch, I = s->inputs, H = s->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < s->lanes; ++k, x += x_lane, w_ih += p_lane, w_hh += p_lane, bias += p_lane, bias_hn += p_lane,
                 gate += gate_lane, inner += inner_lane, h += h_lane)
        for (int t = 0; t < T; ++t) {
            float *gates = gate + 3 * n * t, *from_h = inner + n * t;
            const float *before = h + t * n;
            fill_rows(B, 3 * H, bias, gates);
            fill_rows(B, H, bias_hn, from_h);
            product(B, 3 * H, I, x + (long)t * B * I, I, 1, w_ih, 3 * H, gates, 3 * H);
            product(B, 2 * H, H, before, H, 1, w_hh, 3 * H, gates, 3 * H);
            product(B, H, H, before, H, 1, w_hh + 2 * H, 3 * H, from_h, H);
            for (int b = 0; b < B; ++b) {
                float *r = gates + 3L * b * H, *z = r + H, *m = z + H, *out = h + (t + 1) * n + (long)b * H;
                const float *in = from_h + (long)b * H, *old = before + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    r[j] = sigmoid(r[j]);
                    z[j] = sigmoid(z[j]);
                    m[j] = hyperbolic_tangent(m[j] + r[j] * in[j]);
                    out[j] = m[j] + z[j] * (old[j] - m[j]);
                }
            }
        }
}

void gru_backward(const Shape *s, int64_t wide, const float *x, int64_t x_lane, const float *w_hh, int64_t p_lane,
                  const float *gate, int64_t gate_lane, const float *inner, int64_t inner_lane, const float *h,
                  int64_t h_lane, const float *dh, int64_t dh_lane, float *g_ih, float *g_hh, float *g_bias,
                  float *g_bias_hn, double *norm, int64_t *exponent) {
    (wide ? gru_back<double> : gru_back<float>)(s, x, x_lane, w_hh, p_lane, gate, gate_lane, inner, inner_lane, h, h_lane,
                                                dh, dh_lane, g_ih, g_hh, g_bias, g_bias_hn, norm, exponent);
}

}  // extern "C"
