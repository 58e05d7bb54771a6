// The trace, ||dL/dh_t|| for every t, one lane after the other, in double: the chain rule along the pre-activations that
// the forward pass stored. Activations, their derivatives and cell states are computed again from these, because a float32
// state has lost its unit's derivative where the unit saturates (1 - tanh(9)^2 is 0 in float32; its true value is 6e-8).
//
// Each row of dL/dh and of delta carries a power of two, as extended.h has it; each element of dL/dc has one of its own.

#include "extended.h"
#include "pass.h"

namespace {

// The layers above and below a recurrence, for one lane after the other. A delta has `blocks` blocks, each padded to whole
// vectors.
struct Neighbours {
    const Pass &p;
    const int batch, inputs, n;
    Back down;  // of weight_ih
    const double *above = nullptr, *above_exponent = nullptr;
    double *dx = nullptr, *dx_exponent = nullptr;

    Neighbours(const Pass &p_, int blocks_)
        : p(p_), batch(p_.batch), inputs(p_.inputs), n(p_.hidden), down(p_.rows_dx ? p_.inputs : 0, p_.hidden, blocks_) {}
    void lane(int64_t k) {
        above = p.rows_above.of(k), above_exponent = p.rows_above_exponent.of(k);
        dx = p.rows_dx.of(k), dx_exponent = p.rows_dx_exponent.of(k);
        if (!dx) return;
        down.set(p.weight_ih.of(k));
    }
    void pass_down(int t, const double *delta, const double *exponents) {
        down.apply<false>(batch, delta, dx + (long)t * batch * inputs, inputs);
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

// A state before step 0, as rows of `width`; their padding stays as it is.
void set_start(int rows, int n, int width, const float *start, double *to) {
    for (int b = 0; b < rows; ++b) std::copy(start + (long)b * n, start + (long)(b + 1) * n, to + (long)b * width);
}

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

extern "C" {

void rnn_record(const Pass *p) {
    const int T = p->length, B = p->batch, H = p->hidden, W = padded(H);
    Back back(H, H, 1);
    Neighbours beside(*p, 1);
    std::vector<double> squares(B);
    Rows adjoint(B, W), delta(B, W);
    Padded whole(H, 1);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *pre = p->pre.of(k);
        double *norm = p->norms.of(k), *exponent = p->exponents.of(k);
        back.set(p->weight_hh.of(k));
        beside.lane(k);
        adjoint.set(H, p->rows_dh.of(k), p->rows_dh_exponent.of(k));
        for (int t = T - 1; t >= 0; --t) {
            note(adjoint, squares, norm + t, exponent + t);
            if (t == 0 && !beside.dx) break;
            for (int b = 0; b < B; ++b) {
                const float *a = whole(pre + ((long)t * B + b) * H);
                const double *in = adjoint.row(b);
                double *out = delta.row(b);
                if (p->phi == 0) {
                    const double least = may_be_deep(W, a) ? slope_exponent(a, W, 2) : 0.;
                    (least ? tanh_row<true> : tanh_row<false>)(W, a, least, in, out);
                    adjoint.exponent[b] -= least;
                } else
                    for (int j = 0; j < W; ++j) out[j] = a[j] <= 0.f ? 0. : in[j];
            }
            if (beside.dx) beside.pass_down(t, delta.value.data(), adjoint.exponent.data());
            if (t == 0) break;
            ahead(pre + (t - 1L) * B * H, (long)B * H);
            if (p->cut_before(t)) std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
            else back.apply<false>(B, delta.value.data(), adjoint.value.data(), W);
            beside.take(t, adjoint);
        }
    }
}

void lstm_record(const Pass *p) {
    const int T = p->length, B = p->batch, H = p->hidden, W = padded(H);
    const long n = (long)B * W;
    Back back(H, H, 4);
    Neighbours beside(*p, 4);
    std::vector<double> squares(B), cell((size_t)(T + 1) * n);
    Rows adjoint(B, W), delta(B, 4 * W);
    Cells dc(B, W);
    Padded whole(H, 4);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *pre = p->pre.of(k);
        double *norm = p->norms.of(k), *exponent = p->exponents.of(k);
        back.set(p->weight_hh.of(k));
        beside.lane(k);
        set_start(B, H, W, p->c.of(k), cell.data());
        for (long row = 0; row < (long)T * B; ++row) {
            const float *gates = pre + row * 4 * H;
            double *before = cell.data() + row * W;
            lstm_cell(W, whole(gates, 0), whole(gates, 1), whole(gates, 3), before, before + n);
        }
        adjoint.set(H, p->rows_dh.of(k), p->rows_dh_exponent.of(k));
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
            ahead(pre + (t - 1L) * B * 4 * H, 4L * B * H);
            if (p->cut_before(t)) {
                std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
                dc.zero();
            } else
                back.apply<false>(B, delta.value.data(), adjoint.value.data(), W);
            beside.take(t, adjoint);
        }
    }
}

void gru_record(const Pass *p) {
    const int T = p->length, B = p->batch, H = p->hidden, W = padded(H);
    const long n = (long)B * W;
    Back back(H, H, 3);
    Neighbours beside(*p, 3);
    std::vector<double> squares(B), h((size_t)(T + 1) * n);
    Rows adjoint(B, W), delta(B, 3 * W);  // delta: dr, dz, and ds in place of dn
    Rows for_x(B, 3 * W);                 // dr, dz, dn
    Padded whole(H, 3), whole_inner(H, 1);
    for (int64_t k = 0; k < p->lanes; ++k) {
        const float *pre = p->pre.of(k);
        const float *inner = p->inner.of(k);
        double *norm = p->norms.of(k), *exponent = p->exponents.of(k);
        back.set(p->weight_hh.of(k));
        beside.lane(k);
        set_start(B, H, W, p->h.of(k), h.data());
        for (long row = 0; row < (long)T * B; ++row) {
            const float *gates = pre + row * 3 * H;
            double *before = h.data() + row * W;
            gru_state(W, whole(gates, 1), whole(gates, 2), before, before + n);
        }
        adjoint.set(H, p->rows_dh.of(k), p->rows_dh_exponent.of(k));
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
            ahead(pre + (t - 1L) * B * 3 * H, 3L * B * H), ahead(inner + (t - 1L) * B * H, (long)B * H);
            if (p->cut_before(t)) std::fill(adjoint.value.begin(), adjoint.value.end(), 0.);
            else back.apply<true>(B, delta.value.data(), adjoint.value.data(), W);
            beside.take(t, adjoint);
        }
    }
}

}  // extern "C"
