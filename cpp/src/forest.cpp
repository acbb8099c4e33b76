#include "gppcore/forest.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cutter.hpp"
#include "dispatch.hpp"
#include "float_environment.hpp"
#include "forest_plan.hpp"
#include "parallel.hpp"

namespace gppcore {
namespace {

// What one thread needs: first the columns of a matrix, then the arrays of the kernels.
template <class T>
struct Scratch {
  const T** columns = nullptr;
  int64_t* strides = nullptr;
  ForestWorkspace work{};
  int64_t n_lines;

  Scratch(const ForestPlan& plan, ForestLine* memory) {
    Cutter cutter(memory);
    const int64_t n_conditions = kForestSetMasks + plan.n_masks;
    cutter.cut(columns, plan.n_features);
    cutter.cut(strides, plan.n_features);
    cutter.cut(work.ranks, kForestBlock);
    cutter.cut(work.rows, plan.n_rows * kForestBlock);
    cutter.cut(work.least, std::max<int64_t>(plan.n_rows, 64));
    cutter.cut(work.largest, std::max<int64_t>(plan.n_rows, 64));
    cutter.cut(work.masks, n_conditions * kForestMaskBytes);
    cutter.cut(work.state, n_conditions);
    cutter.cut(work.gaps, (kForestMaxMaskedLeaves + 1) * kForestMaskBytes);
    cutter.cut(work.leaf_id, kForestTreesPerSum * kForestBlock);
    cutter.cut(work.shorts, plan.leaf_width * kForestBlock * kForestMaxSumBytes);
    cutter.cut(work.keys, plan.n_columns * plan.tile);
    cutter.cut(work.ranges, plan.ranked ? plan.n_columns : 0);
    cutter.cut(work.digits, plan.ranked ? plan.n_columns * kForestDigits * kForestDigitMasks * kForestMaskBytes : 0);
    cutter.cut(work.walked, plan.tile);
    cutter.cut(work.sums, plan.n_outputs * plan.tile);
    cutter.cut(work.link, plan.n_outputs * 8);
    n_lines = cutter.n_lines();
  }

  void point_to(const T* rows, int64_t n_features) {
    for (int64_t f = 0; f < n_features; ++f) {
      columns[f] = rows + f;
      strides[f] = n_features;
    }
  }
};

// Memory of the calling thread, kept: a call allocates nothing once its thread is warm.
ForestLine* own_memory(const ForestPlan& plan) {
  thread_local ForestMemory memory;
  const auto n_lines = static_cast<size_t>(Scratch<float>(plan, nullptr).n_lines);
  if (memory.size() < n_lines) memory.resize(n_lines);
  return memory.data();
}

// Rows that take a thread about a millisecond, so that threads share out even a small call, and that any call can be
// interrupted. Walked trees get more: each chunk brings every tree into cache anew, and blocks are pruned as a whole.
int64_t rows_per_chunk(const ForestPlan& plan, int64_t n_steps) {
  constexpr int64_t kMasked = 1 << 21, kWalked = 1 << 19;  // trees by rows
  const int64_t n_walked = plan.n_trees - plan.n_masked;
  if (n_walked > 0) return kWalked / n_walked / n_steps < kForestMaxTile ? kForestBlock : kForestMaxTile;
  const int64_t n_blocks = kMasked / std::max<int64_t>(plan.n_trees, 1) / n_steps / kForestBlock;
  return kForestBlock * std::clamp<int64_t>(n_blocks, 1, 8);
}

template <class T>
void predict_chunk(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, bool raw, T* out,
                   const ForestWorkspace& work) {
  if constexpr (std::is_same_v<T, float>) {
    kernels().forest.predict_f32(plan, input, begin, end, raw, out, work);
  } else {
    kernels().forest.predict_f64(plan, input, begin, end, raw, out, work);
  }
}

template <class T>
void apply_chunk(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, int32_t* leaves,
                 const ForestWorkspace& work) {
  if constexpr (std::is_same_v<T, float>) {
    kernels().forest.apply_f32(plan, input, begin, end, leaves, work);
  } else {
    kernels().forest.apply_f64(plan, input, begin, end, leaves, work);
  }
}

}  // namespace

Forest::Forest(const ForestView& arrays, std::shared_ptr<const void> memory)
    : memory_(std::move(memory)), arrays_(arrays) {
  const FloatEnvironment environment;
  check_forest(arrays_);
  kernels();  // the choice allocates and may fail: now, not in the first prediction
  plan_ = std::make_shared<const Plan>(arrays_);
}

size_t Forest::memory_lines() const noexcept {
  return static_cast<size_t>(Scratch<float>(plan_->view, nullptr).n_lines);
}

template <class T>
void Forest::predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                           int64_t n_steps, T* out, const ForestRun& run) const {
  if (n_steps < 1) return;
  const ForestPlan& plan = plan_->view;
  const ForestInput<T> input{columns, strides, step_strides, n_rows, n_steps};
  const auto chunk = [&](int64_t begin, int64_t end) {
    predict_chunk(plan, input, begin, end, run.raw, out, Scratch<T>(plan, own_memory(plan)).work);
  };
  parallel_for(n_rows, rows_per_chunk(plan, n_steps), run.n_threads, chunk, run.check);
}

template <class T>
void Forest::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out,
                             const ForestRun& run) const {
  predict_steps(columns, strides, strides, n_rows, 1, out, run);  // strides between steps are not used
}

template <class T>
void Forest::apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                           const ForestRun& run) const {
  const ForestPlan& plan = plan_->view;
  const ForestInput<T> input{columns, strides, strides, n_rows, 1};
  const auto chunk = [&](int64_t begin, int64_t end) {
    apply_chunk(plan, input, begin, end, leaves, Scratch<T>(plan, own_memory(plan)).work);
  };
  parallel_for(n_rows, rows_per_chunk(plan, 1), run.n_threads, chunk, run.check);
}

template <class T>
void Forest::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out, bool raw,
                             ForestMemory& memory) const {
  const ForestInput<T> input{columns, strides, strides, n_rows, 1};
  predict_chunk(plan_->view, input, 0, n_rows, raw, out, Scratch<T>(plan_->view, memory.data()).work);
}

template <class T>
void Forest::apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                           ForestMemory& memory) const {
  const ForestInput<T> input{columns, strides, strides, n_rows, 1};
  apply_chunk(plan_->view, input, 0, n_rows, leaves, Scratch<T>(plan_->view, memory.data()).work);
}

template <class T>
void Forest::predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                           int64_t n_steps, T* out, ForestLine* memory) const {
  const ForestInput<T> input{columns, strides, step_strides, n_rows, n_steps};
  predict_chunk(plan_->view, input, 0, n_rows, false, out, Scratch<T>(plan_->view, memory).work);
}

template <class T>
void Forest::predict_rows(const T* rows, int64_t n_rows, T* out, bool raw, ForestMemory& memory) const {
  Scratch<T> scratch(plan_->view, memory.data());
  scratch.point_to(rows, n_features());
  const ForestInput<T> input{scratch.columns, scratch.strides, scratch.strides, n_rows, 1};
  predict_chunk(plan_->view, input, 0, n_rows, raw, out, scratch.work);
}

template <class T>
void Forest::apply_rows(const T* rows, int64_t n_rows, int32_t* leaves, ForestMemory& memory) const {
  Scratch<T> scratch(plan_->view, memory.data());
  scratch.point_to(rows, n_features());
  const ForestInput<T> input{scratch.columns, scratch.strides, scratch.strides, n_rows, 1};
  apply_chunk(plan_->view, input, 0, n_rows, leaves, scratch.work);
}

#define GPPCORE_INSTANTIATE(T)                                                                                     \
  template void Forest::predict_steps(const T* const*, const int64_t*, const int64_t*, int64_t, int64_t, T*,       \
                                      const ForestRun&) const;                                                     \
  template void Forest::predict_columns(const T* const*, const int64_t*, int64_t, T*, const ForestRun&) const;     \
  template void Forest::apply_columns(const T* const*, const int64_t*, int64_t, int32_t*, const ForestRun&) const; \
  template void Forest::predict_columns(const T* const*, const int64_t*, int64_t, T*, bool, ForestMemory&) const;  \
  template void Forest::apply_columns(const T* const*, const int64_t*, int64_t, int32_t*, ForestMemory&) const;    \
  template void Forest::predict_steps(const T* const*, const int64_t*, const int64_t*, int64_t, int64_t, T*,       \
                                      ForestLine*) const;                                                          \
  template void Forest::predict_rows(const T*, int64_t, T*, bool, ForestMemory&) const;                            \
  template void Forest::apply_rows(const T*, int64_t, int32_t*, ForestMemory&) const;
GPPCORE_INSTANTIATE(float)
GPPCORE_INSTANTIATE(double)
#undef GPPCORE_INSTANTIATE

}  // namespace gppcore
