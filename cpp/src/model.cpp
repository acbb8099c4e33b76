#include "gppcore/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cutter.hpp"
#include "gppcore/error.hpp"
#include "kernels/forest.hpp"
#include "parallel.hpp"

namespace gppcore {
namespace {

void check_forest(const std::string& name, const Forest& forest, int64_t n_features) {
  const auto refuse = [&](const char* what, int64_t expected, int64_t got) {
    throw Error(ErrorCode::forest_format,
                name + ": expected " + std::to_string(expected) + what + ", got " + std::to_string(got));
  };
  if (forest.n_features() != n_features) refuse(" features", n_features, forest.n_features());
  if (forest.n_outputs() != 1) refuse(" output", 1, forest.n_outputs());
}

// Rows whose predictions by all forests stay in the cache, in whole blocks of the forests' kernels; few enough to take
// some milliseconds, so that a call can be interrupted.
int64_t rows_per_block(const Model& model, int64_t n_steps) {
  constexpr int64_t kMaxBlocks = 4, kMaxWork = 1 << 24;  // trees by rows
  int64_t n_trees = 1;
  for (const auto* forests : {&model.sources(), &model.members()})
    for (const Forest& f : *forests) n_trees += f.n_trees();
  const int64_t n_blocks = std::min(kMaxBlocks, kMaxWork / n_trees / kForestBlock) / n_steps;
  return kForestBlock * std::max<int64_t>(n_blocks, 1);
}

// The rows of one block at all steps, in the memory of one thread.
template <class T>
struct Block {
  const T** columns = nullptr;  // predictors, then sources
  int64_t *strides = nullptr, *step_strides = nullptr;
  T *sources = nullptr, *members = nullptr;  // [part][step][row]; without interval only one member is kept
  T *total = nullptr, *spread = nullptr;
  ForestLine* forest = nullptr;
  int64_t n_lines;

  Block(const Model& model, int64_t n_rows, int64_t n_steps, ForestLine* memory) {
    const auto n_sources = static_cast<int64_t>(model.sources().size());
    const auto n_members = static_cast<int64_t>(model.members().size());
    const int64_t n = n_rows * n_steps;
    int64_t n_forest_lines = 0;
    for (const auto* forests : {&model.sources(), &model.members()})
      for (const Forest& f : *forests)
        n_forest_lines = std::max(n_forest_lines, static_cast<int64_t>(f.memory_lines()));
    Cutter cutter(memory);
    cutter.cut(columns, model.n_predictors() + n_sources);
    cutter.cut(strides, model.n_predictors() + n_sources);
    cutter.cut(step_strides, model.n_predictors() + n_sources);
    cutter.cut(sources, n_sources * n);
    cutter.cut(members, (model.recipe().interval ? n_members : 1) * n);
    cutter.cut(total, n);
    cutter.cut(spread, n);
    cutter.cut(forest, n_forest_lines);
    n_lines = cutter.n_lines();
  }
};

// NaN stays; -0 becomes 0.
template <class T>
T not_negative(T x) {
  return x <= T(0) ? T(0) : x;
}

template <class T>
void add_member(const ModelMember& m, const T* p, T* v, T* total, int64_t n) {
  const T weight = static_cast<T>(m.weight), offset = static_cast<T>(m.offset);
  if (m.kind == ModelMemberKind::ratio)
    for (int64_t i = 0; i < n; ++i) v[i] *= p[i] + offset;
  if (m.kind == ModelMemberKind::residual)
    for (int64_t i = 0; i < n; ++i) v[i] += p[i];
  for (int64_t i = 0; i < n; ++i) total[i] += weight * v[i];
}

// Standard deviation of the members and of process GPP about their weighted sum.
template <class T>
void find_spread(const ModelRecipe& recipe, const Block<T>& block, int64_t n) {
  for (int64_t i = 0; i < n; ++i) block.spread[i] = T(0);
  for (size_t j = 0; j < recipe.members.size(); ++j) {
    const T* v = block.members + static_cast<int64_t>(j) * n;
    const T weight = static_cast<T>(recipe.members[j].weight);
    for (int64_t i = 0; i < n; ++i) {
      const T d = v[i] - block.total[i];
      block.spread[i] += weight * (d * d);
    }
  }
  if (!recipe.sources.empty()) {
    const T weight = static_cast<T>(recipe.process_weight);
    for (int64_t i = 0; i < n; ++i) {
      const T d = block.sources[i] - block.total[i];
      block.spread[i] += weight * (d * d);
    }
  }
  for (int64_t i = 0; i < n; ++i) block.spread[i] = std::sqrt(block.spread[i]);
}

// GPP of the rows of one step, from the members' total.
template <class T>
void write_gpp(const ModelRecipe& recipe, const T* p, const T* total, int64_t n, T* gpp) {
  if (recipe.sources.empty()) {
    for (int64_t i = 0; i < n; ++i) gpp[i] = not_negative(total[i]);
    return;
  }
  const T gate = static_cast<T>(recipe.gate);
  for (int64_t i = 0; i < n; ++i) gpp[i] = not_negative(p[i] + p[i] / (p[i] + gate) * (total[i] - p[i]));
}

template <class T>
void write_interval(const ModelInterval& interval, const T* gpp, const T* spread, int64_t n, T* low, T* high) {
  const T q = static_cast<T>(interval.q), a = static_cast<T>(interval.a);
  const T b = static_cast<T>(interval.b), c = static_cast<T>(interval.c);
  for (int64_t i = 0; i < n; ++i) {
    const T half = q * (a + b * spread[i] + c * gpp[i]);
    if (low) low[i] = not_negative(gpp[i] - half);
    if (high) high[i] = gpp[i] + half;
  }
}

// Fills the totals, and if they are wanted the members, of a block whose predictor columns are set.
template <class T>
void predict_total(const Model& model, const Block<T>& block, int64_t n_rows, int64_t n_steps, bool keep_members) {
  const ModelRecipe& recipe = model.recipe();
  const int64_t n = n_rows * n_steps, first = model.n_predictors();
  const auto predict = [&](const Forest& forest, T* out) {
    forest.predict_steps(block.columns, block.strides, block.step_strides, n_rows, n_steps, out, block.forest);
  };
  for (size_t k = 0; k < model.sources().size(); ++k) {
    T* s = block.sources + static_cast<int64_t>(k) * n;
    predict(model.sources()[k], s);
    for (int64_t i = 0; i < n; ++i) s[i] = not_negative(s[i]);
    const int64_t column = first + static_cast<int64_t>(k);
    block.columns[column] = s;
    block.strides[column] = 1;
    block.step_strides[column] = n_rows;
  }
  const T process_weight = static_cast<T>(recipe.process_weight);
  for (int64_t i = 0; i < n; ++i) block.total[i] = recipe.sources.empty() ? T(0) : process_weight * block.sources[i];
  for (size_t j = 0; j < model.members().size(); ++j) {
    T* v = block.members + (keep_members ? static_cast<int64_t>(j) * n : 0);
    predict(model.members()[j], v);
    add_member(recipe.members[j], block.sources, v, block.total, n);
  }
}

// Columns of all rows, as the caller gave them.
template <class T>
struct Input {
  const T* const* columns;
  const int64_t *strides, *step_strides;
  int64_t n_rows, n_steps;
};

template <class T>
void predict_block(const Model& model, const Input<T>& in, int64_t begin, int64_t end, const ModelOutput<T>& out,
                   ForestLine* memory) {
  const int64_t n_rows = end - begin;
  const Block<T> block(model, n_rows, in.n_steps, memory);
  for (int64_t f = 0; f < model.n_predictors(); ++f) {
    block.columns[f] = in.columns[f] + begin * in.strides[f];
    block.strides[f] = in.strides[f];
    block.step_strides[f] = in.step_strides[f];
  }
  const ModelRecipe& recipe = model.recipe();
  const bool interval = out.low || out.high;
  predict_total(model, block, n_rows, in.n_steps, interval);
  if (interval) find_spread(recipe, block, n_rows * in.n_steps);
  for (int64_t step = 0; step < in.n_steps; ++step) {
    const int64_t from = step * n_rows, to = step * in.n_rows + begin;
    write_gpp(recipe, block.sources + from, block.total + from, n_rows, out.gpp + to);
    if (interval)
      write_interval(*recipe.interval, out.gpp + to, block.spread + from, n_rows, out.low ? out.low + to : nullptr,
                     out.high ? out.high + to : nullptr);
  }
  hide_empty_rows(model, in, begin, end, out);
}

// Makes the outputs of rows whose predictors are all missing missing too: no forest knows anything of them.
template <class T>
void hide_empty_rows(const Model& model, const Input<T>& in, int64_t begin, int64_t end, const ModelOutput<T>& out) {
  const int64_t n = model.n_predictors();
  for (int64_t step = 0; step < in.n_steps; ++step)
    for (int64_t i = begin; i < end; ++i) {
      int64_t f = 0;
      for (; f < n; ++f) {
        const T x = in.columns[f][i * in.strides[f] + step * in.step_strides[f]];
        if (x == x) break;
      }
      if (f < n) continue;
      for (T* to : {out.gpp, out.low, out.high})
        if (to) to[step * in.n_rows + i] = std::numeric_limits<T>::quiet_NaN();
    }
}

// Memory of the calling thread, kept: a call allocates nothing once its thread is warm.
ForestLine* own_memory(int64_t n_lines) {
  thread_local ForestMemory memory;
  if (memory.size() < static_cast<size_t>(n_lines)) memory.resize(static_cast<size_t>(n_lines));
  return memory.data();
}

}  // namespace

Model::Model(ModelRecipe recipe, std::vector<Forest> sources, std::vector<Forest> members)
    : recipe_(std::move(recipe)), sources_(std::move(sources)), members_(std::move(members)) {
  check_recipe(recipe_);
  if (sources_.size() != recipe_.sources.size() || members_.size() != recipe_.members.size())
    throw Error(ErrorCode::forest_format, "model: expected a forest for each source and member, got " +
                                              std::to_string(sources_.size()) + " and " +
                                              std::to_string(members_.size()));
  for (size_t k = 0; k < sources_.size(); ++k)
    check_forest("source " + recipe_.sources[k], sources_[k], n_predictors());
  for (size_t j = 0; j < members_.size(); ++j) {
    const ModelMember& m = recipe_.members[j];
    check_forest("member " + m.name, members_[j], n_predictors() + m.n_sources);
  }
}

void Model::check_output(bool wants_interval) const {
  if (wants_interval && !recipe_.interval)
    throw Error(ErrorCode::range, "interval: expected a model that has one, got one without");
}

template <class T>
void Model::predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                          int64_t n_steps, const ModelOutput<T>& out, const ForestRun& run) const {
  check_output(out.low || out.high);
  if (n_steps < 1) return;
  const Input<T> input{columns, strides, step_strides, n_rows, n_steps};
  const int64_t grain = rows_per_block(*this, n_steps);
  const auto block = [&](int64_t begin, int64_t end) {
    const int64_t n_lines = Block<T>(*this, std::min(grain, n_rows), n_steps, nullptr).n_lines;
    predict_block(*this, input, begin, end, out, own_memory(n_lines));
  };
  parallel_for(n_rows, grain, run.n_threads, block, run.check);
}

size_t Model::memory_lines() const noexcept {
  return static_cast<size_t>(Block<double>(*this, rows_per_block(*this, 1), 1, nullptr).n_lines);
}

template <class T>
void Model::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, const ModelOutput<T>& out,
                            ForestMemory& memory) const {
  check_output(out.low || out.high);
  const Input<T> input{columns, strides, strides, n_rows, 1};  // there is no second step to stride to
  const int64_t grain = rows_per_block(*this, 1);
  for (int64_t begin = 0; begin < n_rows; begin += grain)
    predict_block(*this, input, begin, std::min(begin + grain, n_rows), out, memory.data());
}

#define GPPCORE_INSTANTIATE(T)                                                                                         \
  template void Model::predict_steps(const T* const*, const int64_t*, const int64_t*, int64_t, int64_t,                \
                                     const ModelOutput<T>&, const ForestRun&) const;                                   \
  template void Model::predict_columns(const T* const*, const int64_t*, int64_t, const ModelOutput<T>&, ForestMemory&) \
      const;
GPPCORE_INSTANTIATE(float)
GPPCORE_INSTANTIATE(double)
#undef GPPCORE_INSTANTIATE

}  // namespace gppcore
