// From sums to predictions.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "math-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

using Rows = Lanes<double>;

// Applies the link to a vector of rows in place; raw[k] holds output k.
inline void apply_link(const ForestPlan& plan, Rows* raw) {
  for (int64_t k = 0; k < plan.n_outputs; ++k) raw[k] = raw[k] * plan.link_scale;
  if (plan.link == ForestPlanLink::softmax) {
    Rows largest = raw[0], sum{};
    for (int64_t k = 1; k < plan.n_outputs; ++k) largest = maximum(largest, raw[k]);
    for (int64_t k = 0; k < plan.n_outputs; ++k) sum = sum + (raw[k] = exp(raw[k] - largest));
    for (int64_t k = 0; k < plan.n_outputs; ++k) raw[k] = raw[k] / sum;
    return;
  }
  for (int64_t k = 0; k < plan.n_outputs; ++k) {
    if (plan.link == ForestPlanLink::exp) raw[k] = exp(raw[k]);
    if (plan.link == ForestPlanLink::sigmoid) raw[k] = 1.0 / (1.0 + exp(0.0 - raw[k]));
  }
}

// Writes the n rows of a tile to out[n][n_outputs].
template <class T, class Sums>
void write_rows(const ForestPlan& plan, const ForestWorkspace& work, const Sums& sums, int64_t n, bool linked, T* out) {
  if (!linked) {
    for (int64_t k = 0; k < plan.n_outputs; ++k)
      for (int64_t r = 0; r < n; ++r) out[r * plan.n_outputs + k] = static_cast<T>(sums.raw(k, r));
    return;
  }
  Rows* raw = reinterpret_cast<Rows*>(work.link);
  for (int64_t first = 0; first < n; first += Rows::kCount) {
    const int64_t m = n - first < Rows::kCount ? n - first : Rows::kCount;
    for (int64_t k = 0; k < plan.n_outputs; ++k)
      for (int64_t l = 0; l < Rows::kCount; ++l) raw[k].v[l] = sums.raw(k, first + (l < m ? l : 0));
    apply_link(plan, raw);
    for (int64_t k = 0; k < plan.n_outputs; ++k)
      for (int64_t l = 0; l < m; ++l) out[(first + l) * plan.n_outputs + k] = static_cast<T>(raw[k].v[l]);
  }
}

}  // namespace gppcore::GPPCORE_ISA::forest
