// What the library says of itself: the instructions it was compiled for, and where the fields of a Pass lie.

#include <cstddef>
#include <string>

#include "pass.h"

extern "C" {

const char *instructions() {
#if defined(__AVX512F__)
    return "avx512";
#elif defined(__AVX2__)
    return "avx2";
#elif defined(__AVX__)
    return "avx";
#elif defined(__x86_64__)
    return "sse2";
#else
    return "baseline";
#endif
}

// A line for each field: name, kind, offset and size in bytes; then the size of all.
const char *layout() {
    static const std::string text = [] {
        std::string lines;
        const auto say = [&](const char *name, const char *kind, size_t offset, size_t size) {
            lines += std::string(name) + ' ' + kind + ' ' + std::to_string(offset) + ' ' + std::to_string(size) + '\n';
        };
#define NUMBER(name) say(#name, "number", offsetof(Pass, name), sizeof(Pass::name));
#define FLOAT32(name) say(#name, "float32", offsetof(Pass, name), sizeof(Pass::name));
#define FLOAT64(name) say(#name, "float64", offsetof(Pass, name), sizeof(Pass::name));
        FIELDS(NUMBER, FLOAT32, FLOAT64)
        return lines + "all " + std::to_string(sizeof(Pass)) + '\n';
    }();
    return text.c_str();
}

}  // extern "C"
