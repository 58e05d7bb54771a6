// What the passes of training keep of one lane: its weights packed for either way, the last deltas, the layers beside it.

#pragma once

#include "kernels.h"
#include "pass.h"

constexpr int CHUNK = 4;  // time steps whose weight gradients are computed as one product

static bool all_zero(const float *x, long n) {
    for (long i = 0; i < n; i += 64) {
        int other = 0;
        for (long j = i; j < std::min(i + 64, n); ++j) other |= x[j] != 0.f;  // nan counts as non-zero
        if (other) return false;
    }
    return true;
}

// What a step's pre-activations are products of, in panels: the bias, then weight_ih, then weight_hh.
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
