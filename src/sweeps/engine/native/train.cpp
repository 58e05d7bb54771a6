// Training: the forward and the backward pass of each recurrence, one call each. A call runs the complete time loop of one
// lane after the other, with the weights in cache and the elementwise operations fused. Plain C interface, no dependencies;
// float32 throughout; mathematics and buffers are those of recurrences/*.py.

#include "functions.h"
#include "lane.h"

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
        if (const float *behind = p->d_end_c.of(k)) std::copy(behind, behind + n, dc.begin());
        else std::fill(dc.begin(), dc.end(), 0.f);
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
