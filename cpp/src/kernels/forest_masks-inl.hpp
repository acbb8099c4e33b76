// From ranks to the masks of conditions.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

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
