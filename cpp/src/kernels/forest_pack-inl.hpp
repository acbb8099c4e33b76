// Pruned trees in packs. The few leaves of a tree that are alive need few bits for their numbers, so that several trees
// share a leaf number of six bits; its 64 values get a table of their own: what the leaves of these trees give
// together. Only for sums in fixed point, which do not depend on the order of the trees.
// docs/kernels.md has the terms.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_prune-inl.hpp"
#include "forest_sums-inl.hpp"
#include "forest_trees-inl.hpp"

#if defined(__AVX512VBMI__)
namespace gppcore::GPPCORE_ISA::forest {

template <class Sums>
constexpr bool kPacks = false;
template <>
constexpr bool kPacks<FixedSums> = true;

constexpr int kPackBits = 6;
constexpr int kTreesPerChoice = 128;  // among which those are sought that share a pack

// The table of a pack: byte by byte, what its trees add for each value of the leaf number.
struct PackTable {
  int n_bits = 0;  // taken by the trees so far
  __m512i byte[kForestMaxSumBytes] = {};

  // Adds a tree with `living` leaves, numbered by the next n bits.
  void add(const ForestPlan& plan, const ForestTree& tree, uint64_t living, int n) {
    const __m512i all = _mm512_load_si512(kNumbers), leaves = _mm512_maskz_compress_epi8(living, all);
    const __m512i number = _mm512_and_si512(_mm512_srl_epi16(all, _mm_cvtsi32_si128(n_bits)),
                                            _mm512_set1_epi8(static_cast<char>((1 << n) - 1)));
    const __m512i leaf = _mm512_maskz_permutexvar_epi8(~uint64_t{0}, number, leaves);
    const uint8_t* table = plan.tables + tree.tables;
    __m512i value[kForestMaxSumBytes];
    for (int j = 0; j < kForestMaxSumBytes; ++j, table += plan.plane_bytes)
      value[j] = j < tree.n_bytes ? (__m512i)look_up<kPackBits>(table, (Bytes)leaf) : _mm512_setzero_si512();
    if (n_bits == 0) {
      for (int j = 0; j < kForestMaxSumBytes; ++j) byte[j] = value[j];
    } else {
      __mmask64 carry = 0;
      for (int j = 0; j < kForestMaxSumBytes; ++j) {
        const __m512i sum = _mm512_add_epi8(byte[j], value[j]);
        byte[j] = _mm512_sub_epi8(sum, _mm512_movm_epi8(carry));
        carry = _mm512_cmplt_epu8_mask(sum, value[j]) | _mm512_cmplt_epu8_mask(byte[j], sum);
      }
    }
    n_bits += n;
  }
};

// The pack being filled, and packs that wait to be summed.
template <int M>
struct Packs {
  using Words = Lanes<GPPCORE_VECTOR_BYTES>::Words;
  const ForestPlan& plan;
  const ForestWorkspace& work;
  FixedSums& sums;
  int64_t at, n_rows;
  int32_t output = 0, n_bytes = 3;
  int64_t n = 0;
  PackTable table{};
  Words bits[M][kPackBits] = {};
  alignas(64) uint8_t tables[kForestTreesPerSum][kForestMaxSumBytes][64] = {};

  void add(const ForestTree& tree, const Living<1>& living, int n_bits) {
    const int first_bit = table.n_bits;
    // Before the steps, which leave time to fetch its leaf values.
    table.add(plan, tree, living.leaves[0], n_bits);
    const int32_t n_gaps = take_living_steps<GPPCORE_VECTOR_BYTES, M>(living, plan.steps + tree.first_step, work);
    count_living(n_gaps, first_bit, n_bits);
  }

  // As count_gaps, but the unpredictable branches are the same for all rows of the block.
  void count_living(int32_t n_gaps, int first_bit, int n_bits) {
    const Words* gaps = reinterpret_cast<const Words*>(work.gaps);
    Words sum[M]{};
    for (int p = n_bits - 1; p >= 0; --p) {
      int32_t g = 1 << p;
      for (; g + (2 << p) <= n_gaps; g += 4 << p)
        for (int q = 0; q < M; ++q) sum[q] ^= gaps[g * M + q] ^ gaps[(g + (2 << p)) * M + q];
      if (g <= n_gaps)
        for (int q = 0; q < M; ++q) sum[q] ^= gaps[g * M + q];
      for (int q = 0; q < M; ++q) bits[q][first_bit + p] = sum[q];
    }
  }

  // Ends the pack. Bits that no tree has taken may be anything, as the table does not depend on them.
  void close() {
    Words* to = reinterpret_cast<Words*>(work.leaf_id + n * kForestBlock);
    for (int q = 0; q < M; ++q, to += 8) {
      Words bit[8];
      for (int p = 0; p < kPackBits; ++p) bit[p] = bits[q][p];
      transpose_six_bits(bit);
      for (int i = 0; i < 8; ++i) to[i] = bit[i];
    }
    for (int j = 0; j < kForestMaxSumBytes; ++j) _mm512_store_si512(tables[n][j], table.byte[j]);
    if (_mm512_test_epi8_mask(table.byte[3], table.byte[3])) n_bytes = 4;
    table.n_bits = 0;
    if (++n == kForestTreesPerSum) flush();
  }

  void flush() {
    if (n > 0) sums.add_packed(tables, n_bytes, n, output, at, n_rows);
    n = 0;
    n_bytes = 3;
  }
};

// Packs trees of one output, the large ones first, each with the largest others for which it has bits.
template <int M>
void fill_packs(const ForestTree* trees, const Living<1>* living, int n_trees, Packs<M>& packs) {
  uint8_t list[kPackBits + 1][kTreesPerChoice];  // trees by how many bits they need
  int n[kPackBits + 1] = {};
  for (int t = 0; t < n_trees; ++t) {
    const int n_bits = 31 - __builtin_clz(2u * static_cast<uint32_t>(__builtin_popcountll(living[t].gaps[0])) + 1u);
    list[n_bits][n[n_bits]++] = static_cast<uint8_t>(t);
  }
  if (packs.output != trees->output) packs.flush();
  packs.output = trees->output;
  for (int i = 0; i < n[0]; ++i) {
    const int t = list[0][i];
    packs.sums.add_constant(trees[t], __builtin_ctzll(living[t].leaves[0]), packs.at, packs.n_rows);
  }
  for (int most = kPackBits; most > 0; --most) {
    while (n[most] > 0) {
      for (int n_bits = most, room = kPackBits; n_bits > 0;) {
        if (n[n_bits] == 0) {
          --n_bits;
          continue;
        }
        const int t = list[n_bits][--n[n_bits]];
        packs.add(trees[t], living[t], n_bits);
        room -= n_bits;
        n_bits = n_bits < room ? n_bits : room;
      }
      packs.close();
    }
  }
}

// Adds trees from `t` on while few of their nodes are alive; returns where it stopped. Those of several trees are found
// before any is evaluated, as the waits of one search are work for the next.
template <int M>
int64_t add_packed(const ForestPlan& plan, const ForestWorkspace& work, FixedSums& sums, int64_t t, int64_t end,
                   int64_t at, int64_t n_rows) {
  Packs<M> packs{plan, work, sums, at, n_rows};
  int64_t n_alive = 0, n_nodes = 0;
  while (t < end && 10 * n_alive <= kMostAlive * n_nodes) {
    Living<1> living[kTreesPerChoice];
    const ForestTree* trees = plan.trees + t;
    int n = 0;
    for (; n < kTreesPerChoice && t < end && plan.trees[t].output == trees->output; ++n, ++t) {
      const ForestTree& tree = plan.trees[t];
      living[n] = find_living(plan.row_trees[tree.row_tree], tree, work);
      n_alive += __builtin_popcountll(living[n].steps[0]);
      n_nodes += tree.n_steps;
    }
    fill_packs(trees, living, n, packs);
  }
  packs.flush();
  return t;
}

}  // namespace gppcore::GPPCORE_ISA::forest
#endif
