// Few rows: all nodes of a tree are compared at once, each against the rank of its row, and the links are followed by
// pointer doubling inside one register. For instruction sets that can permute 64 bytes.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_rank-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

#if defined(__AVX512VBMI__)
constexpr bool kUsesRowTrees = true;

// Ranks of one input row in all rank rows.
template <class T>
void rank_row(const ForestPlan& plan, const ForestInput<T>& input, int64_t at, int64_t step, uint8_t* ranks) {
  int32_t ranked = -1, among = 0;
  for (int64_t i = 0; i < plan.n_rows; ++i) {
    const ForestRow& row = plan.rows[i];
    const int32_t f = row.feature;
    const T x = input.columns[f][at * input.strides[f] + step * input.step_strides[f]];
    if (ranked != f) among = rank(searches<T>(plan)[f], x);
    ranked = f;
    const int32_t r = among - row.first;
    ranks[i] = static_cast<uint8_t>(r < 0 ? 0 : (r > 255 ? 255 : r));
    if (is_missing(row.kind, x)) ranks[i] = row.missing_high ? 255 : 0;
  }
}

template <int Doublings>
void find_row_leaves(const ForestPlan& plan, const uint8_t* row_ranks, uint8_t* leaves) {
  const __m512i ranks = _mm512_loadu_si512(row_ranks);
  for (int32_t t = plan.row_begin[Doublings]; t < plan.row_begin[Doublings + 1]; ++t) {
    const ForestRowTree& tree = plan.row_trees[t];
    const __m512i rank = _mm512_maskz_permutexvar_epi8(~uint64_t{0}, _mm512_loadu_si512(tree.row), ranks);
    const __mmask64 right = _mm512_cmpgt_epu8_mask(rank, _mm512_loadu_si512(tree.condition));
    __m512i next = _mm512_mask_blend_epi8(right, _mm512_loadu_si512(tree.left), _mm512_loadu_si512(tree.right));
    for (int d = 0; d < Doublings; ++d)
      next = _mm512_mask_permutexvar_epi8(next, _mm512_movepi8_mask(next), next, next);
    leaves[plan.row_number[t]] = static_cast<uint8_t>(_mm_cvtsi128_si32(_mm512_castsi512_si128(next)));
  }
}

template <class T, class Sums>
void predict_rows(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n,
                  const ForestWorkspace& work, Sums& sums) {
  constexpr decltype(&find_row_leaves<0>) kFind[kForestDoublings] = {
      find_row_leaves<0>, find_row_leaves<1>, find_row_leaves<2>, find_row_leaves<3>,
      find_row_leaves<4>, find_row_leaves<5>, find_row_leaves<6>};
  for (int64_t r = 0; r < n; ++r) {
    alignas(64) uint8_t ranks[64];
    rank_row(plan, input, first + r, step, ranks);
    for (const auto find : kFind) find(plan, ranks, work.leaf_id);
    sums.add_row(plan.trees, plan.n_trees, work.leaf_id, r);
  }
}
#else
constexpr bool kUsesRowTrees = false;
template <class T, class Sums>
void predict_rows(const ForestPlan&, const ForestInput<T>&, int64_t, int64_t, int64_t, const ForestWorkspace&, Sums&) {}
#endif

}  // namespace gppcore::GPPCORE_ISA::forest
