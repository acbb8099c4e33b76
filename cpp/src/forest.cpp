#include "gppcore/forest.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "dispatch.hpp"
#include "forest_plan.hpp"
#include "parallel.hpp"

namespace gppcore {
namespace {

// Memory in whole cache lines, so that every array of the workspace is aligned.
struct alignas(64) Line {
  uint8_t bytes[64];
};

// Cuts one piece of memory into the arrays of a workspace; without memory it only counts the lines.
class Cutter {
 public:
  explicit Cutter(Line* memory) : memory_(memory) {}

  template <class T>
  void cut(T*& array, int64_t size) {
    if (memory_) array = reinterpret_cast<T*>(memory_[n_lines_].bytes);
    n_lines_ += (size * static_cast<int64_t>(sizeof(T)) + 63) / 64;
  }
  int64_t n_lines() const { return n_lines_; }

 private:
  Line* memory_;
  int64_t n_lines_ = 0;
};

int64_t cut_workspace(const ForestPlan& plan, Line* memory, ForestWorkspace& work) {
  Cutter cutter(memory);
  const int64_t n_conditions = kForestSetMasks + plan.n_masks;
  cutter.cut(work.ranks, kForestBlock);
  cutter.cut(work.rows, plan.n_rows * kForestBlock);
  cutter.cut(work.range, 2 * plan.n_rows);
  cutter.cut(work.masks, n_conditions * kForestMaskBytes);
  cutter.cut(work.state, n_conditions);
  cutter.cut(work.gaps, (kForestMaxMaskedLeaves + 1) * kForestMaskBytes);
  cutter.cut(work.leaf_id, kForestTreesPerSum * kForestBlock);
  cutter.cut(work.shorts, plan.leaf_width * kForestBlock * kForestMaxSumBytes);
  cutter.cut(work.keys, plan.n_columns * plan.tile);
  cutter.cut(work.sums, plan.n_outputs * plan.tile);
  cutter.cut(work.link, plan.n_outputs * 8);
  return cutter.n_lines();
}

// Memory of the calling thread, kept: a call allocates nothing once its thread is warm.
ForestWorkspace workspace(const ForestPlan& plan) {
  thread_local std::vector<Line> memory;
  ForestWorkspace work{};
  const auto n_lines = static_cast<size_t>(cut_workspace(plan, nullptr, work));
  if (memory.size() < n_lines) memory.resize(n_lines);
  cut_workspace(plan, memory.data(), work);
  return work;
}

// A call of the kernel should last less than a tenth of a second, so that an interrupt is seen.
int64_t rows_per_call(const ForestPlan& plan, int64_t n_steps) {
  constexpr int64_t kVisits = 4'000'000;  // of walked trees by rows
  const int64_t visits = std::max<int64_t>(1, (plan.n_trees - plan.n_masked) * n_steps);
  const int64_t rows = std::min(kVisits / visits, 8 * 12 * kForestBlock / n_steps);
  return std::clamp(rows / kForestBlock * kForestBlock, kForestBlock, 8 * kForestBlock);
}

}  // namespace

Forest::Forest(const ForestView& arrays, std::shared_ptr<const void> memory)
    : memory_(std::move(memory)), arrays_(arrays) {
  check_forest(arrays_);
  plan_ = std::make_shared<const Plan>(arrays_);
}

template <class T>
void Forest::predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                           int64_t n_steps, T* out, const ForestRun& run) const {
  const ForestPlan& plan = plan_->view;
  const ForestInput<T> input{columns, strides, step_strides, n_rows, n_steps};
  ForestPredict<T> kernel;
  if constexpr (std::is_same_v<T, float>) {
    kernel = kernels().forest.predict_f32;
  } else {
    kernel = kernels().forest.predict_f64;
  }
  if (n_steps < 1) return;
  parallel_for(n_rows, rows_per_call(plan, n_steps), run.n_threads, [&](int64_t begin, int64_t end) {
    kernel(plan, input, begin, end, run.raw, out, workspace(plan));
  });
}

template <class T>
void Forest::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out,
                             const ForestRun& run) const {
  predict_steps(columns, strides, strides, n_rows, 1, out, run);  // strides between steps that are never taken
}

template <class T>
void Forest::predict(const T* rows, int64_t n_rows, T* out, const ForestRun& run) const {
  thread_local std::vector<const T*> columns;
  thread_local std::vector<int64_t> strides;
  columns.clear();
  for (int64_t f = 0; f < n_features(); ++f) columns.push_back(rows + f);
  strides.assign(static_cast<size_t>(n_features()), n_features());
  predict_columns(columns.data(), strides.data(), n_rows, out, run);
}

template <class T>
void Forest::apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                           const ForestRun& run) const {
  const ForestPlan& plan = plan_->view;
  const ForestInput<T> input{columns, strides, strides, n_rows, 1};
  ForestApply<T> kernel;
  if constexpr (std::is_same_v<T, float>) {
    kernel = kernels().forest.apply_f32;
  } else {
    kernel = kernels().forest.apply_f64;
  }
  parallel_for(n_rows, rows_per_call(plan, 1), run.n_threads, [&](int64_t begin, int64_t end) {
    kernel(plan, input, begin, end, leaves, workspace(plan));
  });
}

template void Forest::predict_steps(const float* const*, const int64_t*, const int64_t*, int64_t, int64_t, float*,
                                    const ForestRun&) const;
template void Forest::predict_columns(const float* const*, const int64_t*, int64_t, float*, const ForestRun&) const;
template void Forest::predict(const float*, int64_t, float*, const ForestRun&) const;
template void Forest::apply_columns(const float* const*, const int64_t*, int64_t, int32_t*, const ForestRun&) const;
template void Forest::predict_steps(const double* const*, const int64_t*, const int64_t*, int64_t, int64_t, double*,
                                    const ForestRun&) const;
template void Forest::predict_columns(const double* const*, const int64_t*, int64_t, double*, const ForestRun&) const;
template void Forest::predict(const double*, int64_t, double*, const ForestRun&) const;
template void Forest::apply_columns(const double* const*, const int64_t*, int64_t, int32_t*, const ForestRun&) const;

}  // namespace gppcore
