// Training: the forward and the backward pass of each recurrence, one call each. A call runs the complete time loop of one
// lane after the other, with the weights in cache and the elementwise operations fused. Plain C interface, no dependencies;
// float32 throughout; mathematics and buffers are those of recurrences/*.py.

#include "kernels.h"
#include "pass.h"

constexpr int CHUNK = 4;  // time steps whose weight gradients are computed as one product

// ---------------------------------------------------------------------------------------------- functions

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
        int32_t bits;
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

static bool all_zero(const float *x, long n) {
    for (long i = 0; i < n; i += 64) {
        int other = 0;
        for (long j = i; j < std::min(i + 64, n); ++j) other |= x[j] != 0.f;  // nan counts as non-zero
        if (other) return false;
    }
    return true;
}

// What a step's pre-activations are products of, in panels: the bias, then weight_ih, then weight_hh. Columns of the weights
// from `first` on.
struct Weights : Panels<float> {
    int inputs, hidden;

    Weights(int inputs_, int hidden_, int columns_)
        : Panels(1 + inputs_ + hidden_, columns_), inputs(inputs_), hidden(hidden_) {}
    void set(const float *bias, const float *w_ih, const float *w_hh, long ldw) {
        put(0, bias);
        for (int i = 0; i < inputs; ++i) put(1 + i, w_ih + i * ldw);
        for (int i = 0; i < hidden; ++i) put(1 + inputs + i, w_hh + i * ldw);
    }
    // out [rows, columns] = bias + x U + h W
    void apply(int rows, const float *x, const float *h, float *out, long ldo) const {
        tiles<float>(rows, columns, [&](auto tile, int m, int n) {
            const float *panel = at(n);
            tile.fill(panel);
            tile.add(inputs, x + (long)m * inputs, inputs, 1, panel + tile.width, tile.width);
            tile.add(hidden, h + (long)m * hidden, hidden, 1, panel + (1 + inputs) * tile.width, tile.width);
            tile.store(out + m * ldo + n, ldo, columns - n);
        });
    }
};

// The transpose of a block of weights, for what goes back.
struct Back : Panels<float> {
    using Panels::Panels;
    // to [rows, columns] = delta W^T, or += that; delta has rows of `ldd` elements, the gates `first` to `end` of which count.
    template <bool more>
    void apply(int rows, const float *delta, long ldd, float *to, int first, int end) const {
        tiles<float>(rows, columns, [&](auto tile, int m, int n) {
            if (more) tile.load(to + (long)m * columns + n, columns, columns - n);
            else tile.zero();
            tile.add(end - first, delta + m * ldd, ldd, 1, at(n) + (long)first * tile.width, tile.width);
            tile.store(to + (long)m * columns + n, columns, columns - n);
        });
    }
    template <bool more>
    void apply(int rows, const float *delta, long ldd, float *to) const {
        apply<more>(rows, delta, ldd, to, 0, depth);
    }
};

// Up to CHUNK deltas of a lane, and beside them the inputs with a one; when the chunk is full they are added to the weight
// gradients.
struct Deltas {
    const int batch, inputs, columns, ld;
    int count = 0;
    Scratch<float> values;  // [CHUNK, batch, ld], filled from the end, as t decreases
    Scratch<float> beside;  // [CHUNK, batch, inputs + 1]
    Scratch<float> sums;    // [inputs + 1, columns]: the gradients of weight_ih and of the bias

    Deltas(const Pass &p, int columns_)
        : batch(p.batch), inputs(p.inputs), columns(columns_), ld(whole<float>(columns_) + WIDTH),
          values((size_t)CHUNK * batch * ld), beside((size_t)CHUNK * batch * (inputs + 1)),
          sums((size_t)(inputs + 1) * columns) {}
    void clear() { count = 0, std::fill(sums.begin(), sums.end(), 0.f); }
    float *next() { return values.data() + (size_t)(CHUNK - 1 - count++) * batch * ld; }
    const float *first() const { return values.data() + (size_t)(CHUNK - count) * batch * ld; }
    bool full(int t) const { return count == CHUNK || t == 0; }
    bool zero() const {
        for (int r = 0; r < count * batch; ++r)
            if (!all_zero(first() + (long)r * ld, columns)) return false;
        return true;
    }
    // grad [rows, many] += a^T delta over the chunk, for `many` columns from `from` on; a has rows of `wide` elements.
    void add(const float *a, int rows, int wide, int from, int many, float *grad, long ldg) const {
        tiles<float>(rows, many, [&](auto tile, int m, int n) {
            tile.load(grad + m * ldg + n, ldg, many - n);
            tile.add(count * batch, a + m, 1, wide, first() + from + n, ld);
            tile.store(grad + m * ldg + n, ldg, many - n);
        });
    }
    void set_inputs(const float *x) {
        for (int r = 0; r < count * batch; ++r) {
            std::memcpy(&beside[(size_t)r * (inputs + 1)], x + (long)r * inputs, sizeof(float) * inputs);
            beside[(size_t)r * (inputs + 1) + inputs] = 1.f;
        }
    }
    // sums += [x, 1]^T delta for `many` columns from `from` on
    void add_inputs(int from, int many) { add(beside.data(), inputs + 1, inputs + 1, from, many, &sums[from], columns); }
    // The same for the bias alone.
    void add_ones(int from, int many) {
        add(&beside[inputs], 1, inputs + 1, from, many, &sums[(size_t)inputs * columns + from], columns);
    }
    // Writes the gradient of `many` columns from `from` on.
    void give(int from, int many, float *g_ih, long ldg) const {
        for (int i = 0; i < inputs; ++i) std::copy_n(&sums[(size_t)i * columns + from], many, g_ih + i * ldg);
    }
    void give_bias(int from, int many, float *g_bias) const {
        std::copy_n(&sums[(size_t)inputs * columns + from], many, g_bias);
    }
};

// The layers above and below a recurrence, for one lane after the other.
struct Neighbours {
    const Pass &p;
    const long n, below;  // elements of h_t, of x_t
    Back down;            // of weight_ih
    const float *above = nullptr;
    float *dx = nullptr;

    Neighbours(const Pass &p_, int columns)
        : p(p_), n(p_.batch * p_.hidden), below(p_.batch * p_.inputs), down(p_.dx ? columns : 0, p_.inputs) {}
    void lane(int64_t k) {
        above = p.above.of(k), dx = p.dx.of(k);
        if (!dx) return;
        down.put_transposed(p.weight_ih.of(k));
        std::fill_n(dx, p.length * below, 0.f);  // what a loop that ends early does not reach
    }
    void pass_down(int t, const float *delta, long ldd) const {
        if (dx) down.apply<false>(p.batch, delta, ldd, dx + t * below);
    }
    // Adds what comes down to h_{t-1}.
    void take(int t, float *adjoint) const {
        if (above && t > 0)
            for (long i = 0; i < n; ++i) adjoint[i] += above[(t - 1) * n + i];
    }
};

extern "C" {

// ---- h_t = phi(h_{t-1} W + x_t U + b); phi: 0 tanh, 1 relu

void rnn_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    Weights weights(I, H, H);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        float *h = p->h.of(k), *pre = p->pre.of(k);
        weights.set(bias, w_ih, w_hh, H);
        for (int t = 0; t < T; ++t) {
            float *out = h + (t + 1) * n;
            weights.apply(B, x + (long)t * B * I, h + t * n, out, H);
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
    Back back(H, H);
    Scratch<float> adjoint(n);
    Neighbours beside(*p, H);
    Deltas deltas(*p, H);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        back.put_transposed(w_hh);
        beside.lane(k);
        deltas.clear();
        std::memset(g_hh, 0, sizeof(float) * H * H);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next();
            for (int b = 0; b < B; ++b) {
                const float *out = h + (t + 1) * n + (long)b * H, *in = &adjoint[(size_t)b * H];
                float *row = d + (long)b * deltas.ld;
                if (p->phi == 0)
                    for (int j = 0; j < H; ++j) row[j] = in[j] * (1.f - out[j] * out[j]);
                else
                    for (int j = 0; j < H; ++j) row[j] = out[j] <= 0.f ? 0.f : in[j];
            }
            beside.pass_down(t, d, deltas.ld);
            if (t > 0 || p->d_start_h) {
                if (t > 0) ahead(h + (t - 1) * n, n);
                if (p->cut_before(t)) std::fill(adjoint.begin(), adjoint.end(), 0.f);
                else back.apply<false>(B, d, deltas.ld, adjoint.data());
                beside.take(t, adjoint.data());
            }
            if (deltas.full(t)) {
                if (!beside.above && deltas.zero() && all_zero(adjoint.data(), n)) break;  // the rest is 0
                deltas.add(h + t * n, H, H, 0, H, g_hh, H);
                deltas.set_inputs(x + (long)t * B * I);
                deltas.add_inputs(0, H);
                deltas.count = 0;
            }
        }
        deltas.give(0, H, g_ih, H);
        deltas.give_bias(0, H, g_bias);
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
    }
}

// ---- LSTM, blocks i, f, o, g

void lstm_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    Weights weights(I, H, 4 * H);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        float *gate = p->gate.of(k), *h = p->h.of(k), *c = p->c.of(k), *tanh_c = p->tanh_c.of(k), *pre = p->pre.of(k);
        weights.set(bias, w_ih, w_hh, 4 * H);
        for (int t = 0; t < T; ++t) {
            float *gates = gate + 4 * n * t;
            weights.apply(B, x + (long)t * B * I, h + t * n, gates, 4 * H);
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
    Back back(G, H);
    Scratch<float> adjoint(n), dc(n);
    Neighbours beside(*p, G);
    Deltas deltas(*p, G);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        const float *gate = p->gate.of(k), *c = p->c.of(k), *tanh_c = p->tanh_c.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        back.put_transposed(w_hh);
        beside.lane(k);
        deltas.clear();
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::fill(dc.begin(), dc.end(), 0.f);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next();
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *i_t = gate + 4 * row, *f_t = i_t + H, *o_t = f_t + H, *g_t = o_t + H;
                const float *before = c + row, *squashed = tanh_c + row;
                float *di = d + (long)b * deltas.ld, *df = di + H, *d_o = df + H, *dg = d_o + H;
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
            beside.pass_down(t, d, deltas.ld);
            if (t > 0 || p->d_start_h) {
                if (t > 0) {
                    ahead(gate + 4 * n * (t - 1), 4 * n), ahead(h + n * (t - 1), n);
                    ahead(c + n * (t - 1), n), ahead(tanh_c + n * (t - 1), n);
                }
                if (p->cut_before(t)) {
                    std::fill(adjoint.begin(), adjoint.end(), 0.f);
                    std::fill(dc.begin(), dc.end(), 0.f);
                } else
                    back.apply<false>(B, d, deltas.ld, adjoint.data());
                beside.take(t, adjoint.data());
            }
            if (deltas.full(t)) {
                if (!beside.above && deltas.zero() && all_zero(adjoint.data(), n) && all_zero(dc.data(), n)) break;
                deltas.add(h + t * n, H, H, 0, G, g_hh, G);
                deltas.set_inputs(x + (long)t * B * I);
                deltas.add_inputs(0, G);
                deltas.count = 0;
            }
        }
        deltas.give(0, G, g_ih, G);
        deltas.give_bias(0, G, g_bias);
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
        if (p->d_start_c) std::copy(dc.begin(), dc.end(), p->d_start_c.of(k));
    }
}

// ---- GRU, blocks r, z, n; s = h_{t-1} W_n + b_hn

void gru_forward(const Pass *p) {
    const int T = p->length, B = p->batch, I = p->inputs, H = p->hidden;
    const long n = (long)B * H;
    Weights to_gates(I, H, 2 * H), to_new(I, 0, H), to_inner(0, H, H);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_ih = p->weight_ih.of(k), *w_hh = p->weight_hh.of(k), *bias = p->bias.of(k);
        const float *bias_hn = p->bias_hn.of(k);
        float *gate = p->gate.of(k), *inner = p->inner.of(k), *h = p->h.of(k), *pre = p->pre.of(k);
        to_gates.set(bias, w_ih, w_hh, 3 * H);
        to_new.set(bias + 2 * H, w_ih + 2 * H, nullptr, 3 * H);
        to_inner.set(bias_hn, nullptr, w_hh + 2 * H, 3 * H);
        for (int t = 0; t < T; ++t) {
            float *gates = gate + 3 * n * t, *from_h = inner + n * t;
            const float *before = h + t * n, *x_t = x + (long)t * B * I;
            to_gates.apply(B, x_t, before, gates, 3 * H);
            to_new.apply(B, x_t, nullptr, gates + 2 * H, 3 * H);
            to_inner.apply(B, nullptr, before, from_h, H);
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
    Back back(G, H);
    Scratch<float> adjoint(n);
    Neighbours beside(*p, G);
    Deltas deltas(*p, 4 * H);  // dr, dz, ds, dn: what goes back to h_{t-1} stands together
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *x = p->x.of(k), *w_hh = p->weight_hh.of(k), *dh = p->dh.of(k), *h = p->h.of(k);
        const float *gate = p->gate.of(k), *inner = p->inner.of(k);
        float *g_ih = p->grad_weight_ih.of(k), *g_hh = p->grad_weight_hh.of(k), *g_bias = p->grad_bias.of(k);
        float *g_bias_hn = p->grad_bias_hn.of(k);
        back.put_transposed(w_hh);
        beside.lane(k);
        deltas.clear();
        std::memset(g_hh, 0, sizeof(float) * H * G);
        std::copy(dh, dh + n, adjoint.begin());
        for (int t = T - 1; t >= 0; --t) {
            float *d = deltas.next();
            for (int b = 0; b < B; ++b) {
                const long row = t * n + (long)b * H;
                const float *r_t = gate + 3 * row, *z_t = r_t + H, *m_t = z_t + H, *in = inner + row, *old = h + row;
                float *dr = d + (long)b * deltas.ld, *dz = dr + H, *ds = dz + H, *dm = ds + H;
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
            if (beside.dx) {
                float *below = beside.dx + t * beside.below;
                beside.down.apply<false>(B, d, deltas.ld, below, 0, 2 * H);
                beside.down.apply<true>(B, d + 3 * H, deltas.ld, below, 2 * H, G);
            }
            if (t > 0) ahead(gate + 3 * n * (t - 1), 3 * n), ahead(inner + n * (t - 1), n), ahead(h + n * (t - 1), n);
            if (p->cut_before(t)) std::fill(adjoint.begin(), adjoint.end(), 0.f);
            else if (t > 0 || p->d_start_h) back.apply<true>(B, d, deltas.ld, adjoint.data());
            beside.take(t, adjoint.data());
            if (deltas.full(t)) {
                if (!beside.above && deltas.zero() && all_zero(adjoint.data(), n)) break;  // the rest is 0
                deltas.add(h + t * n, H, H, 0, G, g_hh, G);
                deltas.set_inputs(x + (long)t * B * I);
                deltas.add_inputs(0, 2 * H);
                deltas.add_ones(2 * H, H);
                deltas.add_inputs(3 * H, H);
                deltas.count = 0;
            }
        }
        deltas.give(0, 2 * H, g_ih, G);
        deltas.give(3 * H, H, g_ih + 2 * H, G);
        deltas.give_bias(0, 2 * H, g_bias);
        deltas.give_bias(3 * H, H, g_bias + 2 * H);
        deltas.give_bias(2 * H, H, g_bias_hn);
        // A loop that ended early left zeros.
        if (p->d_start_h) std::copy(adjoint.begin(), adjoint.end(), p->d_start_h.of(k));
    }
}

// ---- C [K, rows, columns] = A [K, rows, depth] B [K, depth, columns], each addressed by a lane, a row and a column stride

#define LANE_PRODUCTS(NAME, S)                                                                                           \
    void NAME(int64_t lanes, int64_t rows, int64_t columns, int64_t depth, const S *a, int64_t a_lane, int64_t a_row,    \
              int64_t a_depth, const S *b, int64_t b_lane, int64_t b_row, int64_t b_column, S *c, int64_t c_lane,        \
              int64_t c_row) {                                                                                           \
        Panels<S> packed(depth, columns);                                                                                \
        for (int64_t k = 0; k < lanes; ++k, a += a_lane, b += b_lane, c += c_lane) {                                     \
            for (int64_t i = 0; i < depth; ++i) packed.put(i, b + i * b_row, b_column);                                  \
            tiles<S>(rows, columns, [&](auto tile, int m, int n) {                                                       \
                tile.zero();                                                                                             \
                tile.add(depth, a + m * a_row, a_row, a_depth, packed.at(n), tile.width);                                \
                tile.store(c + m * c_row + n, c_row, columns - n);                                                       \
            });                                                                                                          \
        }                                                                                                                \
    }
LANE_PRODUCTS(lane_products_float32, float)
LANE_PRODUCTS(lane_products_float64, double)

}  // extern "C"
