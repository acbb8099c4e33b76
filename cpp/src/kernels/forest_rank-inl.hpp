// From values to ranks: the number of a feature's thresholds below a value, or the number of a category.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

template <class T>
const ForestSearch<T>* searches(const ForestPlan& plan) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return plan.search_f32;
  } else {
    return plan.search_f64;
  }
}

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

template <class T>
GPPCORE_INLINE bool is_missing(ForestRowKind kind, T x) {
  return x != x || (kind == ForestRowKind::number_or_zero && static_cast<double>(x) >= -kForestZeroSize &&
                    static_cast<double>(x) <= kForestZeroSize);
}

// The category that x names: -1 for one below 0, `last` for all from there on.
template <class T>
GPPCORE_INLINE int32_t category_of(ForestRowKind kind, T x, int32_t last) {
  if (!(x >= T(0)) && !(kind == ForestRowKind::category && x > T(-1))) return -1;
  if (x >= static_cast<T>(last)) return last;
  const auto c = static_cast<int32_t>(x);
  return kind == ForestRowKind::whole_category && static_cast<T>(c) != x ? -1 : c;
}

template <class T>
GPPCORE_INLINE uint8_t rank_of_category(const ForestRow& row, T x) {
  if (x != x) return 0;
  const int32_t c = category_of(row.kind, x, row.n_categories);
  return static_cast<uint8_t>(c < 0 ? row.n_categories + 1 : c + 1);
}

constexpr int32_t kMissingRank = -(1 << 30);

#if defined(__AVX512F__)
constexpr int64_t kLongStride = 1 << 27;  // 15 of them must have 31 bits

// Searches 16 values at once among at most 255 thresholds, whose heap lies in registers.
struct HeapSearch {
  __m512 part[16];

  explicit HeapSearch(const float* heap) {
    for (int i = 0; i < 16; ++i) part[i] = _mm512_loadu_ps(heap + 16 * i);
  }

  // Entries at h of a level of 32, 64 or 128.
  template <int N>
  GPPCORE_INLINE __m512 entries(__m512i h, int first) const {
    if constexpr (N == 32) {
      return _mm512_permutex2var_ps(part[first], h, part[first + 1]);
    } else {
      const __mmask16 upper = _mm512_test_epi32_mask(h, _mm512_set1_epi32(N / 2));
      return _mm512_mask_blend_ps(upper, entries<N / 2>(h, first), entries<N / 2>(h, first + N / 32));
    }
  }

  GPPCORE_INLINE __m512i rank(__m512 x) const {
    __m512i h = _mm512_set1_epi32(1);
    const auto descend = [&](__m512 entry) {
      const __m512i twice = _mm512_add_epi32(h, h);
      h = _mm512_mask_add_epi32(twice, _mm512_cmp_ps_mask(entry, x, _CMP_LT_OQ), twice, _mm512_set1_epi32(1));
    };
    for (int k = 0; k < 4; ++k) descend(_mm512_maskz_permutexvar_ps(0xffff, h, part[0]));
    descend(_mm512_maskz_permutexvar_ps(0xffff, h, part[1]));
    descend(entries<32>(h, 2));
    descend(entries<64>(h, 4));
    descend(entries<128>(h, 8));
    return _mm512_sub_epi32(h, _mm512_set1_epi32(256));
  }
};

inline void rank_column(const HeapSearch& search, const float* column, int64_t stride, int64_t n, int32_t* ranks) {
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
    const __mmask16 missing = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    _mm512_storeu_si512(ranks + i, _mm512_mask_mov_epi32(search.rank(x), missing, _mm512_set1_epi32(kMissingRank)));
  }
}
#endif

// Ranks of a column of numbers among all thresholds of the feature; NaN has kMissingRank.
template <class T>
void rank_column(const ForestSearch<T>& search, const T* column, int64_t stride, int64_t n, int32_t* ranks) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float))
    if (search.heap && stride < kLongStride && stride > -kLongStride)
      return rank_column(HeapSearch(search.heap), column, stride, n, ranks);
#endif
  for (int64_t i = 0; i < n; ++i) {
    const T x = column[i * stride];
    int32_t r;
    if (search.n_levels == 2) {
      r = count_below(search.level[0], x);
      r = r < search.last_group[1] ? r : search.last_group[1];
      r = 16 * r + count_below(search.level[1] + 16 * r, x);
    } else {
      r = rank(search, x);
    }
    ranks[i] = x == x ? r : kMissingRank;
  }
}

// Fills one rank row of a block; what follows the n values repeats the last.
template <class T>
void fill_row(const ForestRow& row, const T* column, int64_t stride, int64_t n, int64_t n_padded, const int32_t* ranks,
              uint8_t* bytes) {
  if (is_category(row.kind)) {
    for (int64_t i = 0; i < n; ++i) bytes[i] = rank_of_category(row, column[i * stride]);
  } else {
    const int32_t missing = row.missing_high ? 255 : 0;
    for (int64_t i = 0; i < n; ++i) {
      const int32_t r = ranks[i] - row.first, cut = r < 0 ? 0 : (r > 255 ? 255 : r);
      bytes[i] = static_cast<uint8_t>(ranks[i] < 0 ? missing : cut);
    }
  }
  if (row.kind == ForestRowKind::number_or_zero)
    for (int64_t i = 0; i < n; ++i)
      if (is_missing(row.kind, column[i * stride])) bytes[i] = row.missing_high ? 255 : 0;
  for (int64_t i = n; i < n_padded; ++i) bytes[i] = bytes[n - 1];
}

}  // namespace gppcore::GPPCORE_ISA::forest
