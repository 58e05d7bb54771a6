// What a kernel is given: the sizes of a pack, and every buffer by its name. arguments.py has the same fields.
//
// FIELDS names each field once, in the order in which it lies in memory; `layout` in about.cpp tells it to Python, which
// loads no library whose fields lie elsewhere. G gate blocks: 1, 4 (LSTM), 3 (GRU).

#pragma once

#include <cstdint>

// A buffer [K, ...]: its first element, and the distance from one lane to the next in elements. A null pointer: not given.
template <typename T>
struct Buffer {
    T *at;
    int64_t lane;
    T *of(int64_t k) const { return at ? at + k * lane : nullptr; }
    explicit operator bool() const { return at != nullptr; }
};

// clang-format off
#define FIELDS(NUMBER, FLOAT32, FLOAT64)                                                                             \
    NUMBER(lanes) NUMBER(length) NUMBER(batch) NUMBER(inputs) NUMBER(hidden)                                         \
    NUMBER(truncate)                /* time steps after which the gradient is cut, from the end; 0: never */         \
    NUMBER(phi)                     /* of a plain network: 0 tanh, 1 relu */                                         \
    FLOAT32(x)                      /* [K, T, B, I] */                                                               \
    FLOAT32(weight_ih)              /* [K, I, G*H] */                                                                \
    FLOAT32(weight_hh)              /* [K, H, G*H] */                                                                \
    FLOAT32(bias)                   /* [K, G*H] */                                                                   \
    FLOAT32(bias_hn)                /* [K, H]: GRU */                                                                \
    FLOAT32(h)                      /* [K, T+1, B, H]: h_{-1}, which is read, then h_0 .. h_{T-1} */                 \
    FLOAT32(c)                      /* the same of the cells: LSTM */                                                \
    FLOAT32(tanh_c)                 /* [K, T, B, H]: LSTM */                                                         \
    FLOAT32(gate)                   /* [K, T, B, G*H]: gates after their function */                                 \
    FLOAT32(inner)                  /* [K, T, B, H]: h_{t-1} W_n + b_hn: GRU */                                      \
    FLOAT32(pre)                    /* [K, T, B, G*H]: pre-activations */                                            \
    FLOAT32(dh)                     /* [K, B, H]: what comes from above to h_{T-1} */                                \
    FLOAT32(above)                  /* [K, T, B, H]: the same for every h_t; null: to h_{T-1} alone */               \
    FLOAT32(dx)                     /* [K, T, B, I]: dL/dx, written; null: nobody asks */                            \
    FLOAT32(d_start_h)              /* [K, B, H]: dL/dh_{-1}, written; null: nobody asks */                          \
    FLOAT32(d_start_c)              /* [K, B, H]: dL/dc_{-1}, written: LSTM */                                       \
    FLOAT32(d_end_c)                /* [K, B, H]: what comes to c_{T-1} from behind: LSTM; null: nothing */          \
    FLOAT32(grad_weight_ih)         /* gradients, of the shapes of what they belong to, written */                   \
    FLOAT32(grad_weight_hh)                                                                                          \
    FLOAT32(grad_bias)                                                                                               \
    FLOAT32(grad_bias_hn)                                                                                            \
    FLOAT64(rows_dh)                /* the record: as dh, times 2^exponent, one for each sequence */                 \
    FLOAT64(rows_dh_exponent)       /* [K, B] */                                                                     \
    FLOAT64(rows_above)             /* as above */                                                                   \
    FLOAT64(rows_above_exponent)    /* [K, T, B] */                                                                  \
    FLOAT64(rows_dx)                /* as dx, written */                                                             \
    FLOAT64(rows_dx_exponent)       /* [K, T, B], written */                                                         \
    FLOAT64(norms)                  /* [K, T], written: ||dL/dh_t|| times 2^exponent */                              \
    FLOAT64(exponents)              /* [K, T], written */
// clang-format on

struct Pass {
#define NUMBER(name) int64_t name;
#define FLOAT32(name) Buffer<float> name;
#define FLOAT64(name) Buffer<double> name;
    FIELDS(NUMBER, FLOAT32, FLOAT64)
#undef NUMBER
#undef FLOAT32
#undef FLOAT64

    // Whether the gradient is cut between time steps t and t - 1. What comes before step 0 is the start, never cut off.
    bool cut_before(int64_t t) const { return t > 0 && truncate > 0 && (length - t) % truncate == 0; }
};
