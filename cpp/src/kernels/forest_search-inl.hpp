// The number of thresholds below a value: one value in a search tree, 16 float32 at once in registers.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

constexpr int32_t kMissingRank = -(1 << 30);

// Number of the feature's thresholds below x; 0 for NaN.
template <class T>
GPPCORE_INLINE int32_t rank(const ForestSearch<T>& search, T x) {
  int32_t r = 0;
  for (int32_t level = 0; level < search.n_levels; ++level) {
    r = r < search.last_group[level] ? r : search.last_group[level];
    r = 16 * r + count_below(search.level[level] + 16 * r, x);
  }
  return r;
}

#if defined(__AVX512F__)
constexpr int64_t kLongStride = 1 << 27;  // 15 of them must have 31 bits

// Searches 16 values at once among less than 2^Levels thresholds, a binary heap as in ForestSearch.
template <int Levels>
struct HeapSearch {
  static constexpr int kParts = 1 << (Levels - 4);
  __m512 part[kParts];

  explicit HeapSearch(const float* heap) {
    for (int i = 0; i < kParts; ++i) part[i] = _mm512_loadu_ps(heap + 16 * i);
  }

  // Entries h of a level of 2^Level, from the part `first` on.
  template <int Level>
  GPPCORE_INLINE __m512 entries(__m512i h, int first) const {
    if constexpr (Level <= 4) {
      return _mm512_maskz_permutexvar_ps(0xffff, h, part[first]);
    } else if constexpr (Level == 5) {
      return _mm512_permutex2var_ps(part[first], h, part[first + 1]);
    } else {
      constexpr int kHalf = 1 << (Level - 5);
      const __mmask16 upper = _mm512_test_epi32_mask(h, _mm512_set1_epi32(1 << (Level - 1)));
      return _mm512_mask_blend_ps(upper, entries<Level - 1>(h, first), entries<Level - 1>(h, first + kHalf));
    }
  }

  template <int Level = 0>
  GPPCORE_INLINE __m512i descend(__m512 x, __m512i h) const {
    if constexpr (Level == Levels) {
      return h;
    } else {
      const __mmask16 right = _mm512_cmp_ps_mask(entries<Level>(h, (1 << Level) / 16), x, _CMP_LT_OQ);
      const __m512i twice = _mm512_add_epi32(h, h);
      return descend<Level + 1>(x, _mm512_mask_add_epi32(twice, right, twice, _mm512_set1_epi32(1)));
    }
  }

  GPPCORE_INLINE __m512i rank(__m512 x) const {
    return _mm512_sub_epi32(descend(x, _mm512_set1_epi32(1)), _mm512_set1_epi32(1 << Levels));
  }
};

// Ranks among the thresholds of a heap, of which `first` lie before it.
template <int Levels>
void search_column(const float* heap, int32_t first, const float* column, int64_t stride, int64_t n, int32_t* ranks) {
  const HeapSearch<Levels> search(heap);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i at = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int32_t>(stride)));
  for (int64_t i = 0; i < n; i += 16) {
    const auto some = static_cast<__mmask16>(n - i < 16 ? (1 << (n - i)) - 1 : 0xffff);
    __m512 x;
    if (stride == 1) {
      x = _mm512_maskz_loadu_ps(some, column + i);
      _mm_prefetch(column + i + n, _MM_HINT_T1);  // the next block
    } else {
      x = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), some, at, column + i * stride, sizeof(float));
    }
    const __m512i rank = _mm512_add_epi32(search.rank(x), _mm512_set1_epi32(first));
    const __mmask16 missing = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    _mm512_storeu_si512(ranks + i, _mm512_mask_mov_epi32(rank, missing, _mm512_set1_epi32(kMissingRank)));
  }
}

// Least and largest value but NaN; infinity and its negative where there is none.
inline void find_ends(const float* column, int64_t n, float& least, float& largest) {
  __m512 low = _mm512_set1_ps(__builtin_inff()), high = _mm512_set1_ps(-__builtin_inff());
  for (int64_t i = 0; i < n; i += 16) {
    const auto some = static_cast<__mmask16>(n - i < 16 ? (1 << (n - i)) - 1 : 0xffff);
    const __m512 x = _mm512_maskz_loadu_ps(some, column + i);
    low = _mm512_mask_min_ps(low, some, x, low);  // the second if one is NaN
    high = _mm512_mask_max_ps(high, some, x, high);
  }
  least = _mm512_reduce_min_ps(low);
  largest = _mm512_reduce_max_ps(high);
}

// Only thresholds between the least and the largest value are searched where they are few, as in blocks of a map: a
// heap of up to 255, of all or of every second, fourth, ... of them, and then 16 at once. False if they are too many.
inline bool search_column(const ForestSearch<float>& search, float least, float largest, const float* column,
                          int64_t stride, int64_t n, int32_t* ranks) {
  const int32_t first = rank(search, least), n_between = rank(search, largest) - first;
  if (n_between > 63 && search.heap) {
    search_column<8>(search.heap, 0, column, stride, n, ranks);
    return true;
  }
  int shift = 0;
  while (n_between >> shift > 255) ++shift;
  if (shift > 4) return false;
  const int32_t n_kept = n_between >> shift;
  const int levels = n_kept > 127 ? 8 : n_kept > 63 ? 7 : n_kept > 31 ? 6 : n_kept > 15 ? 5 : 4;
  const float* between = search.level[search.n_levels - 1] + first;
  float heap[256] = {};
  for (int step = 1 << levels, h = 1; step > 1; step /= 2)
    for (int i = step / 2 - 1; i < (1 << levels) - 1; i += step)
      heap[h++] = i < n_kept ? between[((i + 1) << shift) - 1] : __builtin_inff();
  const auto search_few = levels == 8   ? search_column<8>
                          : levels == 7 ? search_column<7>
                          : levels == 6 ? search_column<6>
                          : levels == 5 ? search_column<5>
                                        : search_column<4>;
  search_few(heap, shift > 0 ? 0 : first, column, stride, n, ranks);
  for (int64_t i = 0; shift > 0 && i < n; ++i) {
    const int32_t from = ranks[i] < 0 ? 0 : ranks[i] << shift;
    const int32_t r = first + from + count_below(between + from, column[i * stride]);
    ranks[i] = ranks[i] < 0 ? kMissingRank : r;
  }
  return true;
}
#endif

}  // namespace gppcore::GPPCORE_ISA::forest
