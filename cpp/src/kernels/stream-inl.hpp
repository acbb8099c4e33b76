// What needs the instruction set itself: stores that bypass the caches, and a quick look whether a vector has a
// certain value.
#pragma once
#include "native-inl.hpp"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace gppcore::GPPCORE_ISA::regrid {

constexpr double kNaN = __builtin_nan("");
constexpr int64_t kLineBytes = 64;

GPPCORE_INLINE void stream_line(char* to, const char* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX2__)
  for (int i = 0; i < kLineBytes; i += 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
#elif defined(__SSE2__)
  for (int i = 0; i < kLineBytes; i += 16)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
#else
  __builtin_memcpy(to, from, kLineBytes);
#endif
}

// Copies n values; with `stream`, whole cache lines go to memory without being read first. Ordered before later
// stores only after stream_fence.
template <class T>
void store_values(T* to, const T* from, int64_t n, bool stream) {
  const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
  char* out = reinterpret_cast<char*>(to);
  const char* in = reinterpret_cast<const char*>(from);
  int64_t i = 0;
  if (stream) {
    const int64_t head = -reinterpret_cast<intptr_t>(out) & (kLineBytes - 1);
    i = head < bytes ? head : bytes;
    __builtin_memcpy(out, in, static_cast<unsigned long>(i));
    for (; i + kLineBytes <= bytes; i += kLineBytes) stream_line(out + i, in + i);
  }
  __builtin_memcpy(out + i, in + i, static_cast<unsigned long>(bytes - i));
}

GPPCORE_INLINE void stream_fence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// Whether one of the 2 * kLanes values is not NaN.
GPPCORE_INLINE bool any_valid(const float* x) {
#if defined(__AVX512F__)
  const __m512 v = _mm512_loadu_ps(x);
  return _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q) != 0;
#elif defined(__AVX2__)
  const __m256 v = _mm256_loadu_ps(x);
  return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_ORD_Q)) != 0;
#elif defined(__SSE2__)
  const __m128 v = _mm_loadu_ps(x);
  return _mm_movemask_ps(_mm_cmpord_ps(v, v)) != 0;
#else
  bool any = false;
  for (int l = 0; l < 2 * kLanes; ++l) any |= x[l] == x[l];
  return any;
#endif
}

GPPCORE_INLINE bool any_valid(const double* x) {
#if defined(__AVX512F__)
  const __m512d v = _mm512_loadu_pd(x), w = _mm512_loadu_pd(x + kLanes);
  return (_mm512_cmp_pd_mask(v, v, _CMP_ORD_Q) | _mm512_cmp_pd_mask(w, w, _CMP_ORD_Q)) != 0;
#elif defined(__AVX2__)
  const __m256d v = _mm256_loadu_pd(x), w = _mm256_loadu_pd(x + kLanes);
  return _mm256_movemask_pd(_mm256_or_pd(_mm256_cmp_pd(v, v, _CMP_ORD_Q), _mm256_cmp_pd(w, w, _CMP_ORD_Q))) != 0;
#elif defined(__SSE2__)
  const __m128d v = _mm_loadu_pd(x), w = _mm_loadu_pd(x + kLanes);
  return _mm_movemask_pd(_mm_or_pd(_mm_cmpord_pd(v, v), _mm_cmpord_pd(w, w))) != 0;
#else
  bool any = false;
  for (int l = 0; l < 2 * kLanes; ++l) any |= x[l] == x[l];
  return any;
#endif
}

// Whether a comparison holds in some lane.
GPPCORE_INLINE bool any(VI m) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask(reinterpret_cast<__m512i>(m), reinterpret_cast<__m512i>(m)) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_pd(reinterpret_cast<__m256d>(m)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_pd(reinterpret_cast<__m128d>(m)) != 0;
#else
  int64_t some = 0;
  for (int l = 0; l < kLanes; ++l) some |= m[l];
  return some != 0;
#endif
}

// kLanes values as double.
GPPCORE_INLINE V load(const float* x) {
  typedef float F __attribute__((vector_size(GPPCORE_VECTOR_BYTES / 2)));
  F v;
  __builtin_memcpy(&v, x, sizeof v);
  return __builtin_convertvector(v, V);
}
GPPCORE_INLINE V load(const double* x) {
  V v;
  __builtin_memcpy(&v, x, sizeof v);
  return v;
}

GPPCORE_INLINE void store(float* x, V v) {
  typedef float F __attribute__((vector_size(GPPCORE_VECTOR_BYTES / 2)));
  const F f = __builtin_convertvector(v, F);
  __builtin_memcpy(x, &f, sizeof f);
}
GPPCORE_INLINE void store(double* x, V v) { __builtin_memcpy(x, &v, sizeof v); }

}  // namespace gppcore::GPPCORE_ISA::regrid
