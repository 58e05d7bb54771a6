// Shared by the kernels: products of small matrices in registers.
//
// A lane's numbers do not depend on K or on other lanes. Rows are the batch, weights multiply from the right, everything is
// in row-major order. Every element of a product is one chain of multiply-adds in the order of the depth: no number depends
// on the size of a tile.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#if defined(__AVX512F__)
constexpr int WIDTH = 16;   // floats in a vector
constexpr int VECTORS = 4;  // vectors across a register tile, at most
#elif defined(__AVX__)
constexpr int WIDTH = 8;
constexpr int VECTORS = 2;
#else
constexpr int WIDTH = 4;
constexpr int VECTORS = 2;
#endif
constexpr int ROWS = 6;  // rows of a register tile, at most
constexpr int LINE = 64;  // bytes of a line of the cache

template <typename S>
constexpr int LONG = WIDTH * sizeof(float) / sizeof(S);  // numbers in a vector

template <typename S, int N>
struct Vec {
    typedef S type __attribute__((vector_size(sizeof(S) * N), aligned(sizeof(S)), may_alias));
};

// Memory that starts on a line of the cache: a vector that lies across two lines is loaded twice.
template <typename S>
struct OnLines {
    using value_type = S;
    OnLines() = default;
    template <typename T>
    OnLines(const OnLines<T> &) {}
    S *allocate(size_t n) { return static_cast<S *>(::operator new(n * sizeof(S), std::align_val_t(LINE))); }
    void deallocate(S *p, size_t) { ::operator delete(p, std::align_val_t(LINE)); }
    bool operator==(const OnLines &) const { return true; }
    bool operator!=(const OnLines &) const { return false; }
};
template <typename S>
using Scratch = std::vector<S, OnLines<S>>;

// Fetches into the second cache what the next step back will read: the processor foresees forward walks only.
static inline void ahead(const float *x, long n) {
    for (long i = 0; i < n; i += LINE / sizeof(float)) __builtin_prefetch(x + i, 0, 2);
}

// n numbers in whole vectors.
template <typename S>
constexpr int whole(int n) {
    return (n + LONG<S> - 1) / LONG<S> * LONG<S>;
}

// R rows of V vectors of C, in registers: everything that is done to a tile is inlined.
#define IN_REGISTERS inline __attribute__((always_inline))
template <int R, int V, typename S>
struct Tile {
    static constexpr int N = LONG<S>, width = V * N;
    typedef typename Vec<S, N>::type vec;
    vec sum[R][V];

    IN_REGISTERS void zero() {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[r][v] = vec{};
    }
    // Every row as `row`.
    IN_REGISTERS void fill(const S *row) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[r][v] = *(const vec *)(row + v * N);
    }
    // += A[R, depth] B[depth, width], A addressed by a row and a depth stride.
    IN_REGISTERS void add(int depth, const S *a, long a_row, long a_depth, const S *b, long ldb) {
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
    }
    // From and to memory with as many columns as there are: fewer than `width` at the end of a row. The values of a tile stay
    // in registers as long as nobody takes their address.
    IN_REGISTERS void load(const S *c, long ldc, int columns) {
        S part[R][width];
        if (columns < width) {
            for (int r = 0; r < R; ++r) std::memcpy(part[r], c + r * ldc, sizeof(S) * columns);
            c = part[0], ldc = width;
        }
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[r][v] = *(const vec *)(c + r * ldc + v * N);
    }
    IN_REGISTERS void store(S *c, long ldc, int columns) const {
        S part[R][width];
        S *to = columns < width ? part[0] : c;
        const long ld = columns < width ? width : ldc;
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) *(vec *)(to + r * ld + v * N) = sum[r][v];
        if (columns < width)
            for (int r = 0; r < R; ++r) std::memcpy(c + r * ldc, part[r], sizeof(S) * columns);
    }
};

template <int V, typename S, typename Work>
static inline void tiles_across(int rows, int n, Work work) {
    int m = 0;
    for (; m + ROWS <= rows; m += ROWS) work(Tile<ROWS, V, S>(), m, n);
    if (m + 4 <= rows) work(Tile<4, V, S>(), m, n), m += 4;
    if (m + 2 <= rows) work(Tile<2, V, S>(), m, n), m += 2;
    if (m < rows) work(Tile<1, V, S>(), m, n);
}

// Calls work(tile, m, n) for tiles that together cover [rows, columns]: the tile at row m and column n, its values not set.
template <typename S, typename Work>
static inline void tiles(int rows, int columns, Work work) {
    int n = 0;
    for (; n + VECTORS * LONG<S> <= whole<S>(columns); n += VECTORS * LONG<S>) tiles_across<VECTORS, S>(rows, n, work);
    if (VECTORS > 2 && n + 2 * LONG<S> <= whole<S>(columns)) tiles_across<2, S>(rows, n, work), n += 2 * LONG<S>;
    if (n < columns) tiles_across<1, S>(rows, n, work);
}

// A matrix [depth, columns] in panels as wide as the tiles that `tiles` makes, the last one padded with zeros to a whole
// vector: a panel is contiguous, so that its rows do not evict one another from the cache.
template <typename S>
struct Panels {
    int depth, columns;
    Scratch<S> values;

    Panels(int depth_, int columns_)
        : depth(depth_), columns(columns_), values((size_t)depth_ * whole<S>(columns_)) {}
    // The rows of the panel that begins at column n.
    const S *at(int n) const { return values.data() + (size_t)n * depth; }
    // Writes row k, whose elements lie `stride` apart.
    template <typename From>
    void put(int k, const From *row, long stride = 1) {
        int n = 0;
        const auto panel = [&](int width) {
            S *to = values.data() + (size_t)n * depth + (size_t)k * width;
            const int end = std::min(width, columns - n);
            for (int j = 0; j < end; ++j) to[j] = row[(n + j) * stride];
            n += width;
        };
        while (n + VECTORS * LONG<S> <= whole<S>(columns)) panel(VECTORS * LONG<S>);
        if (VECTORS > 2 && n + 2 * LONG<S> <= whole<S>(columns)) panel(2 * LONG<S>);
        if (n < columns) panel(LONG<S>);
    }
    // Writes w [rows, depth], transposed.
    void put_transposed(const float *w) {
        for (int k = 0; k < depth; ++k) put(k, w + k, depth);
    }
};
