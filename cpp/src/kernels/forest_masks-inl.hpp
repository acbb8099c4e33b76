// From values to the masks of conditions: ranks, rank bits, masks.
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

// Ranks of a column of numbers among all thresholds of the feature; NaN has kMissingRank.
template <class T>
void rank_column(const ForestSearch<T>& search, const T* column, int64_t stride, int64_t n, int32_t* ranks) {
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

// Bits of 4-bit numbers as above[i] = "number > i", from the highest bit to the lowest.
template <class Words>
GPPCORE_INLINE void above(Words a, Words b, Words c, Words d, Words* above) {
  const Words two[4] = {c | d, c, c & d, Words{}};
  Words three[8];
  for (int i = 0; i < 4; ++i) {
    three[i] = b | two[i];
    three[4 + i] = b & two[i];
  }
  three[3] = b;
  for (int i = 0; i < 8; ++i) {
    above[i] = a | three[i];
    above[8 + i] = a & three[i];
  }
  above[7] = a;
}

// The masks of the conditions [begin, end), which all test one row of ranks.
template <int W, int M>
void make_masks(const uint8_t* ranks, const uint8_t* conditions, int64_t begin, int64_t end, uint8_t* masks) {
  using Words = typename Lanes<W>::Words;
  for (int q = 0; q < M; ++q) {
    Words bit[8], high[17], low[16];
    for (int i = 0; i < 8; ++i) bit[i] = *reinterpret_cast<const Words*>(ranks + (8 * q + i) * W);
    transpose_bits(bit);
    high[0] = ~Words{};
    above(bit[7], bit[6], bit[5], bit[4], high + 1);
    above(bit[3], bit[2], bit[1], bit[0], low);
    for (int64_t c = begin; c < end;) {
      const int h = conditions[c] >> 4;
      const Words more = high[h + 1], equal = high[h];
      for (; c < end && conditions[c] >> 4 == h; ++c)
        *reinterpret_cast<Words*>(masks + (c * M + q) * W) = more | (equal & low[conditions[c] & 15]);
    }
  }
}

}  // namespace gppcore::GPPCORE_ISA::forest
