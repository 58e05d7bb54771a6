// Shared by the kernels: products of small matrices in registers.
//
// A lane's numbers do not depend on K or on other lanes. Rows are the batch, weights multiply from the right, everything is
// in row-major order.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
#elif defined(__AVX__)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif
constexpr int ROWS = 8;     // rows of a register tile
constexpr int VECTORS = 2;  // vectors in each of its rows

template <typename S, int N>
struct Vec {
    typedef S type __attribute__((vector_size(sizeof(S) * N), aligned(sizeof(S)), may_alias));
};

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
