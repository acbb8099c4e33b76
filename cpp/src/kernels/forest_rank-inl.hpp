// From values to ranks: the number of a feature's thresholds below a value, or the number of a category.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_search-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

template <class T>
const ForestSearch<T>* searches(const ForestPlan& plan) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return plan.search_f32;
  } else {
    return plan.search_f64;
  }
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

// Ranks of a column of numbers among all thresholds of the feature; NaN has kMissingRank.
template <class T>
void rank_column(const ForestSearch<T>& search, const T* column, int64_t stride, int64_t n, int32_t* ranks) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float)) {
    if (search.n_levels > 0 && (search.heap || stride == 1) && stride < kLongStride && stride > -kLongStride) {
      float least = -__builtin_inff(), largest = __builtin_inff();
      if (stride == 1) find_ends(column, n, least, largest);
      if (search_column(search, least, largest, column, stride, n, ranks)) return;
    }
  }
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
