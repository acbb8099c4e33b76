// Vectors of W bytes for the forest kernels, and the few operations on them that have no operator.
#pragma once
#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "native-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

template <int W>
struct Lanes {
  typedef uint8_t Bytes __attribute__((vector_size(W), may_alias));
  typedef uint16_t Shorts __attribute__((vector_size(W), may_alias));
  typedef uint64_t Words __attribute__((vector_size(W), may_alias));
};
typedef Lanes<GPPCORE_VECTOR_BYTES>::Bytes Bytes;
typedef Lanes<GPPCORE_VECTOR_BYTES>::Shorts Shorts;

// Swaps the upper half of every 2^level * 2 bits of a with the lower half of those of b.
template <class Words>
GPPCORE_INLINE void swap_bits(Words& a, Words& b, int level) {
  constexpr uint64_t kLow[3] = {0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu};
  const int s = 1 << level;
#if defined(__AVX512F__)
  if constexpr (sizeof(Words) == sizeof(__m512i)) {
    const __m512i low = _mm512_set1_epi64(static_cast<int64_t>(kLow[level]));
    const Words up = b << s, down = a >> s;
    a = (Words)_mm512_ternarylogic_epi64(low, (__m512i)a, (__m512i)up, 0xca);  // low ? a : up
    b = (Words)_mm512_ternarylogic_epi64(low, (__m512i)down, (__m512i)b, 0xca);
    return;
  }
#endif
  const Words swap = ((a >> s) ^ b) & kLow[level];
  b ^= swap;
  a ^= swap << s;
}

// Transposes an 8 x 8 bit matrix in each byte lane: bit j of plane[i] changes places with bit i of plane[j].
template <class Words>
GPPCORE_INLINE void transpose_bits(Words* plane) {
#pragma GCC unroll 8  // else the planes live in memory
  for (int level = 2; level >= 0; --level) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i)
      if (!(i & 1 << level)) swap_bits(plane[i], plane[i + (1 << level)], level);
  }
}

// The same of planes 0 to 5 alone, for readers of six bits: the upper two bits of the bytes are anything.
template <class Words>
GPPCORE_INLINE void transpose_six_bits(Words* plane) {
  plane[6] = plane[2] >> 4;
  plane[7] = plane[3] >> 4;
  swap_bits(plane[0], plane[4], 2);
  swap_bits(plane[1], plane[5], 2);
#pragma GCC unroll 2
  for (int level = 1; level >= 0; --level) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i)
      if (!(i & 1 << level)) swap_bits(plane[i], plane[i + (1 << level)], level);
  }
}

// Number of the 16 thresholds below x; none for NaN.
#if defined(__AVX512F__)
GPPCORE_INLINE int count_below(const float* thresholds, float x) {
  return __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(thresholds), _mm512_set1_ps(x), _CMP_LT_OQ));
}
GPPCORE_INLINE int count_below(const double* thresholds, double x) {
  const __m512d v = _mm512_set1_pd(x);
  return __builtin_popcount(_mm512_cmp_pd_mask(_mm512_loadu_pd(thresholds), v, _CMP_LT_OQ) |
                            _mm512_cmp_pd_mask(_mm512_loadu_pd(thresholds + 8), v, _CMP_LT_OQ) << 8);
}
#elif defined(__AVX2__)
GPPCORE_INLINE int count_below(const float* thresholds, float x) {
  const __m256 v = _mm256_set1_ps(x);
  const __m256i a = _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(thresholds), v, _CMP_LT_OQ));
  const __m256i b = _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(thresholds + 8), v, _CMP_LT_OQ));
  return _mm_popcnt_u32(static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi32(a, b)))) >> 1;
}
#elif defined(__SSE2__)
GPPCORE_INLINE int count_below(const float* thresholds, float x) {
  const __m128 v = _mm_set1_ps(x);
  __m128i a[4];
  for (int i = 0; i < 4; ++i) a[i] = _mm_castps_si128(_mm_cmplt_ps(_mm_loadu_ps(thresholds + 4 * i), v));
  const __m128i s = _mm_packs_epi16(_mm_packs_epi32(a[0], a[1]), _mm_packs_epi32(a[2], a[3]));
  const __m128i sum = _mm_sad_epu8(_mm_sub_epi8(_mm_setzero_si128(), s), _mm_setzero_si128());
  return _mm_cvtsi128_si32(sum) + _mm_extract_epi16(sum, 4);
}
#endif
template <class T>
GPPCORE_INLINE int count_below(const T* thresholds, T x) {
  int n = 0;
  for (int i = 0; i < 16; ++i) n += thresholds[i] < x;
  return n;
}

// Looks bytes of at most `levels` bits up in a table of 64 << (levels - 6) bytes, from the registers. kMaxLookup is
// the most bits that this instruction set can; 0 if none.
#if defined(__AVX512VBMI__)
constexpr int kMaxLookup = 8;
template <int Levels>
GPPCORE_INLINE Bytes look_up(const uint8_t* table, Bytes index) {
  const auto part = [&](int i) { return _mm512_loadu_si512(table + 64 * i); };
  const __m512i at = (__m512i)index;
  if constexpr (Levels == 6) return (Bytes)_mm512_maskz_permutexvar_epi8(~uint64_t{0}, at, part(0));
  const __m512i low = _mm512_permutex2var_epi8(part(0), at, part(1));
  if constexpr (Levels == 7) return (Bytes)low;
  const __m512i high = _mm512_permutex2var_epi8(part(2), at, part(3));
  return (Bytes)_mm512_mask_blend_epi8(_mm512_movepi8_mask(at), low, high);
}
#elif defined(__AVX2__)
constexpr int kMaxLookup = 6;
// A byte shuffle looks up 4 bits and gives 0 where bit 7 is set: one shuffle per quarter of the table.
template <int Levels>
GPPCORE_INLINE Bytes look_up(const uint8_t* table, Bytes index) {
  static_assert(Levels == 6, "two bits above the four of a shuffle");
  Bytes found{};
  for (int i = 0; i < 4; ++i) {
    const __m128i* quarter = reinterpret_cast<const __m128i*>(table + 16 * i);
    const Bytes other = index ^ static_cast<uint8_t>(16 * i);
#if defined(__AVX512BW__)
    const __m512i at = _mm512_adds_epu8((__m512i)other, _mm512_set1_epi8(0x70));
    found |= (Bytes)_mm512_shuffle_epi8(_mm512_maskz_broadcast_i32x4(0xffff, _mm_loadu_si128(quarter)), at);
#else
    const __m256i at = _mm256_adds_epu8((__m256i)other, _mm256_set1_epi8(0x70));
    found |= (Bytes)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(quarter)), at);
#endif
  }
  return found;
}
#else
constexpr int kMaxLookup = 0;
template <int Levels>
Bytes look_up(const uint8_t* table, Bytes index);  // not there
#endif

}  // namespace gppcore::GPPCORE_ISA::forest
