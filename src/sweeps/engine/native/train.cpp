// Training: the forward and the backward pass of each recurrence, one call each. A call runs the complete time loop of one
// lane after the other, with the weights in cache and the elementwise operations fused. Plain C interface, no dependencies;
// float32 throughout; mathematics and buffers are those of recurrences/*.py.

#include "kernels.h"
#include "pass.h"

constexpr int CHUNK = 4;  // time steps whose weight gradients are computed as one product

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

// Up to CHUNK deltas of a lane; when the chunk is full they are added to the weight gradients.
struct Deltas {
    int steps, rows, columns, count = 0;
    std::vector<float> buffer;  // [CHUNK, rows, columns], filled from the end, as t decreases

    Deltas(int steps_, int rows_, int columns_)
        : steps(steps_), rows(rows_), columns(columns_), buffer((size_t)CHUNK * rows_ * columns_) {}
    float *next() { return buffer.data() + (size_t)(CHUNK - 1 - count++) * rows * columns; }
    float *first() { return buffer.data() + (size_t)(CHUNK - count) * rows * columns; }
    long size() const { return (long)count * rows * columns; }
    bool full(int t) const { return count == CHUNK || t == 0; }
};

static bool all_zero(const float *x, long n) {
    for (long i = 0; i < n; i += 64) {
        int other = 0;
        for (long j = i; j < std::min(i + 64, n); ++j) other |= x[j] != 0.f;  // nan counts as non-zero
        if (other) return false;
    }
    return true;
}

// The layers above and below a recurrence, for one lane after the other.
struct Neighbours {
    const Pass &p;
    const long n, below, columns;  // elements of h_t, of x_t, of a delta's row
    std::vector<float> down;       // the transpose of weight_ih
    const float *above = nullptr;
    float *dx = nullptr;

    Neighbours(const Pass &p_, int columns_)
        : p(p_), n(p_.batch * p_.hidden), below(p_.batch * p_.inputs), columns(columns_),
          down(p_.dx ? (size_t)p_.inputs * columns_ : 0) {}
    void lane(int64_t k) {
        above = p.above.of(k), dx = p.dx.of(k);
        if (!dx) return;
        transpose(p.inputs, columns, p.weight_ih.of(k), down.data());
        std::fill_n(dx, p.length * below, 0.f);
    }
    void pass_down(int t, const float *delta) const {
        if (dx) product(p.batch, p.inputs, columns, delta, columns, 1, down.data(), p.inputs, dx + t * below, p.inputs);
    }
    // Adds what comes down to h_{t-1}.
    void take(int t, float *adjoint) const {
        if (above && t > 0)
            for (long i = 0; i < n; ++i) adjoint[i] += above[(t - 1) * n + i];
    }
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

extern "C" {

// ---- h_t = phi(h_{t-1} W + x_t U + b); phi: 0 tanh, 1 relu

void rnn_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        float *h = p->h.of(k), *pre = p->pre.of(k);
        for (int t = 0; t < T; ++t) {
            float *out = h + (t + 1) * n;
            fill_rows(B, H, bias, out);
            product(B, H, I, x + (long)t * B * I, I, 1, w_ih, H, out, H);
            product(B, H, H, h + t * n, H, 1, w_hh, H, out, H);
            if (pre) std::memcpy(pre + t * n, out, sizeof(float) * n);
            if (p->phi == 0)
                for (long i = 0; i < n; ++i) out[i] = hyperbolic_tangent(out[i]);
            else
                for (long i = 0; i < n; ++i) out[i] = out[i] > 0.f || out[i] != out[i] ? out[i] : 0.f;
        }
    }
}

void rnn_backward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    std::vector<float> back((size_t)H * H), adjoint(n);
    Neighbours beside(*p, H);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        transpose(H, H, w_hh, back.data());
        beside.lane(k);
        std::memset(g_ih, 0, sizeof(float) * I * H);
        std::memset(g_hh, 0, sizeof(float) * H * H);
        std::memset(g_bias, 0, sizeof(float) * H);
        Deltas deltas(T, B, H);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next();
            const float *out = h + (t + 1) * n;
            if (p->phi == 0)
                for (long i = 0; i < n; ++i) d[i] = adjoint[i] * (1.f - out[i] * out[i]);
            else
                for (long i = 0; i < n; ++i) d[i] = out[i] <= 0.f ? 0.f : adjoint[i];
            beside.pass_down(t, d);
            if (t > 0 || p->d_start_h) {
                std::fill(adjoint.begin(), adjoint.end(), 0.f);
                if (!p->cut_before(t)) product(B, H, H, d, H, 1, back.data(), H, adjoint.data(), H);
                beside.take(t, adjoint.data());
            }
            if (deltas.full(t)) {
                if (!beside.above && all_zero(deltas.first(), deltas.size()) && all_zero(adjoint.data(), n)) break;  // the rest is 0
                const int depth = deltas.count * B;
                add_products(H, H, depth, h + t * n, deltas.first(), H, g_hh, H);
                add_products(I, H, depth, x + (long)t * B * I, deltas.first(), H, g_ih, H);
                add_sums(H, depth, deltas.first(), H, g_bias);
                deltas.count = 0;
            }
        }
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
    }
}

// ---- LSTM, blocks i, f, o, g

void lstm_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        float *gate = p->gate.of(k), *h = p->h.of(k), *c = p->c.of(k), *tanh_c = p->tanh_c.of(k), *pre = p->pre.of(k);
        for (int t = 0; t < T; ++t) {
            float *gates = gate + 4 * n * t;
            fill_rows(B, 4 * H, bias, gates);
            product(B, 4 * H, I, x + (long)t * B * I, I, 1, w_ih, 4 * H, gates, 4 * H);
            product(B, 4 * H, H, h + t * n, H, 1, w_hh, 4 * H, gates, 4 * H);
            if (pre) std::memcpy(pre + 4 * n * t, gates, sizeof(float) * 4 * n);
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
}

void lstm_backward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden, G = 4 * p->hidden;
    const long n = (long)B * H;
    std::vector<float> back((size_t)G * H), adjoint(n), dc(n);
    Neighbours beside(*p, G);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        const float *gate = p->gate.of(k), *c = p->c.of(k), *tanh_c = p->tanh_c.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        transpose(H, G, w_hh, back.data());
        beside.lane(k);
        std::memset(g_ih, 0, sizeof(float) * I * G);
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::memset(g_bias, 0, sizeof(float) * G);
        std::fill(dc.begin(), dc.end(), 0.f);
        Deltas deltas(T, B, G);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next();
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *i_t = gate + 4 * row, *f_t = i_t + H, *o_t = f_t + H, *g_t = o_t + H;
                const float *before = c + row, *squashed = tanh_c + row;
                float *di = d + 4L * b * H, *df = di + H, *d_o = df + H, *dg = d_o + H;
                float *dh_t = adjoint.data() + (long)b * H, *cell = dc.data() + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    const float i = i_t[j], f = f_t[j], o = o_t[j], g = g_t[j], q = squashed[j], a = dh_t[j];
                    const float whole = cell[j] + a * o * (1.f - q * q);
                    d_o[j] = a * q * (1.f - o) * o;
                    dg[j] = whole * i * (1.f - g * g);
                    di[j] = whole * g * (1.f - i) * i;
                    df[j] = whole * before[j] * (1.f - f) * f;
                    cell[j] = whole * f;
                }
            }
            beside.pass_down(t, d);
            if (t > 0 || p->d_start_h) {
                std::fill(adjoint.begin(), adjoint.end(), 0.f);
                if (p->cut_before(t)) std::fill(dc.begin(), dc.end(), 0.f);
                else product(B, H, G, d, G, 1, back.data(), H, adjoint.data(), H);
                beside.take(t, adjoint.data());
            }
            if (deltas.full(t)) {
                if (!beside.above && all_zero(deltas.first(), deltas.size()) && all_zero(adjoint.data(), n) &&
                    all_zero(dc.data(), n))
                    break;
                const int depth = deltas.count * B;
                add_products(H, G, depth, h + t * n, deltas.first(), G, g_hh, G);
                add_products(I, G, depth, x + (long)t * B * I, deltas.first(), G, g_ih, G);
                add_sums(G, depth, deltas.first(), G, g_bias);
                deltas.count = 0;
            }
        }
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
        if (p->d_start_c) std::copy(dc.begin(), dc.end(), p->d_start_c.of(k));
    }
}

// ---- GRU, blocks r, z, n; s = h_{t-1} W_n + b_hn

void gru_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        const float *bias_hn = p->bias_hn.of(k);
        float *gate = p->gate.of(k), *inner = p->inner.of(k), *h = p->h.of(k), *pre = p->pre.of(k);
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
                float *kept = pre ? pre + 3 * (t * n + (long)b * H) : nullptr;
                if (kept) std::memcpy(kept, r, sizeof(float) * 2 * H);
                for (int j = 0; j < H; ++j) r[j] = sigmoid(r[j]);
                for (int j = 0; j < H; ++j) z[j] = sigmoid(z[j]);
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) m[j] += r[j] * in[j];
                if (kept) std::memcpy(kept + 2 * H, m, sizeof(float) * H);
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    m[j] = hyperbolic_tangent(m[j]);
                    out[j] = m[j] + z[j] * (old[j] - m[j]);
                }
            }
        }
    }
}

void gru_backward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden, G = 3 * p->hidden;
    const long n = (long)B * H;
    std::vector<float> back((size_t)G * H), adjoint(n);
    Neighbours beside(*p, G);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        const float *gate = p->gate.of(k), *inner = p->inner.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        float *g_bias_hn = p->grad_bias_hn.of(k);
        transpose(H, G, w_hh, back.data());
        beside.lane(k);
        std::memset(g_ih, 0, sizeof(float) * I * G);
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::memset(g_bias, 0, sizeof(float) * G);
        std::memset(g_bias_hn, 0, sizeof(float) * H);
        Deltas deltas(T, B, G), inners(T, B, H);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next(), *d_s = inners.next();
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *r_t = gate + 3 * row, *z_t = r_t + H, *m_t = z_t + H, *in = inner + row, *old = h + row;
                float *dr = d + 3L * b * H, *dz = dr + H, *dm = dz + H, *ds = d_s + (long)b * H;
                float *dh_t = adjoint.data() + (long)b * H;
#pragma GCC ivdep
                for (int j = 0; j < H; ++j) {
                    const float r = r_t[j], z = z_t[j], m = m_t[j], a = dh_t[j];
                    const float kept = a * z, through = (a - kept) * (1.f - m * m);
                    dm[j] = through;
                    dz[j] = a * (old[j] - m) * (1.f - z) * z;
                    dr[j] = through * in[j] * (1.f - r) * r;
                    ds[j] = through * r;
                    dh_t[j] = kept;
                }
            }
            beside.pass_down(t, d);
            if (p->cut_before(t)) {
                std::fill(adjoint.begin(), adjoint.end(), 0.f);
            } else if (t > 0 || p->d_start_h) {
                product(B, H, 2 * H, d, G, 1, back.data(), H, adjoint.data(), H);
                product(B, H, H, d_s, H, 1, back.data() + 2L * H * H, H, adjoint.data(), H);
            }
            beside.take(t, adjoint.data());
            if (deltas.full(t)) {
                if (!beside.above && all_zero(deltas.first(), deltas.size()) && all_zero(adjoint.data(), n)) break;  // the rest is 0
                const int depth = deltas.count * B;
                add_products(H, 2 * H, depth, h + t * n, deltas.first(), G, g_hh, G);
                add_products(H, H, depth, h + t * n, inners.first(), H, g_hh + 2 * H, G);
                add_products(I, G, depth, x + (long)t * B * I, deltas.first(), G, g_ih, G);
                add_sums(G, depth, deltas.first(), G, g_bias);
                add_sums(H, depth, inners.first(), H, g_bias_hn);
                deltas.count = inners.count = 0;
            }
        }
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
    }
}

// ---- C [K, rows, columns] = A [K, rows, depth] B [K, depth, columns], each addressed by a lane, a row and a column stride

void lane_products(int64_t lanes, int64_t rows, int64_t columns, int64_t depth, const float *a, int64_t a_lane,
                   int64_t a_row, int64_t a_depth, const float *b, int64_t b_lane, int64_t b_row, int64_t b_column, float *c,
                   int64_t c_lane, int64_t c_row) {
    std::vector<float> dense((size_t)depth * columns);  // B with adjacent columns
    for (int64_t k = 0; k < lanes; ++k, a += a_lane, b += b_lane, c += c_lane) {
        for (int64_t i = 0; i < depth; ++i)
            for (int64_t j = 0; j < columns; ++j) dense[i * columns + j] = b[i * b_row + j * b_column];
        for (int64_t i = 0; i < rows; ++i) std::memset(c + i * c_row, 0, sizeof(float) * columns);
        product(rows, columns, depth, a, a_row, a_depth, dense.data(), columns, c, c_row);
    }
}

}  // extern "C"
